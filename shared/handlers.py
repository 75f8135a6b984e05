"""The table of a service's consumers: which function hears which event."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from contracts import SPEAKERS, Envelope, Event
from shared.transaction import Tx

E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Received(Generic[E_co]):
    """An event that was heard, with its envelope."""

    event: E_co
    envelope: Envelope


class Refused(Exception):  # noqa: N818 (it is an answer, as in `Problem`)
    """A record that can never be applied as things are: it is parked with this reason.

    `code` is a word of ours, `detail` says what stands against it and never holds personal data.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


#: `async def on_placement_confirmed(tx, received)`: all events of one call have different keys.
Consumer = Callable[[Tx, Sequence[Received[E]]], Awaitable[None]]


class Handlers:
    """A service's consumers by event type; types that nobody handles are passed over."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._by_type: dict[str, Consumer[Any]] = {}
        self._lines: set[tuple[str, str]] = set()
        self.every: Consumer[Any] | None = None

    def on(self, *kinds: type[E]) -> Callable[[Consumer[E]], Consumer[E]]:
        """Let a function hear these events; each type has one consumer."""

        def enter(consumer: Consumer[E]) -> Consumer[E]:
            for kind in kinds:
                if kind.wire_type in self._by_type:
                    message = f"{self.service} hears {kind.wire_type} twice"
                    raise ValueError(message)
                self._by_type[kind.wire_type] = consumer
                self._lines.add((kind.service, kind.noun))
            return consumer

        return enter

    def on_every(self, consumer: Consumer[Any]) -> Consumer[Any]:
        """Let a function hear whole waves, all types of the catalogue, before the types' own."""
        if self.every:
            message = f"{self.service} has two consumers of every event"
            raise ValueError(message)
        self.every = consumer
        return consumer

    def hears(self, wire_type: str) -> bool:
        """Tell whether anybody here listens to a type."""
        return self.every is not None or wire_type in self._by_type

    def follows(self, kind: type[Event]) -> bool:
        """Tell whether anybody here listens to an event about the same subjects."""
        return self.every is not None or (kind.service, kind.noun) in self._lines

    def find(self, wire_type: str) -> Consumer[Any] | None:
        """Give the consumer of a type, or None when the service passes it over."""
        return self._by_type.get(wire_type)

    def sources(self) -> list[str]:
        """List the services whose topics this one hears, sorted."""
        if self.every:
            return sorted(SPEAKERS)
        return sorted({wire_type.partition(".")[0] for wire_type in self._by_type})

    def merge(self, other: "Handlers") -> None:
        """Take in the consumers of another table; raises ValueError for a type that both hear."""
        if other.every:
            self.on_every(other.every)
        for wire_type, consumer in other._by_type.items():  # noqa: SLF001 (our own kind)
            if wire_type in self._by_type:
                message = f"{self.service} hears {wire_type} twice"
                raise ValueError(message)
            self._by_type[wire_type] = consumer
        self._lines |= other._lines  # noqa: SLF001 (our own kind)


def waves(received: Iterable[Received[Any]]) -> list[list[Received[Any]]]:
    """Put the n-th event of a subject into wave n: a wave's events have different subjects."""
    found: list[list[Received[Any]]] = []
    counts: Counter[tuple[str, str]] = Counter()
    for one in received:
        subject = (one.envelope.source, one.envelope.subject)
        if counts[subject] == len(found):
            found.append([])
        found[counts[subject]].append(one)
        counts[subject] += 1
    return found


async def run_waves(tx: Tx, handlers: Handlers, received: Iterable[Received[Any]]) -> None:
    """Hand each wave to the consumer of every event, then type by type to the types' own."""
    for wave in waves(received):
        if handlers.every:
            await handlers.every(tx, wave)
        by_type: dict[str, list[Received[Any]]] = defaultdict(list)
        for one in wave:
            by_type[one.event.wire_type].append(one)
        for wire_type, same in by_type.items():
            consumer = handlers.find(wire_type)
            if consumer:
                await consumer(tx, same)
