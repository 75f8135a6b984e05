"""The event stream in words: read on from a position, so a slow reader costs no memory here."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from services.console import views
from services.console.feed_bell import FeedBell
from services.console.pages import figures
from services.console.pages.speech import Speech, ids_in
from services.console.pages.visit import Visit
from services.console.views.events import EventFilter
from services.console.views.names import load_names
from shared.transaction import Tx

BATCH: Final = 200
#: At full load a page gets its news in bundles, this often at most.
PAUSE_S: Final = 0.2
KEEP_ALIVE_S: Final = 15.0
#: Twenty monitors in one language say each event once.
SAID_MAX: Final = 4_000
_SAID: OrderedDict[tuple[str, int], dict[str, Any]] = OrderedDict()

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
    locale = visit.locale
    new = [r for r in rows if (locale, r["feed_id"]) not in _SAID]
    if new:
        ids, subjects = ids_in([r["body"] for r in new])
        speech = Speech(visit.words, await load_names(tx, ids, subjects))
        for row in new:
            _SAID[locale, row["feed_id"]] = _item(speech, row)
    items = [_SAID[locale, r["feed_id"]] for r in rows]
    while len(_SAID) > SAID_MAX:
        _SAID.popitem(last=False)
    return items


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


class Live:
    """One open stream."""

    def __init__(self, visit: Visit, wanted: EventFilter, position: int) -> None:
        self._visit = visit
        self._wanted = wanted
        self._position = position
        self._bell = visit.house.resource(FeedBell)

    async def frames(self) -> AsyncIterator[bytes]:
        """Give frames until the browser leaves or the process stops; each names its position."""
        yield b"retry: 2000\n\n"
        stopping = self._visit.house.stopping
        while not stopping.is_set() and not await self._visit.request.is_disconnected():
            rung = self._bell.count
            before = self._position
            items, full = await self._visit.read(self._read)
            if items:
                yield self._frame(items)
            elif self._position != before:
                yield b"id: %d\n\n" % self._position
            if full:
                continue
            if await self._bell.rings_after(rung, KEEP_ALIVE_S):
                await asyncio.sleep(PAUSE_S)
            else:
                yield b": still here\n\n"

    async def _read(self, tx: Tx) -> tuple[list[dict[str, Any]], bool]:
        rows, self._position = await views.read_on(tx, self._wanted, self._position, BATCH)
        return await said(self._visit, tx, rows), len(rows) == BATCH

    def _frame(self, items: list[dict[str, Any]]) -> bytes:
        return f"id: {self._position}\ndata: {json.dumps(items, ensure_ascii=False)}\n\n".encode()
