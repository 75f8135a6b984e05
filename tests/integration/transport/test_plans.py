"""Plans over HTTP: the pool, vehicles at hand, and runs that can be scheduled as they stand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from services.transport.planning import Planner
from shared.http import House
from shared.service import Service
from tests.integration.transport.world import (
    FENGQING,
    HANDLERS,
    JIADING,
    SERVICE,
    SOON,
    World,
    a_group,
    a_placement,
    at,
    placed,
    trip_body,
)
from tests.support.http import a_coordinator, an_office, app_client, bearer
from tests.support.postgres import ServiceDb

BODY = {
    "destination_division_code": JIADING,
    "depart_from": at(0).isoformat(),
    "arrive_by": at(24 * 4).isoformat(),
    "vehicles": [{"kind": "coach", "licensed_capacity": 45, "count": 3, "drivers": 2}],
    "minimum_load": 20,
    "seconds_max": 1,
}


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    planner = Planner()
    house.provide(planner)
    try:
        yield
    finally:
        planner.close()


async def test_a_plan_of_the_pool_can_be_scheduled_as_it_stands(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    service = Service("transport", SERVICE.settings, SERVICE.router, HANDLERS, setup=set_up)
    async with app_client(service, db, await a_coordinator(db)) as http:
        world = World(db, http, "")
        early = a_placement(starts_on=SOON + timedelta(days=3))
        too_early = a_placement(starts_on=SOON + timedelta(days=1))
        far = [
            a_placement(boarding_place_code="530921-00", origin_division_code=FENGQING)
            for _ in range(10)
        ]
        everyone = [*a_group(4), *far, *(a_placement() for _ in range(12))]
        _, lost, *_ = await placed(db, early, too_early, *everyone)
        plan = await world.post("plans", BODY)
        assert plan["state"] == "proposed"
        assert plan["unserved"] == {"too_late": [str(lost)]}
        end = f"{JIADING}-00"
        missed = {"stop": end, "rule": "before_work_starts", "booking_ids": [str(lost)]}
        assert plan["missed"] == [missed]
        (run,) = plan["runs"]
        assert run["load"] == 27
        assert len(run["stops"]) == 3
        arrives_at = datetime.fromisoformat(run["stops"][-1]["arrives_at"])
        assert arrives_at < at(72), "the coach is there before the first of them starts work"
        assert plan["totals"]["vehicles"] == 1
        assert plan["county_by_county"]["unserved"] == 28, "neither county fills a coach"

        opens_at = at(30)
        window = {"place_code": "530902-00", "opens_at": opens_at.isoformat()}
        early_way = await world.post("plans", BODY | {"windows": [window]})
        departs = {s["place_code"]: s["departs_at"] for s in early_way["runs"][0]["stops"]}
        leaves_at = datetime.fromisoformat(departs["530902-00"])
        assert leaves_at >= opens_at + timedelta(minutes=20)
        shut = window | {"opens_at": None, "closes_at": at(-1).isoformat()}
        nobody = await world.post("plans", BODY | {"windows": [shut]})
        assert nobody["state"] == "refused"
        (missed,) = nobody["missed"]
        assert (missed["stop"], missed["rule"]) == ("530902-00", "boarding_window")
        counts = {reason: len(ids) for reason, ids in nobody["unserved"].items()}
        assert counts == {"window": 18, "below_minimum": 10}
        vehicle = {"plate": "云S00001", "licensed_capacity": 45, "kind": "coach"}
        body = trip_body(vehicle=vehicle, stops=run["stops"], minimum_load=20)
        made = await world.post("trips", body, 201)
        await placed(db)
        trip = (await http.get(f"/v1/trips/{made['trip_id']}")).json()
        assert (trip["state"], trip["booked_count"]) == ("open", 27)

        refused = await world.post("plans", BODY | {"arrive_by": BODY["depart_from"]}, 422)
        assert refused["errors"][0]["code"] == "times_out_of_order"
        office = bearer(await an_office(db))
        await world.post("plans", BODY, 403, headers=office)


async def test_the_service_as_it_runs_has_its_tickers_and_resources(service_db: ServiceDb) -> None:
    db = await service_db("transport")
    async with app_client("transport", db, await a_coordinator(db)) as http:
        plan = (await http.post("/v1/plans", json=BODY)).json()
        assert plan["runs"] == []
        assert (await http.get("/openapi.json")).status_code == 200
