"""Cuts long lists, so that one statement's rows are in memory at a time."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Give the items in order, at most `size` at once."""
    return (items[i : i + size] for i in range(0, len(items), size))
