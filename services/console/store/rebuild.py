"""The projection built a second time, in tables of this session, and laid over the live one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.console.store.feed import Entry
from shared.transaction import Tx

#: A session's own tables hide those of the same name, so the store's statements fill them.
KEYS: Final = {
    "trip_tenant": ("trip_id", "tenant_id"),
    "thing": ("subject",),
    "fact": ("source", "subject"),
    "journey": ("journey_id",),
    "task": ("kind", "subject"),
}
_SHADOWS: Final = "".join(
    f"CREATE TEMP TABLE {name} (LIKE public.{name} INCLUDING DEFAULTS INCLUDING INDEXES)"
    " ON COMMIT DROP; "
    for name in KEYS
)
_BEGIN: Final = f"""
SET LOCAL search_path = pg_temp, public; SET LOCAL temp_buffers = '256MB';
{_SHADOWS}
CREATE TEMP TABLE seen (event_id uuid PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE mended (LIKE public.event) ON COMMIT DROP;
ALTER TABLE mended ALTER feed_id DROP NOT NULL;
"""


async def begin(tx: Tx) -> int:
    """Make empty tables beside the live ones; give the feed's place up to which they are built.

    Needs a role that may create temporary tables and is above row security.
    """
    last: int = await tx.fetchval("SELECT last_feed_id FROM public.feed_position")
    await tx.execute(_BEGIN)
    return last


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event of the topics stands in the live feed: `feed_id` None is nowhere.

    `heard` tells whether its service's events about its thing were heard up to it, and it was not
    given up as a dead letter.
    """

    feed_id: int | None
    heard: bool
    same: bool


_COMPARED: Final = """
WITH u AS (
    INSERT INTO seen SELECT event_id FROM unnest($1::uuid[]) AS s (event_id)
    ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT t.event_id, e.feed_id, COALESCE(h.last_sequence >= t.sequence, false)
        AND NOT EXISTS (SELECT FROM public.dead_letter d
            WHERE d.event_id = t.event_id AND d.state <> 'replayed') AS heard,
    (e.type, e.service, e.subject, e.sequence, e.tenant_id, e.journey_id, e.causation_id, e.said_at,
     e.audience, e.origins, e.trip_id, e.inn_id, e.body)
    IS NOT DISTINCT FROM
    (t.type, t.service, t.subject, t.sequence, t.tenant_id, t.journey_id, t.causation_id, t.said_at,
     t.audience::uuid[], t.origins::text[], t.trip_id, t.inn_id, t.body) AS same
FROM u JOIN unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[],
    $7::uuid[], $8::uuid[], $9::timestamptz[], $10::text[], $11::text[], $12::uuid[], $13::uuid[],
    $14::jsonb[])
    AS t (event_id, type, service, subject, sequence, tenant_id, journey_id, causation_id, said_at,
          audience, origins, trip_id, inn_id, body) USING (event_id)
LEFT JOIN public.event e USING (event_id)
LEFT JOIN public.heard_sequence h ON h.source = '/' || t.service AND h.subject = t.subject
"""


async def compare(tx: Tx, entries: Sequence[Entry]) -> dict[UUID, Place]:
    """Tell where events of the topics stand in the live feed; those seen before are left out."""
    rows = await tx.fetch(_COMPARED, *_columns(entries))
    return {r["event_id"]: Place(r["feed_id"], r["heard"], r["same"]) for r in rows}


_MEND: Final = """
INSERT INTO mended (event_id, type, service, subject, sequence, tenant_id, journey_id, causation_id,
    said_at, audience, origins, trip_id, inn_id, body, feed_id, heard_at)
SELECT t.event_id, t.type, t.service, t.subject, t.sequence, t.tenant_id, t.journey_id,
    t.causation_id, t.said_at, t.audience::uuid[], t.origins::text[], t.trip_id, t.inn_id, t.body,
    t.feed_id, clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::uuid[],
    $8::uuid[], $9::timestamptz[], $10::text[], $11::text[], $12::uuid[], $13::uuid[], $14::jsonb[],
    $15::bigint[])
    AS t (event_id, type, service, subject, sequence, tenant_id, journey_id, causation_id, said_at,
          audience, origins, trip_id, inn_id, body, feed_id)
"""


async def note_mended(tx: Tx, entries: Sequence[tuple[Entry, int | None]]) -> None:
    """Note events that the live feed has otherwise (at this place) or not at all (None)."""
    if entries:
        await tx.execute(_MEND, *_columns([e for e, _ in entries]), [place for _, place in entries])


def _columns(entries: Sequence[Entry]) -> tuple[list[Any], ...]:
    return (
        [e.event_id for e in entries],
        [e.type for e in entries],
        [e.service for e in entries],
        [e.subject for e in entries],
        [e.sequence for e in entries],
        [e.tenant_id for e in entries],
        [e.journey_id for e in entries],
        [e.causation_id for e in entries],
        [e.said_at for e in entries],
        ["{" + ",".join(map(str, e.audience)) + "}" for e in entries],
        ["{" + ",".join(e.origins) + "}" for e in entries],
        [e.trip_id for e in entries],
        [e.inn_id for e in entries],
        [e.body for e in entries],
    )


async def count_only_live(tx: Tx, up_to: int) -> int:
    """Count the live feed's events up to a place that no topic holds."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM public.event e WHERE e.feed_id <= $1"
        " AND NOT EXISTS (SELECT FROM seen s WHERE s.event_id = e.event_id)",
        up_to,
    )
    return found


_NEWS: Final = """
SELECT feed_id, event_id, type, service, subject, sequence, tenant_id, journey_id, causation_id,
    said_at, audience, origins, trip_id, inn_id, body
FROM public.event WHERE feed_id > $1 ORDER BY feed_id LIMIT $2
"""


async def read_news(tx: Tx, after: int, limit: int) -> tuple[list[Entry], int]:
    """Give what the live feed has heard after a place, and the place read up to."""
    rows = await tx.fetch(_NEWS, after, limit)
    return [Entry(*list(r.values())[1:]) for r in rows], rows[-1]["feed_id"] if rows else after


async def list_journey_ids(tx: Tx, after: UUID, limit: int) -> list[UUID]:
    """Give the next journeys of which there are facts."""
    rows = await tx.fetch(
        "SELECT DISTINCT journey_id FROM fact WHERE journey_id > $1 ORDER BY 1 LIMIT $2",
        after,
        limit,
    )
    return [r["journey_id"] for r in rows]


async def hold(tx: Tx) -> None:
    """Let the live projection's writers wait from here to commit; its readers go on."""
    # The feed's row first, as its writers take it; then who derives by time alone.
    await tx.execute("SELECT FROM public.feed_position FOR UPDATE")
    await tx.execute("LOCK TABLE public.journey, public.task IN EXCLUSIVE MODE")


# When a state or a task began can't be told from facts: what says the same keeps its moment.
_KEEP: Final = """
UPDATE pg_temp.journey r SET since = l.since FROM public.journey l
WHERE l.journey_id = r.journey_id AND l.state = r.state AND r.state <> 'moving'
    AND l.waiting_for IS NOT DISTINCT FROM r.waiting_for;
UPDATE pg_temp.task r SET opened_at = l.opened_at FROM public.task l
WHERE l.kind = r.kind AND l.subject = r.subject AND l.closed_at IS NULL;
"""
_FEED: Final = """
UPDATE public.event e SET type = m.type, service = m.service, subject = m.subject,
    sequence = m.sequence, tenant_id = m.tenant_id, journey_id = m.journey_id,
    causation_id = m.causation_id, said_at = m.said_at, audience = m.audience,
    origins = m.origins, trip_id = m.trip_id, inn_id = m.inn_id, body = m.body
FROM mended m WHERE m.feed_id = e.feed_id;
UPDATE mended m SET feed_id = p.last_feed_id + n.place
FROM public.feed_position p, (
    SELECT event_id, row_number() OVER (ORDER BY event_id) AS place
    FROM mended WHERE feed_id IS NULL) n
WHERE n.event_id = m.event_id;
INSERT INTO public.event SELECT m.* FROM mended m
WHERE NOT EXISTS (SELECT FROM public.event e WHERE e.feed_id = m.feed_id);
UPDATE public.feed_position
SET last_feed_id = GREATEST(last_feed_id, (SELECT max(feed_id) FROM mended));
"""


async def lay_over(tx: Tx) -> dict[str, int]:
    """Give the live tables whatever differs from those built here; count it by table."""
    await tx.execute(_KEEP)
    mended: int = await tx.fetchval("SELECT count(*) FROM mended")
    if mended:
        await tx.execute(_FEED)
    return {"event": mended} | {name: await _lay_over(tx, name) for name in KEYS}


async def _lay_over(tx: Tx, name: str) -> int:
    # A task that was closed is history; the facts tell only which are open.
    which = "WHERE closed_at IS NULL" if name == "task" else ""
    same = " AND ".join(f"l.{key} = r.{key}" for key in KEYS[name])
    await tx.execute(
        f"CREATE TEMP TABLE changed_{name} ON COMMIT DROP AS"
        f" SELECT * FROM pg_temp.{name} EXCEPT SELECT * FROM public.{name} {which}"
    )
    gone = f"NOT EXISTS (SELECT FROM pg_temp.{name} r WHERE {same})"
    changed = f"EXISTS (SELECT FROM changed_{name} r WHERE {same})"
    if name == "task":
        over = f"UPDATE public.task l SET closed_at = clock_timestamp() {which} AND {gone}"
    else:
        over = f"DELETE FROM public.{name} l WHERE {gone}"
    count = int((await tx.execute(over)).split()[-1])
    await tx.execute(f"DELETE FROM public.{name} l WHERE {changed}")
    written = await tx.execute(f"INSERT INTO public.{name} SELECT * FROM changed_{name}")
    return count + int(written.split()[-1])
