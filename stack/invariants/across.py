"""Invariants over several databases and the topics: sets that must be equal, or empty."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from contracts.hearing import heard_by
from stack import recount
from stack.invariants.topics import Place, Spoken
from stack.topics import HEARS
from stack.totals import totals

Urls = Mapping[str, str]
_HEARD: Final = "SELECT source, subject, last_sequence FROM heard_sequence"
_TAKEN: Final = """
SELECT event_id FROM inbox UNION SELECT event_id FROM dead_letter WHERE event_id IS NOT NULL
"""
_LETTERS: Final = "SELECT event_id FROM dead_letter WHERE event_id IS NOT NULL"
_PLACES: Final = "SELECT topic, partition, record_offset FROM dead_letter"
_LOGGED: Final = "SELECT event_id FROM event_log WHERE topic !~ '[.]dlt$'"
_WRITTEN: Final = f"{_LOGGED} UNION SELECT event_id FROM outbox WHERE topic !~ '[.]dlt$'"
_PARKED: Final = "SELECT count(*) FROM dead_letter WHERE state = 'parked'"
_FACTS: Final = """
SELECT split_part(subject, '/', 2)::uuid AS id, state FROM fact WHERE noun = '{}'
"""
_STAYS: Final = "SELECT stay_id AS id, state FROM stay WHERE announced"
# A booking that was never spoken of is still in the pool.
_BOOKINGS: Final = "SELECT booking_id AS id, state FROM booking WHERE state <> 'pooled'"
#: What the console shows of a thing, beside what its owner says: (noun, owner, owner's query).
_SHOWN: Final = (
    ("placement", "recruitment", "SELECT placement_id AS id, state FROM placement"),
    ("booking", "transport", _BOOKINGS),
    ("stay", "lodging", _STAYS),
)
_CANCELLED: Final = "SELECT placement_id FROM placement WHERE state = 'cancelled'"
_SEATS: Final = """
SELECT placement_id FROM booking WHERE state IN ('pooled', 'waitlisted', 'booked')
"""
_BEDS: Final = """
SELECT placement_id FROM stay WHERE stay_request_id IS NULL
AND state IN ('requested', 'held', 'confirmed', 'waitlisted')
"""
_NEEDY: Final = "SELECT placement_id FROM placement WHERE state = 'confirmed' AND needs_{}"


async def rows(url: str, sql: str) -> Sequence[asyncpg.Record]:
    """Ask one database one thing."""
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetch(sql)
    finally:
        await conn.close()


async def ids(url: str, sql: str) -> set[UUID]:
    """Give the first column of an answer."""
    return {r[0] for r in await rows(url, sql)}


async def unheard(consumer: str, url: str, said: Spoken) -> Sequence[str]:
    """Name the subjects of which a service has heard less than was said; parked ones may wait."""
    ((parked,),) = await rows(url, _PARKED)
    if parked:
        return []
    heard = {(r["source"], r["subject"]): r["last_sequence"] for r in await rows(url, _HEARD)}
    sources = {f"/{name}" for name in HEARS[consumer]}
    return [
        f"{source} {subject}: {heard.get((source, subject), 0)} < {len(seen)}"
        for (source, subject), seen in said.sequences.items()
        if source in sources and heard.get((source, subject), 0) < len(seen)
    ]


async def unreceived(consumer: str, url: str, said: Spoken) -> set[UUID]:
    """Give the events that a service is to consume and that are neither in its inbox nor parked."""
    wanted = {event.wire_type for event in heard_by(consumer)}
    to_hear = {i for i, wire_type in said.types.items() if wire_type in wanted}
    return to_hear - await ids(url, _TAKEN)


async def unaccounted(consumer: str, url: str, said: Spoken) -> list[str]:
    """Name the records that a service has neither taken, nor parked, nor passed over.

    Consumed = applied + ignored (both in the inbox) + parked + duplicate; who repeats a sequence is
    a duplicate, but not of what the service uses: that lies in the inbox with its own id.
    """
    taken = await ids(url, _TAKEN)
    heard = {(r["source"], r["subject"]): r["last_sequence"] for r in await rows(url, _HEARD)}
    parked = {(r["topic"], r["partition"], r["record_offset"]) for r in await rows(url, _PLACES)}
    used = {event.wire_type for event in heard_by(consumer)}

    def is_accounted_for(one: Place) -> bool:
        # Without a whole envelope, or with another's, a record is known by its place.
        if one.event_id in taken or (one.topic, one.partition, one.offset) in parked:
            return True
        told = one.envelope
        repeats = told is not None and told.sequence <= heard.get((told.source, told.subject), 0)
        return repeats and told is not None and (told.type not in used or told.id not in said.types)

    topics = {f"{source}.events" for source in HEARS[consumer]}
    return [
        f"{one.topic}/{one.partition}@{one.offset}"
        for one in said.places
        if one.topic in topics and not is_accounted_for(one)
    ]


async def unsaid(consumer: str, urls: Urls, said: Spoken) -> set[UUID]:
    """Give what a service has taken and what is in no topic that it hears.

    What anybody has parked may have been garbage, and gone with a lost Kafka.
    """
    topics = {f"{source}.events" for source in HEARS[consumer]}
    lying = {one.event_id for one in said.places if one.topic in topics}
    taken = await ids(urls[consumer], "SELECT event_id FROM inbox") - lying
    if not taken:
        return taken
    parked = await asyncio.gather(*(ids(url, _LETTERS) for url in urls.values()))
    return taken.difference(*parked)


async def unsent(service: str, url: str, said: Spoken) -> set[UUID]:
    """Give what a service has sent and is in no topic."""
    return await ids(url, _LOGGED) - said.ids[service]


async def forged(service: str, url: str, said: Spoken) -> set[UUID]:
    """Give what lies in a service's topic and the service has never written."""
    return said.ids[service] - await ids(url, _WRITTEN)


