"""What every service has for its operators: health, metrics, invariants, and dead letters."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import StringConstraints

from contracts.fields import Body
from shared import dead_letters
from shared.commands import Answer, rendered
from shared.dead_letters import Decision, Released
from shared.http import Call, House, call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after, page
from shared.problem import AWAY
from shared.telemetry import masked
from shared.ticker import Ticker
from shared.transaction import Tx

PENDING_COUNT_MAX: Final = 100_000
CHECK_INTERVAL_S: Final = 300.0
# What takes longer is not asked for its own sake any more.
CHECK_TIMEOUT: Final = "20s"
_LOG = logging.getLogger("invariants")

ROUTER = APIRouter()
Caller = Annotated[Call, Depends(call)]
Why = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


@ROUTER.get("/livez", include_in_schema=False)
async def livez() -> dict[str, bool]:
    """Tell that the loop turns; nothing else, so that nobody restarts us for somebody's outage."""
    return {"alive": True}


@ROUTER.get("/readyz", include_in_schema=False)
async def readyz(request: Request) -> Response:
    """Tell whether there is progress: the database answers, and no part has come to a stop."""
    vitals = await _vitals(request.app.state.house)
    status = 200 if vitals["ready"] else 503
    return Response(rendered(vitals), status, media_type="application/json")


@ROUTER.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Give Prometheus what this process counts and what its database holds."""
    vitals = await _vitals(request.app.state.house)
    counted = request.app.state.house.metrics
    if vitals["database"]:
        counted.outbox_pending.set(vitals["outbox_pending"])
        counted.outbox_age_s.set(vitals["outbox_age_s"])
        counted.parked.set(vitals["dead_letters"])
    for topic, lag in vitals["lag"].items():
        counted.lag.labels(topic).set(lag["waiting"])
        counted.lag_age_s.labels(topic).set(lag["oldest_s"])
    return Response(generate_latest(counted.registry), media_type=CONTENT_TYPE_LATEST)


async def _vitals(house: House) -> dict[str, Any]:
    vitals: dict[str, Any] = {"service": house.service, "lag": {}} | house.vitals()
    try:
        async with house.db.transaction(role="worker", read_only=True) as tx:
            (found,) = await tx.fetch(_VITALS, PENDING_COUNT_MAX)
    except AWAY:
        vitals["database"] = False
    else:
        vitals |= {"database": True, **found}
    return vitals | {"ready": vitals["database"] and not vitals.get("stalled", False)}


_VITALS = """
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) o) AS outbox_pending,
       COALESCE((SELECT extract(epoch FROM clock_timestamp() - recorded_at)::float8 FROM outbox
                 ORDER BY outbox_id LIMIT 1), 0) AS outbox_age_s,
       (SELECT count(*) FROM dead_letter WHERE state = 'parked') AS dead_letters
"""


#: What must always hold of the plumbing, as a service's own `invariants`: each row is a violation.
INVARIANTS: Final[Mapping[str, str]] = {
    "nothing that was said waits for ever": """
        SELECT event_id::text FROM outbox
        WHERE recorded_at < clock_timestamp() - interval '5 minutes'""",
    "what callers may read has row security forced": """
        SELECT relname::text FROM pg_class c WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
        AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname ~ '_api$'
            AND has_table_privilege(r.oid, c.oid, 'SELECT'))
        """,
    # The newest only: `shanhai check` asks it of all that was ever said.
    "the newest of what was said follow without a gap": """
        SELECT e.subject FROM event_log e
        WHERE e.outbox_id > (SELECT max(outbox_id) - 10000 FROM event_log)
        AND e.topic !~ '[.]dlt$' AND e.sequence > 1 AND NOT EXISTS (SELECT FROM event_log p
            WHERE p.subject = e.subject AND p.sequence = e.sequence - 1)""",
}


def checking(gauge: Gauge, own: Mapping[str, str]) -> Ticker:
    """Give the ticker that asks all invariants and tells how often each is broken (0: it holds)."""

    async def ask(tx: Tx) -> int:
        await tx.execute("SELECT set_config('statement_timeout', $1, true)", CHECK_TIMEOUT)
        for name, sql in {**INVARIANTS, **own}.items():
            broken = await tx.fetchval(f"SELECT count(*) FROM ({sql}) broken")
            gauge.labels(name).set(broken)
            if broken:
                _LOG.error("invariant broken %d times: %s", broken, name)
        return 0

    return Ticker("check-invariants", CHECK_INTERVAL_S, ask)


@ROUTER.get("/v1/lag")
async def lag(caller: Caller) -> Response:
    """List by topic how many records wait for this service, and the oldest one's age in seconds."""
    caller.require(tenant_kinds={"auditor"}, roles={"coordinator", "admin"})
    waiting = caller.house.vitals().get("lag", {})
    items = [{"topic": topic, **lag} for topic, lag in waiting.items()]
    return Response(rendered({"items": items, "next_cursor": None}), media_type="application/json")


