"""A roster becomes jobs, seats and beds, and everybody who counts comes to the same figures."""

import json
import subprocess
import sys

import psutil

from stack.demo.report import unbalanced
from stack.plan import Plan
from stack.services import is_ready
from stack.totals import totals
from tests.e2e.conftest import ACCEPTED, DECLINED, FAULTS, HIRES, Settled


async def test_every_accepted_worker_has_a_job_a_seat_and_a_bed(settled: Settled) -> None:
    campaign, (batch,) = settled.campaigns["large"], settled.batches["large"]
    journeys = await settled.world.journeys(campaign)
    assert batch["accepted_count"] == 60 - sum(FAULTS.values())
    assert {j["state"] for j in journeys} <= {"settled", "waiting"}
    assert {j["waiting_for"] for j in journeys} <= {None, "confirmation"}
    assert len(journeys) == batch["accepted_count"]
    assert all(j["placement_id"] for j in journeys)


async def test_each_row_of_a_roster_is_counted_once(settled: Settled) -> None:
    for batches in settled.batches.values():
        for b in batches:
            outcomes = b["accepted_count"] + b["rejected_count"] + b["duplicate_count"]
            assert b["row_count"] == outcomes
    (large,) = settled.batches["large"]
    assert large["duplicate_count"] == FAULTS["duplicate_in_file"]
    assert large["state"] == "partly_accepted"


async def test_the_totals_reconcile_at_rest(settled: Settled) -> None:
    counted = totals(settled.from_databases)
    accepted = sum(b["accepted_count"] for bs in settled.batches.values() for b in bs)
    assert unbalanced(counted) == []
    assert counted["nominated"] == accepted
    assert counted["unanswered"] == 16 - ACCEPTED - DECLINED
    assert sum(counted["unplaced"].values()) == (24 - 12) + DECLINED
    assert counted["waiting_for_seat"] == 0
    assert counted["waitlisted"] == 2
    assert counted["direct"]["bedded"] == HIRES


async def test_the_rows_say_who_wants_a_seat_and_a_bed(settled: Settled) -> None:
    """INVARIANT: seats and beds are those that the rosters asked for, counted from the files."""
    campaign = settled.campaigns["sister"]
    journeys = await settled.world.journeys(campaign)
    assert len(journeys) == len(campaign.rows)
    placements = await settled.world.all(
        "recruitment", "/v1/placements", drive_id=campaign.drive_id
    )
    assert sum(p["needs_seat"] for p in placements) == sum(bool(r["上车点"]) for r in campaign.rows)
    wanting = sum(r["是否需要住宿"] == "是" for r in campaign.rows)
    assert sum(p["needs_bed"] for p in placements) == wanting


async def test_a_timeline_says_which_placement_a_seat_answers_to(settled: Settled) -> None:
    world = settled.world
    journeys = await world.journeys(settled.campaigns["late"])
    assert journeys
    for journey in journeys:
        path = f"/v1/journeys/{journey['journey_id']}"
        timeline = (await world.coordinator.get("console", path))["events"]
        by_type = {e["type"]: e for e in timeline}
        seat = by_type["transport.seat-booked.v1"]
        placement = by_type["recruitment.placement-confirmed.v1"]
        assert seat["causation_id"] == placement["event_id"]


async def test_http_databases_and_topics_count_the_same(settled: Settled) -> None:
    counted = totals(settled.from_databases)
    assert totals(settled.from_http) == counted
    assert totals(settled.from_topics) == counted


def test_status_shows_a_real_kafka_and_a_real_postgresql(stack: Plan, settled: Settled) -> None:
    command = [sys.executable, "-m", "stack.cli", "status", "--json", "--data", str(stack.data_dir)]
    found = json.loads(subprocess.check_output(command))
    assert found["console"] == stack.ports.url("console")
    assert found["clock_offset_s"] >= 0
    (broker,) = found["kafka"]["processes"]
    assert "kafka.Kafka" in " ".join(psutil.Process(broker["pid"]).cmdline())
    assert "postgres" in psutil.Process(found["postgres"]["pid"]).name()
    assert found["postgres"]["version"].startswith("18")
    assert set(found["postgres"]["databases"]) == set(found["services"]) == set(stack.services)
    for name, service in found["services"].items():
        (process,) = service["processes"]
        assert service["ready"]
        assert f"services.{name}" in psutil.Process(process["pid"]).cmdline()
        assert is_ready(service["url"])
