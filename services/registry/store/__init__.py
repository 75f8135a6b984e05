"""The registry's statements, by aggregate."""