async def miscounted(urls: Urls, bootstrap_servers: str) -> Iterator[str]:
    """Name the totals in which databases and topics differ."""
    counted: dict[str, Any] = totals(await recount.from_databases(urls))
    told = totals((await recount.from_topics(bootstrap_servers)).standing())
    return (f"{n}: {counted[n]} / {told[n]}" for n in counted if counted[n] != told[n])


async def held_in_vain(urls: Urls) -> set[UUID]:
    """Give the cancelled placements that still hold, or wait for, a seat or a bed."""
    cancelled, seats, beds = await asyncio.gather(
        ids(urls["recruitment"], _CANCELLED),
        ids(urls["transport"], _SEATS),
        ids(urls["lodging"], _BEDS),
    )
    return cancelled & (seats | beds)


async def forgotten(urls: Urls) -> set[UUID]:
    """Give the confirmed placements whose seat or bed nobody has ever thought of."""
    seat, bed, booked, housed = await asyncio.gather(
        ids(urls["recruitment"], _NEEDY.format("seat")),
        ids(urls["recruitment"], _NEEDY.format("bed")),
        ids(urls["transport"], "SELECT placement_id FROM booking"),
        ids(urls["lodging"], "SELECT placement_id FROM stay WHERE placement_id IS NOT NULL"),
    )
    return (seat - booked) | (bed - housed)


async def unknown(urls: Urls) -> set[UUID]:
    """Give the placements that have a seat or a bed and that recruitment does not know."""
    seats, beds = await asyncio.gather(
        ids(urls["transport"], "SELECT placement_id FROM booking"),
        ids(urls["lodging"], "SELECT placement_id FROM stay WHERE placement_id IS NOT NULL"),
    )
    return (seats | beds) - await ids(urls["recruitment"], "SELECT placement_id FROM placement")


async def misshown(urls: Urls) -> list[str]:
    """Name what the console shows otherwise than its owner has it."""
    found = []
    for noun, owner, sql in _SHOWN:
        own, shown = await asyncio.gather(
            rows(urls[owner], sql), rows(urls["console"], _FACTS.format(noun))
        )
        states = {r["id"]: r["state"] for r in shown}
        found += [f"{noun}/{r['id']}" for r in own if states.get(r["id"]) != r["state"]]
    return found
