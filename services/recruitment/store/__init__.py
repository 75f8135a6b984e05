"""The SQL of recruitment: each statement beside its typed function."""
