"""The registry's use cases: a batch taken in and imported, nominations, reveals, erasures."""
