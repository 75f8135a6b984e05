"""The rules of transport, pure: no database, no clock, no network."""
