"""Offices report from what was heard: whole to themselves, small groups hidden from the others."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.registry.domain import Group, transfers_shown
from shared.identity import Identity
from shared.ids import Ids
from tests.integration.registry.told import DAY, Way
from tests.integration.registry.world import Registry
from tests.support.http import an_auditor, an_enterprise, an_inn, an_office
from tests.support.rosters import a_table, persons, xlsx

ENTERPRISE = Ids().uuid7()


async def placed(
    registry: Registry, office: Identity, *, lifted: int, others: int, site: str = "310114"
) -> list[Way]:
    """Nominate persons, some lifted out of poverty, and confirm a job at the site for each."""
    rows = [
        row | {"是否脱贫劳动力": "是" if i < lifted else "否"}
        for i, row in enumerate(persons(lifted + others))
    ]
    batch = await registry.imported(office, xlsx(a_table(*rows)))
    said = [s.body for s in await registry.said("worker-nominated")]
    ways = [Way(b, ENTERPRISE) for b in said if b["batch_id"] == batch["batch_id"]]
    for way in ways:
        confirmed = way.confirmed()
        where = confirmed.site.model_copy(update={"division_code": site})
        await registry.hear(confirmed.model_copy(update={"site": where}))
    return ways


async def figures(registry: Registry, who: Identity, **asked: object) -> list[dict[str, Any]]:
    query = "&".join(f"{k}={v}" for k, v in asked.items())
    found: list[dict[str, Any]] = (await registry.get(who, f"/v1/statistics?{query}"))["items"]
    return found


async def test_an_office_counts_whoever_started_by_the_day_and_where(
    registry: Registry, office: Identity
) -> None:
    ways = await placed(registry, office, lifted=3, others=4)
    assert (await figures(registry, office))[0]["transfer_employment"]["total"] == 0
    await registry.hear(*(way.started() for way in ways[:6]))
    (mine,) = await figures(registry, office, as_of=DAY)
    assert mine["office_id"] == str(office.tenant_id)
    assert mine["transfer_employment"] == {"total": 6, "poverty_lifted": 3}
    assert mine["by_destination"]["outside_province"] == {"total": 6, "poverty_lifted": 3}
    assert mine["by_destination"]["same_county"] == {"total": 0, "poverty_lifted": 0}
    for asked in ({"as_of": DAY - timedelta(1)}, {"as_of": "2028-01-01", "since": "2027-03-02"}):
        (then,) = await figures(registry, office, **asked)
        assert then["transfer_employment"]["total"] == 0


@pytest.mark.parametrize(
    ("site", "destination"),
    [
        ("310114", "outside_province"),
        ("532527", "other_prefecture"),
        ("530921", "other_county"),
        ("530902", "same_county"),
    ],
)
async def test_the_destination_follows_from_the_origins_and_the_sites_codes(
    registry: Registry, office: Identity, site: str, destination: str
) -> None:
    (way,) = await placed(registry, office, lifted=0, others=1, site=site)
    await registry.hear(way.started())
    (mine,) = await figures(registry, office, as_of=DAY)
    counted = {d for d, group in mine["by_destination"].items() if group["total"]}
    assert counted == {destination}


async def test_others_see_no_group_under_five_and_no_way_to_work_one_out(
    registry: Registry, office: Identity
) -> None:
    ways = await placed(registry, office, lifted=3, others=6)
    await registry.hear(*(way.started() for way in ways))
    auditor, other = await an_auditor(registry.db), await an_office(registry.db)
    (seen,) = await figures(registry, auditor, as_of=DAY)
    assert seen["by_destination"]["outside_province"] == {"total": 9, "poverty_lifted": "<5"}
    assert seen["transfer_employment"] == {"total": 9, "poverty_lifted": "<5"}
    (mine,) = await figures(registry, office, as_of=DAY)
    assert mine["transfer_employment"] == {"total": 9, "poverty_lifted": 3}
    (theirs,) = await figures(registry, other, as_of=DAY)
    assert theirs["office_id"] == str(other.tenant_id)
    assert theirs["transfer_employment"]["total"] == 0


async def test_who_is_still_there_counts_for_the_day_it_was_due_and_corrections_show(
    registry: Registry, office: Identity
) -> None:
    ways = await placed(registry, office, lifted=0, others=7)
    await registry.hear(*(way.started() for way in ways))
    due, later = DAY + timedelta(92), DAY + timedelta(120)
    answers = ["retained"] * 5 + ["left", "unknown"]
    await registry.hear(*(w.asked(3, r, due, due) for w, r in zip(ways, answers, strict=True)))
    (then,) = await figures(registry, office, as_of=due)
    assert then["retained_after_months"] == {
        "3": {"checked": 7, "retained": 5, "corrected_since": 0},
        "6": {"checked": 0, "retained": 0, "corrected_since": 0},
    }
    await registry.hear(ways[0].asked(3, "left", due, later))
    (now,) = await figures(registry, office, as_of=due)
    assert now["retained_after_months"]["3"] == {"checked": 7, "retained": 4, "corrected_since": 1}
    for asked in ({"as_of": due - timedelta(1)}, {"as_of": later, "since": due + timedelta(1)}):
        (other,) = await figures(registry, office, **asked)
        assert other["retained_after_months"]["3"]["checked"] == 0
    auditor, stranger = await an_auditor(registry.db), await an_office(registry.db)
    (seen,) = await figures(registry, auditor, as_of=due)
    assert seen["retained_after_months"]["3"] == {
        "checked": 7, "retained": "<5", "corrected_since": "<5",
    }  # fmt: skip
    (theirs,) = await figures(registry, stranger, as_of=due)
    assert theirs["retained_after_months"]["3"]["checked"] == 0


async def test_a_corrected_row_shows_and_an_erased_person_stays_a_number(
    registry: Registry, office: Identity
) -> None:
    (way,) = await placed(registry, office, lifted=0, others=1)
    corrected = persons(1)[0] | {"是否脱贫劳动力": "是", "备注": "更正"}
    await registry.imported(office, xlsx(a_table(corrected)))
    await registry.hear(way.started())
    (mine,) = await figures(registry, office, as_of=DAY)
    assert mine["transfer_employment"] == {"total": 1, "poverty_lifted": 1}
    async with registry.client(office) as client:
        gone = await client.delete(f"/v1/workers/{way.ids['worker_id']}")
        assert gone.status_code == 202
    await registry.tick()
    (mine,) = await figures(registry, office, as_of=DAY)
    assert mine["transfer_employment"] == {"total": 1, "poverty_lifted": 0}


async def test_neither_enterprises_nor_inns_learn_who_was_helped(registry: Registry) -> None:
    for who in (await an_enterprise(registry.db), await an_inn(registry.db)):
        await registry.get(who, "/v1/statistics", status=403)


async def test_a_period_that_ends_before_it_begins_is_refused(
    registry: Registry, office: Identity
) -> None:
    path = f"/v1/statistics?since={DAY}&as_of={date(2026, 1, 1)}"
    await registry.get(office, path, status=422)


def test_a_sum_is_left_out_where_it_would_tell_the_one_hidden_part() -> None:
    groups = {"outside_province": Group(20, 10), "same_county": Group(3, 1)}
    told = transfers_shown(groups, exact=False)  # type: ignore[arg-type]
    assert told["transfer_employment"] == {"total": None, "poverty_lifted": None}
    both = groups | {"other_county": Group(2, 0)}
    told = transfers_shown(both, exact=False)  # type: ignore[arg-type]
    assert told["transfer_employment"] == {"total": 25, "poverty_lifted": 11}


def test_nobody_learns_who_is_left_beside_a_large_group() -> None:
    assert Group(10, 8).shown(exact=False) == {"total": 10, "poverty_lifted": ">5"}
    assert Group(10, 10).shown(exact=False) == {"total": 10, "poverty_lifted": 10}
    assert Group(4, 0).shown(exact=False) == {"total": "<5", "poverty_lifted": "<5"}
    assert Group(4, 1).shown(exact=True) == {"total": 4, "poverty_lifted": 1}
