"""Matching: one global assignment of persons to vacancies per drive and round, groups together or not at all."""
