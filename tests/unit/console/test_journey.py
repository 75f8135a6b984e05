"""Where a journey stands, from its facts alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.console.domain.fact import Fact, Facts
from services.console.domain.journey import Standing, stand
from services.console.domain.task import due_at, seat_deadline, tasks

START = datetime(2027, 2, 1, 8, tzinfo=UTC)
PLACEMENT, OTHER = uuid4(), uuid4()
STARTS_ON = "2027-03-08"


def a_fact(name: str, minute: int = 0, fact_id: UUID | None = None, **data: Any) -> Fact:
    source, _, rest = name.partition(".")
    noun, _, state = rest.partition(" ")
    at = START + timedelta(minutes=minute)
    return Fact(source, noun, fact_id or uuid4(), state, at, at, data)


def nominated(state: str = "active", **data: Any) -> Fact:
    return a_fact(f"registry.nomination {state}", **data)


def placed(state: str = "confirmed", minute: int = 2, **data: Any) -> Fact:
    wants = {"needs_seat": True, "needs_bed": True, "starts_on": STARTS_ON} | data
    return a_fact(f"recruitment.placement {state}", minute, PLACEMENT, **wants)


def seat(state: str, minute: int = 3, **data: Any) -> Fact:
    return a_fact(f"transport.booking {state}", minute, placement_id=str(PLACEMENT), **data)


def stay(state: str, minute: int = 4, **data: Any) -> Fact:
    return a_fact(f"lodging.stay {state}", minute, placement_id=str(PLACEMENT), **data)


def asked(state: str, **data: Any) -> Fact:
    return a_fact(f"lodging.stay {state}", 5, stay_request_id=str(OTHER), **data)


def of_placement(state: str) -> Fact:
    """A stay that the enterprise asked for itself, for a person whom it has placed."""
    return asked(state, placement_id=str(PLACEMENT))


def offer(state: str, minute: int = 1, **data: Any) -> Fact:
    return a_fact(f"recruitment.offer {state}", minute, **({"acceptance": "by_office"} | data))


def unplaced(reason: str, minute: int = 1) -> Fact:
    return a_fact("recruitment.nomination unplaced", minute, reason=reason)


N = nominated()
ENDED = nominated("ended")
HIRE = a_fact("registry.hire hired")
CANCELLED = placed("cancelled")
STARTED = placed("started")


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ([N], Standing("moving", None, "recruitment")),
        ([N, unplaced("no_vacancy")], Standing("waiting", "vacancy", "recruitment")),
        ([N, unplaced("drive_closed")], Standing("moving", None, "registry")),
        ([ENDED, unplaced("drive_closed")], Standing("done")),
        ([N, offer("made")], Standing("waiting", "answer", "recruitment")),
        ([N, offer("made", acceptance="on_nomination")], Standing("moving", None, "recruitment")),
        ([N, offer("accepted", group_id="g")], Standing("waiting", "answer", "recruitment")),
        ([N, offer("declined")], Standing("moving", None, "recruitment")),
        ([N, placed()], Standing("moving", None, "transport")),
        ([N, placed(), seat("waitlisted", reason="below_minimum")],
         Standing("moving", None, "lodging")),
        ([N, placed(), seat("waitlisted", reason="below_minimum"), stay("requested")],
         Standing("waiting", "minimum_load", "transport")),
        ([N, placed(), seat("waitlisted", reason="full"), stay("requested")],
         Standing("waiting", "seat", "transport")),
        ([N, placed(), seat("booked"), stay("requested")], Standing("moving", None, "lodging")),
        ([N, placed(), seat("booked"), stay("held", expires_at="2027-03-01T00:00:00Z")],
         Standing("waiting", "confirmation", "lodging")),
        ([N, placed(), seat("booked"), stay("waitlisted")], Standing("waiting", "bed", "lodging")),
        ([N, placed(), seat("booked"), stay("rejected")],
         Standing("waiting", "decision", "lodging")),
        ([N, placed(), seat("booked"), stay("confirmed")], Standing("settled")),
        ([N, placed(), seat("booked"), stay("confirmed", reason="no_bed_in_town")],
         Standing("waiting", "decision", "lodging")),
        ([N, placed(), seat("booked"), stay("released", reason="hold_expired")],
         Standing("waiting", "bed", "lodging")),
        ([N, placed(), seat("booked"), stay("rejected"), of_placement("confirmed")],
         Standing("settled")),
        ([N, placed(), seat("booked"), stay("rejected"), of_placement("released")],
         Standing("waiting", "decision", "lodging")),
        ([N, placed(needs_bed=False), seat("booked")], Standing("settled")),
        ([N, placed(needs_seat=False), stay("confirmed")], Standing("settled")),
        ([N, placed(), seat("missed"), stay("released", reason="passenger_missed")],
         Standing("waiting", "decision", "recruitment")),
        ([N, placed(), seat("handed_over", outcome="not_arrived"), stay("confirmed")],
         Standing("waiting", "decision", "recruitment")),
        ([N, placed(), seat("handed_over", outcome="received"), stay("checked_in")],
         Standing("settled")),
        ([N, placed(), seat("released", 3, rebooked_as="b", reason="cancelled")],
         Standing("moving", None, "transport")),
        ([N, placed(), seat("released", 3, reason="cancelled"), seat("booked", 5),
          stay("confirmed")], Standing("settled")),
        ([N, CANCELLED], Standing("moving", None, "recruitment")),
        ([N, CANCELLED, unplaced("cancelled", 2)], Standing("compensated")),
        ([N, CANCELLED, unplaced("cancelled", 2), seat("booked")],
         Standing("moving", None, "transport")),
        ([N, CANCELLED, unplaced("cancelled", 2), seat("released"), stay("confirmed")],
         Standing("moving", None, "lodging")),
        ([N, CANCELLED, unplaced("cancelled", 2), seat("released"), stay("released")],
         Standing("compensated")),
        ([N, CANCELLED, unplaced("no_vacancy", 9)], Standing("waiting", "vacancy", "recruitment")),
        ([N, CANCELLED, offer("made", 9)], Standing("waiting", "answer", "recruitment")),
        ([N, STARTED, seat("handed_over"), stay("checked_in")],
         Standing("moving", None, "registry")),
        ([ENDED, STARTED, seat("handed_over"), stay("checked_in")], Standing("settled")),
        ([ENDED, STARTED, seat("handed_over"), stay("checked_out")], Standing("done")),
        ([ENDED], Standing("done")),
        ([HIRE], Standing("done")),
        ([HIRE, asked("requested")], Standing("moving", None, "lodging")),
        ([HIRE, asked("confirmed")], Standing("settled")),
        ([HIRE, asked("checked_out")], Standing("done")),
        ([HIRE, asked("released")], Standing("compensated")),
        ([ENDED, STARTED, stay("checked_out"), asked("waitlisted")],
         Standing("waiting", "bed", "lodging")),
    ],
)  # fmt: skip
def test_a_journey_stands_where_its_facts_say(facts: list[Fact], standing: Standing) -> None:
    assert stand(Facts.of(facts)) == standing
    assert stand(Facts.of(facts[::-1])) == standing


def kinds(*facts: Fact, now: datetime = START) -> list[str]:
    return [t.kind for t in tasks(Facts.of(facts), now)]


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ([N, offer("made")], "answer_offer"),
        ([N, placed(), seat("booked"), stay("held", expires_at="2027-03-01T00:00:00Z")],
         "confirm_stay"),
        ([N, placed(), seat("booked"), stay("rejected")], "no_bed"),
        ([N, placed(), seat("missed")], "missed_trip"),
        ([N, placed(), seat("handed_over", outcome="left_early")], "not_arrived"),
        ([N, placed(), seat("booked"), stay("missed")], "not_arrived"),
        ([N, placed(), seat("released", 3, reason="cancelled", trip_id="t"),
          seat("waitlisted", 5, reason="no_trip")], "no_seat"),
    ],
)  # fmt: skip
def test_a_task_is_open_as_long_as_its_facts_ask_for_it(facts: list[Fact], kind: str) -> None:
    assert kinds(*facts) == [kind]
    over = [placed("cancelled") if f.noun == "placement" else f for f in facts]
    if kind not in {"answer_offer", "confirm_stay"}:
        assert kinds(*over) == []


@pytest.mark.parametrize(
    ("reason", "kind"), [("next_home_unknown", "next_home"), ("overstayed", "overstay")]
)
def test_a_guest_in_house_without_a_next_home_is_a_task_until_told_or_gone(
    reason: str, kind: str
) -> None:
    placed_one = [ENDED, STARTED, seat("handed_over", outcome="received")]
    assert kinds(*placed_one, stay("checked_in", reason=reason)) == [kind]
    assert kinds(HIRE, asked("checked_in", reason=reason)) == [kind]
    # A cancelled placement puts nobody out of the house.
    assert kinds(N, CANCELLED, stay("checked_in", reason=reason)) == [kind]
    for answer in ("next_home_known", "extended"):
        assert kinds(*placed_one, stay("checked_in", reason=answer)) == []
    assert kinds(*placed_one, stay("checked_out", reason=reason)) == []


def test_a_bed_that_the_enterprise_asks_for_itself_closes_the_task_of_the_one_refused() -> None:
    refused = [N, placed(), seat("booked"), stay("rejected")]
    assert kinds(*refused, of_placement("requested")) == []
    assert kinds(*refused, of_placement("rejected")) == ["no_bed"]
    assert kinds(*refused, of_placement("released")) == ["no_bed"]


def test_an_offer_accepted_by_nomination_asks_nobody() -> None:
    assert kinds(N, offer("made", acceptance="on_nomination")) == []


def test_a_missing_seat_becomes_a_task_at_noon_two_days_before_the_start() -> None:
    facts = [N, placed(), seat("waitlisted", reason="full")]
    deadline = seat_deadline(placed().day("starts_on"))
    assert deadline.isoformat() == "2027-03-06T12:00:00+08:00"
    assert due_at(Facts.of(facts), START) == deadline
    assert kinds(*facts, now=deadline - timedelta(minutes=1)) == []
    assert kinds(*facts, now=deadline) == ["no_seat"]
    assert due_at(Facts.of(facts), deadline) is None
