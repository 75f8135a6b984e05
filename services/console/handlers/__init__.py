"""What the console does: the projection of everything heard, and its commands."""
