"""What lodging shows: lists and single things, under the caller's row security."""
