"""The registry's statements, by aggregate: batches, persons, nominations and hires, what was heard."""
