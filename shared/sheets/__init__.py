"""Reads an enterprise's sheet for a service, in a process of its own, and tells every fault of it.

Which columns it has and what is done with its rows is each service's own
(`services/<service>/sheet`).
"""
