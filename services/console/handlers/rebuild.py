"""Builds the projection anew from the topics' events, beside the live one that goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from contracts import Event
from services.console.handlers.projection import derive, entry_of, fold
from services.console.store import rebuild as store
from services.console.store.feed import Entry
from shared.handlers import Received, waves
from shared.transaction import Tx

CHUNK: Final = 5_000
#: So few news at once are folded while the live projection waits.
LAST_NEWS_MAX: Final = 500
_FIRST: Final = UUID(int=0)


@dataclass
class Rebuild:
    """One rebuild, within one transaction of a role above row security.

    `begin`, then `take` everything the topics hold, each partition in its order, then `finish`.
    """

    tx: Tx
    up_to: int = 0
    read_count: int = 0
    not_heard_count: int = 0
    _touched: set[UUID] = field(default_factory=set)

    async def begin(self) -> None:
        """Note how far the live projection is."""
        self.up_to = await store.begin(self.tx)

    async def take(self, received: Sequence[Received[Event]]) -> None:
        """Fold what the live projection had heard at the beginning, whether it kept it or not."""
        self.read_count += len(received)
        for wave in waves(received):
            entries = list({r.envelope.id: entry_of(r) for r in wave}.values())
            places = await store.compare(self.tx, entries)
            heard = [e for e in entries if e.event_id in places and self._had(places[e.event_id])]
            await store.note_mended(
                self.tx,
                [(e, p.feed_id) for e in heard if not (p := places[e.event_id]).same],
            )
            await fold(self.tx, heard)

    def _had(self, place: store.Place) -> bool:
        had = place.heard if place.feed_id is None else place.feed_id <= self.up_to
        self.not_heard_count += not had
        return had

    async def count_only_live(self) -> int:
        """Count what only the live feed has: with such a topic nothing may be rebuilt."""
        return await store.count_only_live(self.tx, self.up_to)

    async def finish(self) -> dict[str, int]:
        """Catch up with what was heard meanwhile, and mend the live tables; count it by table."""
        await self._catch_up(CHUNK, LAST_NEWS_MAX)
        after = _FIRST
        while ids := await store.list_journey_ids(self.tx, after, CHUNK):
            await derive(self.tx, ids)
            after = ids[-1]
        self._touched.clear()
        await store.hold(self.tx)
        await self._catch_up(CHUNK, 0)
        if self._touched:
            await derive(self.tx, self._touched)
        return await store.lay_over(self.tx)

    async def _catch_up(self, limit: int, enough: int) -> None:
        while True:
            news, self.up_to = await store.read_news(self.tx, self.up_to, limit)
            for wave in _waves(news):
                self._touched |= await fold(self.tx, wave)
            if len(news) <= enough:
                return


def _waves(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Put the n-th event about a thing into the n-th wave."""
    found: list[list[Entry]] = []
    counts: dict[tuple[str, str], int] = {}
    for entry in entries:
        subject = (entry.service, entry.subject)
        n = counts[subject] = counts.get(subject, -1) + 1
        if n == len(found):
            found.append([])
        found[n].append(entry)
    return found
