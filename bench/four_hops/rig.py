"""What a round needs: databases, topics, seeds, one process per hop, and a stopwatch."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.four_hops import plain
from bench.four_hops.hops import FIRST, HOPS, LAST, Hop, nominated
from bench.servers import Servers
from contracts import OWNER_TENANT_ID, Envelope
from shared.clock import real_now
from shared.ids import Ids
from stack import topics
from stack.databases import at_database, provision

VERSIONS = ("plain", "over_shared", "bare")
ROUND_TIMEOUT_S = 600.0
POLL_INTERVAL_S = 0.1
# Members join, caches fill: nothing of it is measured.
WARM_UP_JOURNEYS = 50


@dataclass(frozen=True)
class Result:
    """A round of one version: how many journeys in how long, and at how much CPU."""

    version: str
    journeys: int
    seconds: float
    cpu_ms: float

    @property
    def per_second(self) -> float:
        """Journeys a second, from the first effect of the first hop to the last of the last."""
        return self.journeys / self.seconds


class Rig(Servers):
    """Real servers on a folder of their own, with a database per hop and version."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._urls: dict[tuple[str, str], str] = {}

    async def prepare(self) -> None:
        """Make databases and topics of all versions."""
        superuser = self.postgres.superuser_url()
        names = [f"{_prefix(v)}{hop.source}.events" for v in VERSIONS for hop in HOPS] + [
            f"{LAST.service}.events"
        ]
        made = [topics.Topic(name) for name in sorted(set(names))]
        await topics.create(self.kafka.bootstrap_servers, made)
        for hop in HOPS:
            self._urls["over_shared", hop.service] = await provision(superuser, hop.service)
            await _run(at_database(superuser, hop.service), _effect_table(hop))
            for version in ("plain", "bare"):
                name = f"{version}_{hop.service}"
                await _run(superuser, f"CREATE DATABASE {name}")
                self._urls[version, hop.service] = at_database(superuser, name)
                await _run(at_database(superuser, name), plain.SCHEMA)

    async def round(self, version: str, journeys: int) -> Result:
        """Send journeys through the hops of a version, and wait for the last one."""
        first, last = [await asyncpg.connect(self._at(version, h)) for h in (FIRST, LAST)]
        before = await last.fetchval("SELECT count(*) FROM hop_effect")
        async with self._hops(version) as processes:
            await self._seed(version, WARM_UP_JOURNEYS)
            await _until(last, before + WARM_UP_JOURNEYS, processes)
            # All seeds lie there before the first hop sees one: seeding isn't measured.
            processes[0].send_signal(signal.SIGSTOP)
            await self._seed(version, journeys)
            begun = await first.fetchval("SELECT clock_timestamp()")
            cpu = self.cpu_s(p.pid for p in processes)
            processes[0].send_signal(signal.SIGCONT)
            await _until(last, before + WARM_UP_JOURNEYS + journeys, processes)
            cpu = self.cpu_s(p.pid for p in processes) - cpu
        start = await first.fetchval("SELECT min(at) FROM hop_effect WHERE at > $1", begun)
        end = await last.fetchval("SELECT max(at) FROM hop_effect")
        for conn in (first, last):
            await conn.close()
        seconds = (end - start).total_seconds()
        return Result(version, journeys, seconds, 1000 * cpu / journeys)

    def _at(self, version: str, hop: Hop) -> str:
        name = hop.service if version == "over_shared" else f"{version}_{hop.service}"
        return self.postgres.superuser_url(name)

    async def _seed(self, version: str, journeys: int) -> None:
        ids = Ids()
        producer = AIOKafkaProducer(
            bootstrap_servers=self.kafka.bootstrap_servers, linger_ms=20, max_batch_size=512 * 1024
        )
        await producer.start()
        topic = f"{_prefix(version)}{FIRST.source}.events"
        sent = []
        for _ in range(journeys):
            event = nominated(ids)
            envelope = Envelope(
                id=ids.uuid7(), type=event.wire_type, source=f"/{event.service}",
                subject=event.subject, sequence=1, tenant_id=OWNER_TENANT_ID,
                correlation_id=ids.uuid7(), causation_id=None, time=real_now(),
            )  # fmt: skip
            key = event.aggregate_id.encode()
            headers = envelope.to_headers()
            sent.append(await producer.send(topic, event.to_body(), key, headers=headers))
        await asyncio.gather(*sent)
        await producer.stop()

    @asynccontextmanager
    async def _hops(self, version: str) -> AsyncIterator[list[subprocess.Popen[bytes]]]:
        processes = [self._hop(version, hop) for hop in HOPS]
        try:
            yield processes
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                await asyncio.to_thread(process.wait)

    def _hop(self, version: str, hop: Hop) -> subprocess.Popen[bytes]:
        url, servers = self._urls[version, hop.service], self.kafka.bootstrap_servers
        words = ["hop", version, hop.service, url, servers, _prefix(version)]
        command = [sys.executable, "-m", "bench.four_hops", *words]
        return subprocess.Popen(command)  # noqa: S603 (ourselves)


def _prefix(version: str) -> str:
    return "" if version == "over_shared" else f"{version}."


def _effect_table(hop: Hop) -> str:
    return f"""
    CREATE TABLE hop_effect (
        event_id uuid, journey_id uuid, at timestamptz DEFAULT clock_timestamp());
    GRANT ALL ON hop_effect TO {hop.service}_worker;
    """


async def _run(url: str, sql: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(sql)
    finally:
        await conn.close()


async def _until(
    conn: asyncpg.Connection, wanted: int, processes: list[subprocess.Popen[bytes]]
) -> None:
    deadline = time.monotonic() + ROUND_TIMEOUT_S
    while (found := await conn.fetchval("SELECT count(*) FROM hop_effect")) < wanted:
        assert time.monotonic() < deadline, f"{found} of {wanted} journeys arrived"
        assert all(process.poll() is None for process in processes), "a hop died"
        await asyncio.sleep(POLL_INTERVAL_S)
    assert found == wanted, f"{found} effects of {wanted} journeys: something happened twice"
