"""The demo's world is the one of the bulletins, and its rosters are wrong where they mean to be."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from stdnum.cn import uscc

from services.registry.roster.offline import check_file
from stack.demo import world
from stack.demo.rosters import HIRES, ROSTERS, Roster, content
from stack.people import ERRORS

TODAY = date(2026, 3, 2)


def test_there_are_1669_beds_in_19_inns_of_12_towns() -> None:
    inns = world.inn_bodies()
    assert len(inns) == 19
    assert sum(len(room["beds"]) for inn in inns for room in inn["rooms"]) == 1669
    assert len({inn["town"] for inn in inns}) == 12
    assert all(len({r["room"] for r in inn["rooms"]}) == len(inn["rooms"]) for inn in inns)


def test_28_key_enterprises_have_codes_of_their_own_that_are_valid() -> None:
    codes = {enterprise.uscc for enterprise in world.ENTERPRISES}
    assert len(codes) == 28
    assert all(uscc.is_valid(code) for code in codes)


def test_a_train_has_540_seats_and_everything_exceeds_demand_but_the_small_drive() -> None:
    assert world.TRAIN.seats == 540
    rows = Counter({drive.key: 0 for drive in world.DRIVES})
    for roster in ROSTERS:
        rows[str(roster.drive)] += sum(part.count for part in roster.parts)
    for drive in world.DRIVES:
        openings = sum(job.openings for job in drive.jobs)
        assert (openings > rows[drive.key]) == (drive.key != "scarce"), drive.key
    # One coach is cancelled on its day.
    seats = {s.key: s.seats * len(s.plates) for s in world.SERVICES}
    assert seats["train"] > rows["lincang"]
    assert seats["carriages"] > rows["honghe"]
    assert seats["coaches"] - world.COACH_SEATS > rows["fuyang"] + rows["scarce"]
    assert sum(rows.values()) < world.BED_COUNT


def test_the_rosters_come_in_all_formats_and_hold_a_thousand_rows() -> None:
    assert {roster.form for roster in ROSTERS} == {"xlsx", "xls", "csv", "csv-gb18030"}
    assert {roster.account for roster in ROSTERS} == {
        "office-lincang", "office-honghe", "office-fuyang",
    }  # fmt: skip
    assert sum(part.count for roster in ROSTERS for part in roster.parts) >= 1000


@pytest.mark.parametrize("roster", [*ROSTERS, *HIRES], ids=lambda roster: roster.name)
def test_a_roster_is_wrong_in_as_many_rows_as_it_means_to(roster: Roster, tmp_path: Path) -> None:
    path = tmp_path / roster.filename
    path.write_bytes(content(roster, TODAY))
    found = check_file(path, roster.kind, roster.division_code, TODAY)
    faults: Counter[str] = Counter()
    for part in roster.parts:
        faults.update(part.faults)
    assert found["row_count"] == sum(part.count for part in roster.parts)
    assert found["rejected_count"] == sum(n for f, n in faults.items() if f in ERRORS)
    assert found["duplicate_count"] == faults["duplicate_in_file"]


def test_the_same_day_gives_the_same_bytes() -> None:
    assert content(ROSTERS[0], TODAY) == content(ROSTERS[0], TODAY)
    assert content(ROSTERS[0], TODAY) != content(ROSTERS[0], date(2026, 3, 3))
