"""Transitional lodging: inns, beds by the night, stays, the waitlist, and enterprises' credit."""
