"""Reads an enterprise's sheet for a service: what the file is, in a process of its own.

What the words below a header mean is each service's own (`services/<service>/sheet`).
"""
