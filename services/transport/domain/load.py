"""How full a trip is, segment by segment, counted from its manifest rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.transport.domain.trip import Seat


@dataclass(slots=True)
class Load:
    """Passengers between each stop and the next: `on[i]` ride from stop i to stop i + 1."""

    capacity: int
    on: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, capacity: int, stop_count: int, seats: Iterable[Seat]) -> "Load":
        """Count the passengers of a trip."""
        load = cls(capacity, [0] * (stop_count - 1))
        load.take(seats)
        return load

    def take(self, seats: Iterable[Seat]) -> None:
        """Let these ride too, whether there is room or not."""
        self._add(seats, 1)

    def give_back(self, seats: Iterable[Seat]) -> None:
        """Let these ride no more."""
        self._add(seats, -1)

    def fits(self, seats: Iterable[Seat]) -> bool:
        """Tell whether all of these together have a place on every segment they ride."""
        wanted = [0] * len(self.on)
        for seat in seats:
            for i in range(seat.board, seat.alight):
                wanted[i] += 1
        return all(
            not more or riding + more <= self.capacity
            for riding, more in zip(self.on, wanted, strict=True)
        )

    def _add(self, seats: Iterable[Seat], count: int) -> None:
        for seat in seats:
            for i in range(seat.board, seat.alight):
                self.on[i] += count
