"""Matching: one global assignment per drive and round, groups together or not at all."""
