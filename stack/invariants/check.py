"""Asks all invariants of a running stack: over databases, over topics, and over both together."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from stack import recount
from stack.invariants import databases
from stack.invariants.topics import Spoken, spoken
from stack.plan import Plan
from stack.status import database_urls
from stack.topics import HEARS
from stack.totals import totals

EXAMPLES_MAX: Final = 5
_HEARD: Final = "SELECT source, subject, last_sequence FROM heard_sequence"
_SAID: Final = "SELECT event_id FROM event_log WHERE topic !~ '[.]dlt$'"
_PARKED: Final = "SELECT count(*) FROM dead_letter WHERE state = 'parked'"


@dataclass(frozen=True)
class Finding:
    """An invariant, where it was asked, how often it is broken, and some examples."""

    where: str
    name: str
    broken: int
    examples: tuple[str, ...] = ()


async def check(plan: Plan) -> list[Finding]:
    """Ask everything; what holds has `broken` 0. Meant for a stack at rest."""
    urls = database_urls(plan)
    inside = await asyncio.gather(*(_of_database(name, url) for name, url in urls.items()))
    bootstrap = plan.ports.kafka(plan.brokers).bootstrap_servers
    said = await spoken(bootstrap)
    found = [finding for findings in inside for finding in findings]
    found += _of_topics(said)
    found += await asyncio.gather(*(_heard_all(n, u, said) for n, u in urls.items() if n in HEARS))
    found += await asyncio.gather(*(_sent_all(n, u, said) for n, u in urls.items()))
    found.append(await _same_totals(urls, bootstrap))
    found.append(await _nothing_left_over(urls))
    return found


async def _of_database(service: str, url: str) -> list[Finding]:
    queries = {**databases.QUERIES.get(service, {}), **databases.EVERYWHERE}
    conn = await asyncpg.connect(url)
    try:
        return [
            _finding(service, name, (str(r[0]) for r in await conn.fetch(sql)))
            for name, sql in queries.items()
        ]
    finally:
        await conn.close()


def _of_topics(said: Spoken) -> list[Finding]:
    return [
        _finding("topics", "sequences of each aggregate run 1, 2, 3", said.gaps()),
        _finding("topics", "an aggregate keeps to its key and partition", said.misplaced),
        _finding("topics", "no ID number and no phone", said.personal),
    ]


async def _heard_all(consumer: str, url: str, said: Spoken) -> Finding:
    """Compare what a service has heard with what there is to hear; parked records may wait."""
    rows = await _rows(url, _HEARD)
    heard = {(r["source"], r["subject"]): r["last_sequence"] for r in rows}
    sources = {f"/{name}" for name in HEARS[consumer]}
    behind = [
        f"{source} {subject}: {heard.get((source, subject), 0)} < {len(seen)}"
        for (source, subject), seen in said.sequences.items()
        if source in sources and heard.get((source, subject), 0) < len(seen)
    ]
    ((parked,),) = await _rows(url, _PARKED)
    return _finding(consumer, "everything was heard, or is parked", [] if parked else behind)


async def _sent_all(service: str, url: str, said: Spoken) -> Finding:
    logged = {r["event_id"] for r in await _rows(url, _SAID)}
    missing = (str(i) for i in logged - said.ids[service])
    return _finding(service, "everything that was sent lies in the topic", missing)


async def _same_totals(urls: Mapping[str, str], bootstrap: str) -> Finding:
    counted: dict[str, Any] = totals(await recount.from_databases(urls))
    told = totals((await recount.from_topics(bootstrap)).standing())
    differing = (f"{n}: {counted[n]} / {told[n]}" for n in counted if counted[n] != told[n])
    return _finding("all", "databases and topics count the same totals", differing)


async def _nothing_left_over(urls: Mapping[str, str]) -> Finding:
    """Find who is cancelled at recruitment and still has a seat or a bed elsewhere."""
    cancelled, seats, beds = await asyncio.gather(
        _rows(urls["recruitment"], "SELECT placement_id FROM placement WHERE state = 'cancelled'"),
        _rows(urls["transport"], "SELECT placement_id FROM booking WHERE state = 'booked'"),
        _rows(
            urls["lodging"],
            "SELECT placement_id FROM stay WHERE state IN ('held', 'confirmed', 'waitlisted')"
            " AND stay_request_id IS NULL",
        ),
    )
    holding = {r["placement_id"] for r in (*seats, *beds)}
    left = (str(r["placement_id"]) for r in cancelled if r["placement_id"] in holding)
    return _finding("all", "a cancelled placement holds nothing", left)


async def _rows(url: str, sql: str) -> Sequence[asyncpg.Record]:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetch(sql)
    finally:
        await conn.close()


def _finding(where: str, name: str, broken: Iterable[str]) -> Finding:
    found: Iterator[str] = iter(broken)
    listed = list(found)
    return Finding(where, name, len(listed), tuple(sorted(listed)[:EXAMPLES_MAX]))
