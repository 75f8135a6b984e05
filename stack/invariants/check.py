"""Asks all invariants of a running stack: over databases, over topics, and over both together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import asyncpg

from stack.invariants import across, databases
from stack.invariants.persons import personal_in
from stack.invariants.tenants import tenantless_in
from stack.invariants.topics import Spoken, spoken
from stack.invariants.words import CHINESE
from stack.plan import Plan
from stack.status import database_urls
from stack.topics import HEARS

EXAMPLES_MAX: Final = 5


@dataclass(frozen=True)
class Finding:
    """An invariant, where it was asked, how often it is broken, and some examples."""

    where: str
    name: str
    broken: int
    examples: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Give its name in both languages."""
        return f"{CHINESE.get(self.name, '')}  {self.name}".strip()


async def check(plan: Plan, *, at_rest: bool = True) -> list[Finding]:
    """Ask everything; what holds has `broken` 0.

    While something is under way, say so: what compares one service with another is left out then.
    """
    urls = database_urls(plan)
    found = [one for name, url in urls.items() for one in await _of_database(name, url)]
    bootstrap_servers = plan.ports.kafka(plan.brokers).bootstrap_servers
    said = await spoken(bootstrap_servers)
    found += _of_topics(said)
    if at_rest:
        for name in urls:
            found += await _of_service(name, urls, said)
        found += await _of_all(urls, bootstrap_servers)
    return found


async def _of_database(service: str, url: str) -> list[Finding]:
    queries = {**databases.QUERIES.get(service, {}), **databases.EVERYWHERE}
    conn = await asyncpg.connect(url)
    try:
        found = [
            _finding(service, name, (str(r[0]) for r in await conn.fetch(sql)))
            for name, sql in queries.items()
        ]
        personal, strangers = await personal_in(conn), await tenantless_in(conn)
    finally:
        await conn.close()
    return [
        *found,
        _finding(service, "no ID number and no phone in any table", personal),
        _finding(service, "no row without its tenant", strangers),
    ]


def _of_topics(said: Spoken) -> list[Finding]:
    return [
        _finding("topics", "sequences of each aggregate run 1, 2, 3", said.gaps()),
        _finding("topics", "first occurrences come in order", said.inverted),
        _finding("topics", "an aggregate keeps to its key and partition", said.misplaced),
        _finding("topics", "no ID number and no phone", said.personal),
    ]


async def _of_service(service: str, urls: across.Urls, said: Spoken) -> list[Finding]:
    url = urls[service]
    asked = {
        "everything that was sent lies in the topic": await across.unsent(service, url, said),
        "what lies in the topic was written here": await across.forged(service, url, said),
    }
    found = [_finding(service, name, map(str, broken)) for name, broken in asked.items()]
    if service in HEARS:
        unheard = await across.unheard(service, url, said)
        unreceived = await across.unreceived(service, url, said)
        found += [
            _finding(service, "everything was heard, or is parked", unheard),
            _finding(
                service, "every event to consume is in the inbox, or parked", map(str, unreceived)
            ),
            _finding(
                service,
                "consumed = applied + ignored + parked + duplicate",
                await across.unaccounted(service, url, said),
            ),
            _finding(
                service,
                "what was taken lies in a topic",
                map(str, await across.unsaid(service, urls, said)),
            ),
        ]
    return found


async def _of_all(urls: across.Urls, bootstrap_servers: str) -> list[Finding]:
    miscounted = await across.miscounted(urls, bootstrap_servers)
    held = await across.held_in_vain(urls)
    forgotten, unknown = await across.forgotten(urls), await across.unknown(urls)
    return [
        _finding("all", "databases and topics count the same totals", miscounted),
        _finding("all", "a cancelled placement holds nothing", map(str, held)),
        _finding("all", "nobody who needs a seat or a bed is forgotten", map(str, forgotten)),
        _finding("all", "a seat or a bed is of a known placement", map(str, unknown)),
        _finding("all", "the console shows what the owners have", await across.misshown(urls)),
    ]


def _finding(where: str, name: str, broken: Iterable[str]) -> Finding:
    listed = sorted(broken)
    return Finding(where, name, len(listed), tuple(listed[:EXAMPLES_MAX]))
