"""What people and programs ask lodging over HTTP."""
