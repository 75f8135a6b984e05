"""A child process that is started again when it dies, after a pause that grows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stack.trouble import StackError

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
#: More would change nothing, and some day be no number any more.
DOUBLINGS_MAX: Final = 10
#: Who lived as long as this starts over with the first pause.
STEADY_S: Final = 30.0


@dataclass
class Watched:
    """`launch` starts it without waiting (or raises `StackError`); `pid` is None when it died."""

    name: str
    launch: Callable[[], None]
    pid: Callable[[], int | None]
    failures: int = 0
    restarts: int = 0
    started_at: float = 0.0
    due_at: float | None = None

    def start(self) -> None:
        """Start it for the first time; raises `StackError`."""
        self.launch()
        self.started_at = time.monotonic()

    def look(self, now: float) -> bool:
        """Note a death, or start it when its pause is over; tell whether something changed."""
        if self.due_at is None:
            if self.pid() is not None:
                return False
            self._pause(now, steady=now - self.started_at >= STEADY_S)
            return True
        if now < self.due_at:
            return False
        try:
            self.start()
        except StackError:
            # What stands in the way (a full disk, a port) may go away; until then the pause grows.
            self._pause(now, steady=False)
        else:
            self.due_at = None
            self.restarts += 1
        return True

    def _pause(self, now: float, *, steady: bool) -> None:
        self.failures = 1 if steady else self.failures + 1
        doublings = min(self.failures - 1, DOUBLINGS_MAX)
        self.due_at = now + min(FIRST_PAUSE_S * 2**doublings, LONGEST_PAUSE_S)
