"""Lodging's tables, read and written in sets."""
