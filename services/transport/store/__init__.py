"""What transport keeps, read and written in sets."""
