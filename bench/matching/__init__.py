"""How long a matching round takes, and how good it is."""
