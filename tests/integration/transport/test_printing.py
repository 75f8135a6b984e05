"""Manifests on paper: names from the registry for this run, and tickets nobody can forge."""

import contextlib
import json
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx2
import openpyxl
import pytest

from services.transport.domain.ticket import Ticket, read_ticket
from services.transport.printing import Names
from shared.database import Database
from shared.http import House
from shared.service import Service
from tests.integration.transport.world import (
    HANDLERS,
    OFFICE,
    SERVICE,
    World,
    a_placement,
    a_scan,
    one,
    placed,
)
from tests.support.http import a_coordinator, an_auditor, an_office, app_client, bearer
from tests.support.postgres import ServiceDb

NAME, NUMBER = "试验甲", "53090219990307001X"


class Registry:
    """Answers like the registry, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.status = 200
        self.withheld: set[str] = set()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        ids = [w for w in json.loads(request.content)["worker_ids"] if w not in self.withheld]
        items = [{"worker_id": w, "name": NAME, "resident_id": NUMBER} for w in ids]
        body = {"items": items, "withheld": sorted(self.withheld)}
        return httpx2.Response(self.status, json=body)


@asynccontextmanager
async def printing(db: Database, registry: Registry) -> AsyncIterator[World]:
    @asynccontextmanager
    async def set_up(house: House) -> AsyncIterator[None]:
        transport = httpx2.MockTransport(registry)
        async with httpx2.AsyncClient(transport=transport, base_url="http://registry") as http:
            house.provide(Names(http))
            yield

    service = Service("transport", SERVICE.settings, SERVICE.router, HANDLERS, setup=set_up)
    async with app_client(service, db, await a_coordinator(db)) as http:
        yield World(db, http, "")


async def tables_with(db: Database, text: str) -> list[str]:
    """List the tables in which some row holds a text."""
    async with db.transaction(role="worker") as tx:
        names = await tx.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
        )
        sql = "SELECT count(*) FROM {} t WHERE t::text LIKE '%' || $1 || '%'"
        return [r[0] for r in names if await tx.fetchval(sql.format(r[0]), text)]


def inflated(pdf: bytes) -> bytes:
    """Give a PDF with the streams readable that are only deflated."""
    found = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompress(stream))
    return b"\n".join(found)


async def a_full_trip(world: World, count: int = 3) -> tuple[UUID, list[UUID], list[Any]]:
    trip_id = await world.schedule(minimum_load=1)
    placements = [a_placement() for _ in range(count)]
    return trip_id, await placed(world.db, *placements), placements


async def test_a_workbook_shows_names_that_the_registry_gave_for_this_run(
    service_db: ServiceDb,
) -> None:
    db, registry = await service_db("transport"), Registry()
    async with printing(db, registry) as world:
        trip_id, bookings, placements = await a_full_trip(world)
        registry.withheld = {str(placements[2].worker_id)}
        answer = await world.http.get(f"/v1/trips/{trip_id}/manifest.xlsx")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        (asked,) = registry.asked
        body = json.loads(asked.content)
        assert body["scope"] == {"trip_id": str(trip_id)}
        assert set(body["worker_ids"]) == {str(p.worker_id) for p in placements}
        assert asked.headers["authorization"].startswith("Bearer ")
        sheet = openpyxl.load_workbook(BytesIO(answer.content)).active
        assert sheet is not None
        rows = [[c.value for c in row] for row in sheet.iter_rows()]
        (way,) = [r[2] for r in rows if r[0] == "停靠 Stops"]
        assert [stop.split()[0] for stop in str(way).split(" → ")] == [
            "临翔区客运站", "凤庆县客运站", "嘉定区客运站",
        ]  # fmt: skip
        lines = [r for r in rows if isinstance(r[0], int)]
        assert sorted(r[1] for r in lines) == sorted([NAME, NAME, "（未授权）"])
        assert {r[2] for r in lines} == {NUMBER, ""}
        assert lines[0][3] == "临翔区客运站"
        key = await one(db, "SELECT key FROM ticket_key")
        tickets = [read_ticket(key, r[8]) for r in lines]
        assert {t.booking_id for t in tickets if t} == set(bookings)
        assert await tables_with(db, NAME) == []
        assert "booking" in await tables_with(db, str(bookings[0]))


async def test_a_pdf_is_a4_with_page_x_of_y(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    async with printing(db, Registry()) as world:
        trip_id, _, _ = await a_full_trip(world, 20)
        answer = await world.http.get(f"/v1/trips/{trip_id}/manifest.pdf")
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(b"%PDF-")
        boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", inflated(answer.content))
        assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}
        assert len(boxes) > 1


async def test_the_registry_decides_and_its_outage_is_told(service_db: ServiceDb) -> None:
    db, registry = await service_db("transport"), Registry()
    async with printing(db, registry) as world:
        trip_id, _, _ = await a_full_trip(world)
        path = f"/v1/trips/{trip_id}/manifest.xlsx"
        registry.status = 500
        assert (await world.http.get(path)).status_code == 503
        registry.status = 403
        assert (await world.http.get(path)).status_code == 403
        stranger = bearer(await an_office(db))
        assert (await world.http.get(path, headers=stranger)).status_code == 404
        auditor = bearer(await an_auditor(db))
        assert (await world.http.get(path, headers=auditor)).status_code == 403
        assert len(registry.asked) == 2


async def test_an_office_prints_its_own_people_only(service_db: ServiceDb) -> None:
    db, registry = await service_db("transport"), Registry()
    async with printing(db, registry) as world:
        stranger = await an_office(db)
        trip_id = await world.schedule(minimum_load=1)
        mine = a_placement()
        await placed(db, mine, a_placement(office_id=stranger.tenant_id))
        headers = bearer(await an_office(db, tenant_id=OFFICE))
        answer = await world.http.get(f"/v1/trips/{trip_id}/manifest.xlsx", headers=headers)
        assert answer.status_code == 200
        asked = json.loads(registry.asked[0].content)["worker_ids"]
        assert asked == [str(mine.worker_id)]


@pytest.mark.parametrize("spoil", ["", "forged", "other_trip", "old"])
async def test_a_ticket_of_another_trip_a_forged_and_an_old_one_are_refused(
    service_db: ServiceDb, spoil: str
) -> None:
    db = await service_db("transport")
    async with printing(db, Registry()) as world:
        trip_id, (booking, *_), _ = await a_full_trip(world)
        key = await one(db, "SELECT key FROM ticket_key")
        ticket = Ticket(trip_id, booking, "530902-00", "310114-00").signed(key)
        expected = {"": "boarded", "forged": "forged_ticket", "other_trip": "wrong_trip",
                    "old": "old_version"}[spoil]  # fmt: skip
        if spoil == "forged":
            ticket = Ticket(trip_id, booking, "530902-00", "310114-00").signed(b"another key")
        if spoil == "other_trip":
            other = await world.schedule()
            ticket = Ticket(other, booking, "530902-00", "310114-00").signed(key)
        if spoil == "old":
            await world.post(f"bookings/{booking}/change", {"board_stop": "530921-00"})
        scan = a_scan(booking, ticket=ticket)
        body = await world.post(f"trips/{trip_id}/boarding-scans", [scan])
        assert body["items"][0]["result"] == expected
