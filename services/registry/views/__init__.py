"""What the registry shows: batches and their issues, persons masked, nominations."""
