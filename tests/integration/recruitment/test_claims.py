"""Openings are never exceeded, whoever asks for them at once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from services.recruitment.handlers.claims import Claim, claim
from services.recruitment.handlers.speech import SYSTEM
from services.recruitment.store import vacancies
from shared.problem import Problem
from shared.transaction import Tx
from tests.integration.recruitment.world import World, a_nomination
from tests.support.http import a_coordinator, app_client

CLAIMS, OPENINGS, RUNS = 200, 50, 20
# As many as the pool has connections really run at once; more would only wait for one.
AT_ONCE = 10


async def claim_all(world: World, people: Sequence[UUID], vacancy_id: UUID) -> list[str]:
    """Claim an opening for everybody at once; give of each `won` or the refusal's code."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(nomination_id: UUID) -> str:
        command = Claim(nomination_id, vacancy_id, timedelta(hours=1))
        async with gate:
            try:
                async with world.db.transaction(role="worker") as tx:
                    await claim(tx, command, SYSTEM)
            except Problem as refusal:
                return refusal.code
        return "won"

    return await asyncio.gather(*(one(p) for p in people))


async def crowd(world: World, drive_id: UUID, size: int) -> list[UUID]:
    """Let persons be nominated whom no round of this drive will ever match."""
    people = [a_nomination(drive_id, birth_year_month="1940-01") for _ in range(size)]
    await world.hear(*people)
    return [p.nomination_id for p in people]


async def test_200_claims_on_50_openings_have_exactly_50_winners_each_time(world: World) -> None:
    """INVARIANT: openings are taken by a condition and a count in one statement."""
    drive_id = await world.open_drive()
    people = await crowd(world, drive_id, CLAIMS)
    for _ in range(RUNS):
        vacancy_id = await world.post(drive_id, openings=OPENINGS)
        outcomes = await claim_all(world, people, vacancy_id)
        assert outcomes.count("won") == OPENINGS
        assert outcomes.count("no_opening") == CLAIMS - OPENINGS
        offers = "SELECT count(*) FROM offer WHERE vacancy_id = $1"
        assert await world.value(offers, vacancy_id) == OPENINGS
    await world.counts()


async def test_with_a_check_before_the_count_and_no_last_line_there_are_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_then_take(tx: Tx, vacancy_id: UUID) -> bool:
        row = await vacancies.get_vacancy(tx, vacancy_id)
        if row["taken_count"] >= row["openings"]:
            return False
        sql = "UPDATE vacancy SET taken_count = $2 WHERE vacancy_id = $1"
        await tx.execute(sql, vacancy_id, row["taken_count"] + 1)
        return True

    monkeypatch.setattr(vacancies, "take_opening", look_then_take)
    conn = await asyncpg.connect(world.superuser_url)
    await conn.execute("ALTER TABLE vacancy DROP CONSTRAINT vacancy_openings")
    await conn.close()
    drive_id = await world.open_drive()
    people = await crowd(world, drive_id, CLAIMS)
    vacancy_id = await world.post(drive_id, openings=OPENINGS)
    outcomes = await claim_all(world, people, vacancy_id)
    assert outcomes.count("won") > OPENINGS


async def test_the_tables_check_alone_keeps_a_careless_command_from_exceeding_openings(
    world: World,
) -> None:
    drive_id = await world.open_drive()
    vacancy_id = await world.post(drive_id, openings=2)
    with pytest.raises(asyncpg.CheckViolationError):
        async with world.db.transaction(role="worker") as tx:
            await vacancies.add_taken(tx, {vacancy_id: 3})


async def test_500_rows_into_120_openings_beside_50_claims_offer_exactly_120(
    world: World,
) -> None:
    drive_id = await world.open_drive(*({"openings": 30} for _ in range(4)))
    vacancy_ids = [r["vacancy_id"] for r in await world.rows("SELECT vacancy_id FROM vacancy")]
    claimers = await crowd(world, drive_id, 50)
    people = [a_nomination(drive_id) for _ in range(500)]
    coordinator = await a_coordinator(world.db)
    async with app_client("recruitment", world.db, coordinator) as client:

        async def post(number: int, nomination_id: UUID) -> int:
            body = {
                "nomination_id": str(nomination_id),
                "vacancy_id": str(vacancy_ids[number % 4]),
            }
            return (await client.post("/v1/offers", json=body)).status_code

        claims = (post(*one) for one in enumerate(claimers))
        _, *statuses = await asyncio.gather(world.nominate(*people), *claims)
    assert set(statuses) <= {201, 409}
    won = statuses.count(201)
    assert won
    await world.rounds()
    counts = await world.counts()
    assert [taken for _, taken, _ in counts] == [30] * 4
    assert len(await world.said("offer-made")) == 120
    of_roster = (
        "SELECT count(*) FROM offer o JOIN nomination n USING (nomination_id)"
        " WHERE n.birth_year_month > '1950'"
    )
    assert await world.value(of_roster) == 120 - won
    reserve = (
        "SELECT count(*) FROM nomination WHERE state = 'waiting' AND unplaced_reason = 'no_opening'"
    )
    assert await world.value(reserve) == 500 - (120 - won)


async def test_of_two_claims_for_one_person_each_counts_once(world: World) -> None:
    drive_id = await world.open_drive(acceptance="on_nomination")
    (person,) = await crowd(world, drive_id, 1)
    first, second = await world.post(drive_id), await world.post(drive_id)

    async def one(vacancy_id: UUID) -> list[str]:
        try:
            return await claim_all(world, [person], vacancy_id)
        except Exception as error:  # noqa: BLE001 (whatever it is, the test tells)
            return [type(error).__name__]

    outcomes = await asyncio.gather(one(first), one(second))
    assert sorted(o for (o,) in outcomes) == ["IllegalStepError", "won"]
    assert await world.value("SELECT count(*) FROM placement") == 1
