"""Workbooks too large for the service to write: a process of its own takes the memory."""

from services.registry.workbooks.writer import Writer

__all__ = ["Writer"]
