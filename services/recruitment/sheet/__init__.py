"""Reads a sheet of vacancies: all faults of all rows at once, in a process of its own.

`reader` is the service's side; `child` is the process (`shared/sheets` says what a file is), with
`header`, `cells` and `rows` (what its words mean).
"""
