"""How fast the console's projection is built anew from the topics, and that it is the same."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from bench.monitor.rig import Rig
from bench.rebuild.seeding import seed, told
from bench.servers import POLL_INTERVAL_S
from stack.rebuild import Rebuilt, rebuild

TIMEOUT_S: Final = 3_600.0
WANTED_PER_S: Final = 2_000.0
#: What tells of each row; where and when the projection wrote it does not count.
TABLES: Final = {
    "event": "event_id, type, service, subject, sequence, tenant_id, journey_id, causation_id,"
    " said_at, audience, origins, trip_id, inn_id, body",
    "thing": "*",
    "trip_tenant": "*",
    "fact": "*",
    # When a state began is known of a row that is there; of a lost one only its last event.
    "journey": "journey_id, worker_id, office_id, enterprise_id, nomination_id, hire_id,"
    " placement_id, drive_id, inn_id, state, waiting_for, service",
    "task": "kind, subject, journey_id, service, worker_id, office_id, enterprise_id, inn_id,"
    " drive_id, due_at",
}
#: What a bad day may do to a projection; each is to be found and mended.
HARMS: Final = (
    "DELETE FROM event WHERE feed_id % 997 = 0",
    "UPDATE event SET body = '{}' WHERE feed_id % 991 = 0",
    "DELETE FROM fact WHERE get_byte(uuid_send(journey_id), 15) = 7",
    "UPDATE fact SET state = 'nothing' WHERE get_byte(uuid_send(journey_id), 15) = 11",
    "UPDATE journey SET state = 'done' WHERE get_byte(uuid_send(journey_id), 15) = 13",
    "UPDATE task SET closed_at = now() WHERE get_byte(uuid_send(journey_id), 15) < 16",
)


def main() -> int:
    """Fill topics, let the console hear them, spoil its tables, and build them anew."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuild", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000, help="1000000 for the whole proof")
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shanhai-bench-") as folder:
        Path(folder).chmod(0o755)
        rig = Rig(Path(folder))
        with rig.running():
            found = asyncio.run(_measure(rig, args.events))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0 if found["same"] and found["events_per_second"] >= WANTED_PER_S else 1


async def _measure(rig: Rig, events: int) -> dict[str, Any]:
    await rig.prepare()
    tenants = {
        kind: [UUID(a.tenant_id) for a in rig.accounts if a.tenant_kind == kind]
        for kind in ("office", "enterprise")
    }
    sent = await seed(rig.kafka.bootstrap_servers, told(events, *tenants.values()))
    print(f"{sent} events are in the topics", flush=True)
    url = rig.postgres.superuser_url("console")
    conn = await asyncpg.connect(url)
    async with rig.console():
        live = await _heard(conn, sent)
        print(f"live: {live:.0f} events/s", flush=True)
        before = await _digests(conn)
        harmed = await _harm(conn)
        spoilt = await _digests(conn)
        found = await rebuild(url, rig.kafka.bootstrap_servers)
    after = await _digests(conn)
    await conn.close()
    differs = [name for name in TABLES if spoilt[name] != before[name]]
    print(f"spoilt: {harmed} rows; {', '.join(differs)} differ")
    return _told(found, live, same=after == before)


def _told(found: Rebuilt, live: float, *, same: bool) -> dict[str, Any]:
    print(
        f"rebuilt: {found.events} events in {found.seconds:.1f} s, {found.per_second:.0f} events/s"
        f" (wanted: {WANTED_PER_S:.0f}); mended {found.mended}\n"
        f"the result {'equals' if same else 'DIFFERS FROM'} the live projection before the harm"
    )
    return found.to_json() | {"live_per_second": live, "same": same}


async def _heard(conn: "asyncpg.Connection", count: int) -> float:
    """Wait until the live projection has heard so many; give its rate."""
    first = await _count(conn)
    began = deadline = time.monotonic()
    deadline += TIMEOUT_S
    known = first
    while (now := await _count(conn)) < count:
        assert time.monotonic() < deadline, f"{now} of {count} events are heard"
        if now == first:
            began, known = time.monotonic(), now
        await asyncio.sleep(POLL_INTERVAL_S)
    return (now - known) / (time.monotonic() - began)


async def _count(conn: "asyncpg.Connection") -> int:
    found: int = await conn.fetchval("SELECT last_feed_id FROM feed_position")
    return found


async def _digests(conn: "asyncpg.Connection") -> Mapping[str, str]:
    """Digest each table, whatever order its rows have."""
    found = {}
    for name, columns in TABLES.items():
        which = "WHERE closed_at IS NULL" if name == "task" else ""
        found[name] = await conn.fetchval(
            "SELECT count(*) || ' ' || sum(hashtextextended(r::text, 0)::numeric)"
            f" FROM (SELECT {columns} FROM {name} {which}) r"
        )
    return found


async def _harm(conn: "asyncpg.Connection") -> int:
    return sum([int((await conn.execute(harm)).split()[-1]) for harm in HARMS])


if __name__ == "__main__":
    sys.exit(main())
