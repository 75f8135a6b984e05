"""Plumbing that would be a bug to write twice; it knows no business noun."""
