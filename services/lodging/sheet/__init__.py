"""Reads a sheet of stay requests (`shared/sheets`): `header` and `rows` say what its words mean.

`child` is the process that reads one.
"""
