"""Use cases: what happens in one transaction."""
