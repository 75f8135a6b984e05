"""The rules of recruitment: pure, from the standard library and the contracts' types only."""
