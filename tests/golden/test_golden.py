"""Whatever a released version said, today's services make the same of it."""

import json
from copy import deepcopy
from datetime import UTC, datetime

import pytest

from contracts import EVENTS, UPCASTERS
from shared.database import Database
from stack.databases import at_database
from stack.topics import HEARS
from tests.golden.record import examples
from tests.golden.release import FRESH_TIME, RELEASES, Release, _Mask, changes, replay
from tests.support.postgres import ServiceDb, Templates

FIRST = RELEASES[0]
HOW_TO = "a projection changed: if it has to, say so in the release and freeze it anew"


async def superuser_url(db: Database, templates: Templates) -> str:
    async with db.transaction(role="worker") as tx:
        name = await tx.fetchval("SELECT current_database()")
    return at_database(templates.server.superuser_url(), name)


@pytest.mark.parametrize("release", RELEASES, ids=lambda one: one.folder.name)
@pytest.mark.parametrize("service", HEARS)
async def test_the_log_of_a_release_makes_the_rows_that_it_made_then(
    release: Release, service: str, service_db: ServiceDb, templates: Templates
) -> None:
    """INVARIANT: history can be heard again by every later version, to the same end."""
    db = await service_db(service)
    found = await replay(service, db, await superuser_url(db, templates), release.records())
    assert changes(release.rows()[service], found) == [], HOW_TO


async def test_an_event_less_makes_other_rows(service_db: ServiceDb, templates: Templates) -> None:
    """The negative control: the comparison sees a single event."""
    db = await service_db("registry")
    log = [r for r in FIRST.records() if dict(r.headers)["ce_type"] != b"transport.trip-delayed.v1"]
    found = await replay("registry", db, await superuser_url(db, templates), log)
    assert changes(FIRST.rows()["registry"], found) != []


def test_a_changed_value_is_seen_and_a_column_that_came_later_is_none() -> None:
    before = FIRST.rows()["registry"]
    later = deepcopy(before)
    for row in later["heard_trip"]:
        row["colour"] = "blue"
    assert changes(before, later | {"new_table": [{"a": 1}]}) == []
    later["heard_trip"][0]["trip_id"] = "another"
    assert len(changes(before, later)) == 2
    assert changes(before, before | {"heard_trip": []}) != []


def test_a_log_that_was_said_just_now_keeps_its_times() -> None:
    (record, *_) = examples()
    said_at = dict(record.headers)["ce_time"]
    at, fresh = (said_at or b"").decode(), datetime.now(UTC).isoformat()
    mask = _Mask([record], datetime.now(UTC))
    told = json.dumps({"said": at, "noted": fresh})
    assert mask.row(told) == {"said": at, "noted": FRESH_TIME}


@pytest.mark.parametrize("release", RELEASES, ids=lambda one: one.folder.name)
def test_what_a_release_said_can_be_read_for_ever(release: Release) -> None:
    said = {(dict(one.headers)["ce_type"] or b"").decode() for one in release.records()}
    assert said <= {*EVENTS, *UPCASTERS}


def test_every_event_that_there_is_is_in_the_log_of_the_newest_release_or_to_come() -> None:
    """What a release recorded it recorded whole: the examples of today are all of today's types."""
    assert {(dict(r.headers)["ce_type"] or b"").decode() for r in examples()} == {*EVENTS}
    types = {(dict(r.headers)["ce_type"] or b"").decode() for r in RELEASES[-1].records()}
    assert len(types) >= 59


def test_no_frozen_log_holds_a_name_of_a_person_or_a_number_of_one() -> None:
    for release in RELEASES:
        text = json.dumps([(r.body or b"").decode() for r in release.records()])
        assert "id_number" not in text
        assert "phone" not in text
