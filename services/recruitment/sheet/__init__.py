"""Reads a sheet of vacancies (`shared/sheets`).

`header`, `cells` and `rows` say what its words mean; `child` is the process that reads one.
"""
