"""Trips, seats, manifests, boarding and hand-over: from the home door to the factory door."""
