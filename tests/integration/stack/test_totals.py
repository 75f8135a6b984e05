"""The totals reconcile whatever happened, and the topics alone give the same ones."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.recruitment import PlacementCancelled
from contracts.transport import SeatWaitlisted
from stack.clock import duration
from stack.demo.report import unbalanced
from stack.plan import Plan
from stack.ports import PortPlan
from stack.recount import Heard, from_topics
from stack.totals import Nomination, Placement, Standing, totals
from stack.trouble import WrongUsageError
from tests.support.events import received
from tests.support.kafka import Broker

PLACEMENT_STATES = ["confirmed", "started", "ended", "cancelled"]
BOOKINGS = [None, "pooled", "waitlisted", "booked", "boarded", "handed_over", "missed", "released"]
STAYS = ["held", "confirmed", "waitlisted", "rejected", "released", "checked_in", "missed"]

nominations = st.builds(
    Nomination,
    st.sampled_from([None, "started", "withdrawn", "erased", "expired", "drive_closed"]),
    st.booleans(),
    st.sampled_from([None, "no_opening", "cancelled"]),
)


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    found = {str(i): draw(nominations) for i in range(draw(st.integers(0, 8)))}
    placements = {}
    for nomination_id in found:
        if draw(st.booleans()):
            placements[f"p{nomination_id}"] = Placement(
                nomination_id,
                draw(st.sampled_from(PLACEMENT_STATES)),
                needs_seat=draw(st.booleans()),
                needs_bed=draw(st.booleans()),
                booking=draw(st.sampled_from(BOOKINGS)),
                stay=draw(st.sampled_from(STAYS)),
            )
    return Standing(found, placements)


@given(standings())
def test_totals_reconcile_whatever_happened(standing: Standing) -> None:
    """INVARIANT: nominated = placed + unplaced + unanswered + withdrawn, and so on down."""
    assert unbalanced(totals(standing)) == []


def test_totals_that_lose_a_person_are_found_out() -> None:
    counted = totals(Standing({"n": Nomination(None, False, "no_opening")}))
    assert unbalanced({**counted, "nominated": 2}) == ["nominated: 2 != 1"]
    assert unbalanced({**counted, "seated": 1}) == ["placed: 0 != 1"]
    assert unbalanced({**counted, "needing_bed": 1}) == ["needing_bed: 1 != 0"]


def test_who_was_placed_again_after_a_withdrawal_counts_once() -> None:
    one = Nomination("withdrawn")
    placed = Placement("n", "started", needs_seat=False, needs_bed=False)
    counted = totals(Standing({"n": one}, {"p": placed}))
    assert (counted["placed"], counted["withdrawn"], counted["started"]) == (1, 0, 1)


async def test_reading_empty_topics_ends_at_once(fresh_kafka: Broker) -> None:
    heard = await from_topics(fresh_kafka.bootstrap_servers)
    assert (heard.counts.total(), heard.garbage) == (0, 0)


def test_a_seat_of_a_placement_that_nobody_knows_stops_no_recount() -> None:
    who = {
        name: uuid4()
        for name in ("worker_id", "office_id", "enterprise_id", "nomination_id", "placement_id")
    }
    heard = Heard()
    for event in (
        SeatWaitlisted(**who, booking_id=uuid4(), reason="full"),
        PlacementCancelled(**who, reason="other", by="office"),
    ):
        headers = received(event).envelope.to_headers()
        heard.take(SimpleNamespace(topic="t", headers=headers, value=event.to_body()))
    counted = totals(heard.standing())
    assert (heard.counts["t"], heard.garbage, counted["placed"]) == (2, 0, 0)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5d", timedelta(days=5)),
        ("12h", timedelta(hours=12)),
        ("1d12h30m", timedelta(days=1, hours=12, minutes=30)),
        ("90s", timedelta(seconds=90)),
    ],
)
def test_a_duration_is_read_as_written(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "5", "d", "-5d", "5w", "5d ", "0s", "99999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(WrongUsageError):
        duration(text)


def test_all_ports_follow_from_one_and_each_can_be_set() -> None:
    ports = PortPlan(9000, {"kafka": 7000, "lodging": 7100})
    assert ports.service("console") == 9000
    assert ports.service("registry", 2) == 9011
    assert ports.service("lodging") == 7100
    assert ports.postgres == 9091
    assert ports.kafka(3).brokers == (7000, 7001, 7002)


@pytest.mark.parametrize("plan", [{"brokers": 2}, {"replicas": 0}, {"ports": PortPlan(80)}])
def test_a_plan_that_cannot_be_is_refused(plan: dict[str, object], tmp_path: object) -> None:
    with pytest.raises(WrongUsageError):
        Plan(tmp_path, **plan)  # type: ignore[arg-type]
