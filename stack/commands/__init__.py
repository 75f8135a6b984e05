"""The commands of `shanhai`, a module for each group."""
