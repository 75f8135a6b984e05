"""Shows a demo's progress: a live line on a terminal, now and then a line elsewhere."""

import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.status import Status

PLAIN_INTERVAL_S: Final = 5.0
#: In the order in which a journey goes through them.
STATES: Final = ("moving", "waiting", "settled", "done", "compensated", "stuck")


class Progress:
    """What is going on; `show` may be called as often as one likes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("", console=console)
        self._shown_at = 0.0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Take the live line away."""
        self._status.stop()

    def say(self, text: str) -> None:
        """Print a line that stays, with the seconds so far."""
        self._console.print(f"{time.monotonic() - self._began:6.1f} s  {text}")

    def show(self, states: Counter[str]) -> None:
        """Show how many journeys are in which state."""
        line = "  ".join(f"{name} {states[name]}" for name in STATES if states[name])
        if self._console.is_terminal:
            self._status.update(f"旅程 journeys: {line}")
        elif time.monotonic() - self._shown_at > PLAIN_INTERVAL_S:
            self._shown_at = time.monotonic()
            self.say(f"旅程 journeys: {line}")