class Discarding(Body):
    """Why a record is given up."""

    reason: Why


@ROUTER.get("/v1/dead-letters")
async def list_dead_letters(
    caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List what is parked, oldest first, without its content."""
    caller.require(tenant_kinds={"auditor"}, roles={"coordinator", "admin"})
    (last,) = after(cursor, UUID)

    async def view(tx: Tx) -> object:
        rows = await dead_letters.list_parked(tx, limit=limit + 1, after=last)
        return page(rows, limit, "dead_letter_id")

    return await caller.query(view)


@ROUTER.get("/v1/dead-letters/{dead_letter_id}")
async def show_dead_letter(dead_letter_id: UUID, caller: Caller) -> Response:
    """Show one with its content, which anybody may have written: to coordinators only."""
    caller.require(roles={"coordinator", "admin"})
    return await caller.query(partial(_show, dead_letter_id))


async def _show(dead_letter_id: UUID, tx: Tx) -> object:
    found = await dead_letters.get(tx, dead_letter_id)
    headers = {name: value and masked(value) for name, value in found["headers"].items()}
    return {**found, "headers": headers, "body": masked(found["body"])}


@ROUTER.post("/v1/dead-letters/{dead_letter_id}/replay")
async def replay(dead_letter_id: UUID, caller: Caller) -> Response:
    """Let it and those behind it take effect now; `state` is still `parked` when it fails again."""
    caller.require(roles={"coordinator"})
    decision = Decision(caller.identity.account_id, "replay")
    return await caller.command(partial(_replay, caller.house, dead_letter_id, decision))


async def _replay(house: House, dead_letter_id: UUID, decision: Decision, tx: Tx) -> Answer:
    await tx.as_worker()
    released = await dead_letters.replay(tx, house.handlers, dead_letter_id, decision)
    state = "parked" if released.count == 0 and released.stopped_by else "replayed"
    return _told(dead_letter_id, state, released)


@ROUTER.post("/v1/dead-letters/{dead_letter_id}/discard")
async def discard(dead_letter_id: UUID, body: Discarding, caller: Caller) -> Response:
    """Give it up for good; those that waited behind it go on."""
    caller.require(roles={"coordinator"})
    decision = Decision(caller.identity.account_id, body.reason)
    return await caller.command(partial(_discard, caller.house, dead_letter_id, decision))


async def _discard(house: House, dead_letter_id: UUID, decision: Decision, tx: Tx) -> Answer:
    await tx.as_worker()
    released = await dead_letters.discard(tx, house.handlers, dead_letter_id, decision)
    return _told(dead_letter_id, "discarded", released)


def _told(dead_letter_id: UUID, state: str, released: Released) -> Answer:
    stopped_by = released.stopped_by._asdict() if released.stopped_by else None
    return Answer(200, {
        "dead_letter_id": dead_letter_id, "state": state, "released_count": released.count,
        "stopped_by": stopped_by,
    })  # fmt: skip
