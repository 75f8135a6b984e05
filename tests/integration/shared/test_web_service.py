"""A service as a process: it starts without Kafka, tells how it is, and ends in good order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts import Event
from contracts.console import TenantRegistered
from shared.database import Database
from stack.databases import at_database
from stack.postgres import Postgres
from tests.support.desk import SERVICE, desk
from tests.support.events import received
from tests.support.flow import DEADLINE_S
from tests.support.http import a_coordinator, an_auditor, an_office, app_client, bearer
from tests.support.issuer import Issuer
from tests.support.kafka import Broker
from tests.support.ports import free_port
from tests.support.postgres import Templates

__all__ = ["desk"]


@asynccontextmanager
async def a_process(url: str, *words: str, **env: str) -> AsyncIterator[tuple[Any, str]]:
    """Run the desk as a process of its own, without Kafka; killed at the end if still there."""
    port = free_port()
    told = os.environ | {
        "LODGING_DATABASE_URL": url,
        "LODGING_HTTP_PORT": str(port),
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "SHANHAI_CONSOLE_URL": f"http://127.0.0.1:{free_port()}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.desk", *words,
        env=told | env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def answer_of(url: str, status: int, deadline_s: float = DEADLINE_S) -> httpx2.Response:
    """Ask until this status comes."""
    async with asyncio.timeout(deadline_s), httpx2.AsyncClient() as client:
        while True:
            try:
                answer = await client.get(url)
                if answer.status_code == status:
                    return answer
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.05)


async def ended(process: Any, deadline_s: float = DEADLINE_S) -> tuple[int, str]:
    async with asyncio.timeout(deadline_s):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.parametrize("role", ["all", "api", "worker"])
async def test_it_is_up_and_ready_without_kafka_and_ends_with_0_when_told_to(
    templates: Templates, role: str
) -> None:
    _, url = await templates.fresh("lodging")
    async with a_process(url, "--role", role) as (process, place):
        ready = (await answer_of(f"{place}/readyz", 200)).json()
        assert (ready["ready"], ready["database"], ready["outbox_pending"]) == (True, True, 0)
        assert (await answer_of(f"{place}/livez", 200)).json() == {"alive": True}
        assert "shanhai_outbox_pending 0.0" in (await answer_of(f"{place}/metrics", 200)).text
        status = 404 if role == "worker" else 401
        await answer_of(f"{place}/v1/notes", status)
        process.send_signal(signal.SIGTERM)
        code, out = await ended(process)
    assert code == 0
    assert "Traceback" not in out


async def test_without_kafka_commands_are_accepted_and_wait_in_the_outbox(
    templates: Templates,
) -> None:
    issuer = Issuer()
    issuer.add_key("k1")
    _, url = await templates.fresh("lodging")
    async with (
        await issuer.serve(),
        a_process(url, SHANHAI_CONSOLE_URL=issuer.url) as (_, place),
        httpx2.AsyncClient(base_url=place) as client,
    ):
        await answer_of(f"{place}/readyz", 200)
        mine = {"Authorization": f"Bearer {issuer.token()}"}
        said = [(await client.post("/v1/notes/say", headers=mine)).status_code for _ in range(3)]
        assert said == [202, 202, 202]
        waiting = (await answer_of(f"{place}/readyz", 200)).json()
    assert waiting["outbox_pending"] == 3


async def test_without_postgresql_it_is_up_but_not_ready(templates: Templates) -> None:
    nowhere = f"postgresql://x:y@127.0.0.1:{free_port()}/z"
    async with a_process(nowhere) as (process, place):
        assert (await answer_of(f"{place}/readyz", 503)).json()["database"] is False
        await answer_of(f"{place}/livez", 200)
        process.send_signal(signal.SIGTERM)
        assert (await ended(process))[0] == 0


async def test_a_moved_clock_stops_it_with_78_but_on_a_local_stack(
    templates: Templates, postgres: Postgres
) -> None:
    name, url = await templates.fresh("lodging")
    superuser: Any = await asyncpg.connect(at_database(postgres.superuser_url(), name))
    await superuser.execute("UPDATE business_clock SET offset_interval = '5 days'")
    await superuser.close()
    async with a_process(url) as (process, _):
        code, out = await ended(process)
        assert code == 78
        assert "SHANHAI_LOCAL_STACK" in out
    async with a_process(url, SHANHAI_LOCAL_STACK="true") as (_, place):
        await answer_of(f"{place}/readyz", 200)


async def test_a_port_in_use_is_one_clear_line(templates: Templates) -> None:
    _, url = await templates.fresh("lodging")
    async with a_process(url) as (_, place):
        await answer_of(f"{place}/livez", 200)
        async with a_process(url, LODGING_HTTP_PORT=place.rpartition(":")[2]) as (second, _):
            code, out = await ended(second)
    assert code == 1
    assert "cannot listen" in out
    assert "Traceback" not in out


async def test_what_is_commanded_reaches_kafka_and_what_the_console_says_is_heard(
    templates: Templates, fresh_kafka: Broker
) -> None:
    """Its own process, a real Kafka and a real PostgreSQL, a token of an issuer, all at once."""
    issuer = Issuer()
    issuer.add_key("k1")
    tenant = uuid4()
    _, url = await templates.fresh("lodging")
    env = {"KAFKA_BOOTSTRAP_SERVERS": fresh_kafka.bootstrap_servers}
    async with (
        await issuer.serve(),
        a_process(url, SHANHAI_CONSOLE_URL=issuer.url, **env) as (_, place),
        httpx2.AsyncClient(base_url=place) as client,
    ):
        await answer_of(f"{place}/readyz", 200)
        mine = {"Authorization": f"Bearer {issuer.token(tenant_id=str(tenant))}"}
        said = await client.post("/v1/notes/say", headers=mine)
        assert said.status_code == 202
        record = await first_record(fresh_kafka, "lodging.events")
        assert record["ce_type"] == "lodging.inn-capacity-changed.v1"
        assert record["ce_causationid"] == said.headers["x-request-id"]
        await tell(fresh_kafka, TenantRegistered(
            tenant_id=tenant, kind="office", name="临沧", division_code="530900", active=False
        ))  # fmt: skip
        async with asyncio.timeout(DEADLINE_S):
            while (await client.post("/v1/notes/say", headers=mine)).status_code != 401:
                pass


async def first_record(kafka: Broker, topic: str) -> dict[str, str]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            record = await consumer.getone()
    finally:
        await consumer.stop()
    return {name: value.decode() for name, value in record.headers}


async def tell(kafka: Broker, event: Event) -> None:
    envelope = received(event).envelope
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(
            f"{event.service}.events", event.to_body(), event.aggregate_id.encode(),
            headers=envelope.to_headers(),
        )  # fmt: skip
    finally:
        await producer.stop()


async def test_dead_letters_are_listed_for_the_bureau_and_decided_by_coordinators(
    desk: Database,
) -> None:
    async with app_client(SERVICE, desk, await a_coordinator(desk)) as client:
        assert (await client.get("/v1/dead-letters")).json() == {"items": [], "next_cursor": None}
        auditor, office = bearer(await an_auditor(desk)), bearer(await an_office(desk))
        assert (await client.get("/v1/dead-letters", headers=auditor)).status_code == 200
        assert (await client.get("/v1/dead-letters", headers=office)).status_code == 403
