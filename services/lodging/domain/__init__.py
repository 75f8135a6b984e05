"""The rules of lodging, pure."""
