"""The event stream in words: read on from a position, so a slow reader costs no memory here."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from services.console import views
from services.console.feed_bell import FeedBell
from services.console.open_stream import KEEP_ALIVE_S, OpenStream
from services.console.pages import figures
from services.console.pages.speech import Speech, ids_in
from services.console.pages.visit import Visit
from services.console.views.events import EventFilter
from services.console.views.names import load_names
from shared.transaction import Tx

BATCH: Final = 200
#: At full load a page gets its news in bundles, this often at most.
PAUSE_S: Final = 0.2
#: For whoever comes a little later to the same place.
BUNDLES_MAX: Final = 32

Rows = Sequence[Mapping[str, Any]]


async def load_items(
    visit: Visit, wanted: EventFilter, position: int, limit: int
) -> list[dict[str, Any]]:
    """Give the newest events up to a position, newest first, in words."""

    async def read(tx: Tx) -> list[dict[str, Any]]:
        found: Any = await views.list_events(tx, wanted=wanted, limit=limit, cursor=None)
        return await said(visit, tx, [r for r in found["items"] if r["feed_id"] <= position])

    return await visit.read(read)


async def said(visit: Visit, tx: Tx, rows: Rows) -> list[dict[str, Any]]:
    """Say events in the visitor's language."""
    ids, subjects = ids_in([r["body"] for r in rows])
    speech = Speech(visit.words, await load_names(tx, ids, subjects))
    return [_item(speech, row) for row in rows]


def _item(speech: Speech, row: Mapping[str, Any]) -> dict[str, Any]:
    """Say one event; whoever may see it reads the same sentence."""
    body = row["body"]
    personal = "worker_id" in body and row["journey_id"] is not None
    return {
        "id": row["feed_id"],
        "at": figures.clock(row["said_at"]),
        "service": row["service"],
        "service_name": speech.words.code("service", row["service"]),
        "html": speech.sentence(row["type"], body),
        "journey": str(row["journey_id"]) if personal else "",
    }


def folded(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fold neighbours that say the same into one line, with all their journeys; none is lost."""
    found: list[dict[str, Any]] = []
    for item in items:
        if found and (found[-1]["html"], found[-1]["service"]) == (item["html"], item["service"]):
            found[-1]["journeys"].append(item["journey"])
        else:
            found.append({**item, "journeys": [item["journey"]]})
    return found


@dataclass(frozen=True, slots=True)
class Bundle:
    """What comes after a place in the feed: frames of the stream, the place they lead to."""

    frames: bytes
    position: int
    full: bool


class Told:
    """What open monitors are told: read and said once for all who ask alike from one place.

    Everyone who may open a monitor sees all events, so the filter and the language are all that
    tells two apart. Readers are led to the same places: the end of the feed is looked up for all
    of them together, `PAUSE_S` apart.
    """

    def __init__(self, bell: FeedBell) -> None:
        self._bell = bell
        self._bundles: OrderedDict[tuple[object, ...], Bundle] = OrderedDict()
        self._locks: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()
        self._looking = asyncio.Lock()
        self._end = 0
        self._rung = -1
        self._looked_at = -PAUSE_S

    async def next(self, visit: Visit, wanted: EventFilter, position: int, rung: int) -> Bundle:
        """Give what comes after a place, up to where the feed was at that ring of the bell."""
        end = await self._end_of(visit, rung)
        key = (wanted, visit.locale, position)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            found = self._bundles.get(key) or await self._read(visit, wanted, position, end)
            if found.position != position:
                self._bundles[key] = found
                while len(self._bundles) > BUNDLES_MAX:
                    self._bundles.popitem(last=False)
        return found

    async def _end_of(self, visit: Visit, rung: int) -> int:
        async with self._looking:
            if self._rung < rung:
                await asyncio.sleep(self._looked_at + PAUSE_S - time.monotonic())
                count = self._bell.count
                self._end = await visit.read(views.last_feed_id)
                self._rung, self._looked_at = count, time.monotonic()
            return self._end

    async def _read(self, visit: Visit, wanted: EventFilter, position: int, end: int) -> Bundle:
        async def read(tx: Tx) -> tuple[list[dict[str, Any]], int]:
            rows, place = await views.read_on(tx, wanted, position, BATCH, end)
            return await said(visit, tx, rows), place

        items, place = await visit.read(read)
        frame = b"" if place == position else b"id: %d\n" % place
        if items:
            frame += f"data: {json.dumps(items, ensure_ascii=False)}\n".encode()
        return Bundle(frame and frame + b"\n", place, len(items) == BATCH)


class Live:
    """One open stream."""

    def __init__(self, visit: Visit, wanted: EventFilter, position: int) -> None:
        self._visit = visit
        self._wanted = wanted
        self._position = position
        self._reader = OpenStream(visit.house, visit.request, visit.identity)
        self._bell = visit.house.resource(FeedBell)
        self._told = visit.house.resource(Told)

    async def frames(self) -> AsyncIterator[bytes]:
        """Give frames as long as the stream is open; each names its position."""
        yield b"retry: 2000\n\n"
        while await self._reader.is_open():
            rung = self._bell.count
            found = await self._told.next(self._visit, self._wanted, self._position, rung)
            self._position = found.position
            if found.frames:
                yield found.frames
            if not found.full and not await self._bell.rings_after(rung, KEEP_ALIVE_S):
                yield b": still here\n\n"
