"""Runs what was heard through the handlers: in order per key, many keys at once."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from shared.handlers import Handlers, Received
from shared.transaction import Tx

Wave = list[Received[Any]]


def waves(received: Iterable[Received[Any]]) -> list[Wave]:
    """Put the n-th event of a subject into wave n: the events of a wave have different subjects."""
    found: list[Wave] = []
    counts: Counter[tuple[str, str]] = Counter()
    for one in received:
        subject = (one.envelope.source, one.envelope.subject)
        if counts[subject] == len(found):
            found.append([])
        found[counts[subject]].append(one)
        counts[subject] += 1
    return found


async def run(tx: Tx, handlers: Handlers, received: Iterable[Received[Any]]) -> None:
    """Hand each wave to the consumer of every event, then type by type to the types' own."""
    for wave in waves(received):
        if handlers.every:
            await handlers.every(tx, wave)
        by_type: dict[str, Wave] = defaultdict(list)
        for one in wave:
            by_type[one.event.wire_type].append(one)
        for wire_type, same in by_type.items():
            consumer = handlers.find(wire_type)
            if consumer:
                await consumer(tx, same)
