"""What one cell comes to: a value and the codes of what is wrong with it."""

from typing import Final, Generic, NamedTuple, TypeVar

from services.registry.roster.issue import Severity

T = TypeVar("T")

ERROR: Final = "error"
WARNING: Final = "warning"


class Parsed(NamedTuple, Generic[T]):
    """A cell's value (None: empty or unreadable) and its faults, in the order of the rules."""

    value: T | None
    faults: tuple[tuple[str, Severity], ...] = ()


def error(code: str) -> Parsed[T]:
    """Make a cell that leaves its row out."""
    return Parsed(None, ((code, ERROR),))


def warned(value: T | None, *codes: str) -> Parsed[T]:
    """Make a cell that goes in, flagged."""
    return Parsed(value, tuple((c, WARNING) for c in codes))
