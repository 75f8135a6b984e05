"""Where a need comes from: the event that was heard, to be named when its answer is said later."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Origin:
    """The event or command that made something due, and the trace that it was part of."""

    cause_id: UUID
    traceparent: str | None = None
