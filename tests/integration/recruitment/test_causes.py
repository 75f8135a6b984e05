"""What time's rounds say names the fact that they act on as its cause."""

from datetime import timedelta

from contracts.registry import NominationChanged
from services.recruitment.handlers.houserules import HouseRules
from tests.integration.recruitment.world import (
    OFFICE,
    World,
    a_nomination,
    ids,
    ok,
)
from tests.support.http import a_coordinator, an_office, app_client


async def test_the_cause_of_an_offer_is_the_nomination(world: World) -> None:
    drive_id = await world.open_drive({"openings": 2}, acceptance="on_nomination")
    people = [a_nomination(drive_id) for _ in range(3)]
    causes = dict(
        zip((str(p.nomination_id) for p in people), await world.hear_and_name(*people), strict=True)
    )
    await world.rounds()
    said = await world.said("offer-made", "offer-accepted", "placement-confirmed")
    said += await world.said("nomination-unplaced")
    assert len(said) == 2 * 3 + 1
    for fact in said:
        assert fact["cause"] == causes[fact["nomination_id"]], fact["type"]


async def test_the_cause_of_an_offer_of_a_freed_opening_is_the_decline(world: World) -> None:
    office = await an_office(world.db, tenant_id=OFFICE)
    drive_id = await world.open_drive({"openings": 1})
    await world.nominate(*(a_nomination(drive_id) for _ in range(2)))
    (first,) = await world.said("offer-made")
    async with app_client("recruitment", world.db, office) as client:
        await ok(await client.post(f"/v1/offers/{first['offer_id']}/decline"))
    await world.rounds()
    (declined,) = await world.said("offer-declined")
    _, second = await world.said("offer-made")
    assert second["nomination_id"] != first["nomination_id"]
    assert second["cause"] == declined["event_id"]
    last = (await world.said("nomination-unplaced"))[-1]
    assert (last["nomination_id"], last["cause"]) == (first["nomination_id"], declined["event_id"])


async def test_who_is_offered_something_again_after_a_cancellation_has_it_from_there(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"openings": 1}, acceptance="on_nomination")
    await world.post(drive_id, openings=1)
    person = a_nomination(drive_id)
    await world.nominate(person)
    (placement,) = await world.said("placement-confirmed")
    async with app_client("recruitment", world.db, coordinator) as client:
        path = f"/v1/placements/{placement['placement_id']}/cancel"
        await ok(await client.post(path, json={"reason": "unsuitable", "rematch": True}))
    await world.rounds()
    (cancelled,) = await world.said("placement-cancelled")
    _, again = await world.said("placement-confirmed")
    assert again["cause"] == cancelled["event_id"]


async def test_what_changed_last_is_the_cause_and_an_old_one_is_not_named_again(
    world: World,
) -> None:
    coordinator = await a_coordinator(world.db)
    drive_id = await world.open_drive({"requirements": {"certificate_codes": ["TZZY-11"]}})
    person = a_nomination(drive_id)
    await world.nominate(person)
    fields = person.model_dump() | {"certificate_codes": ("TZZY-11",)}
    change = NominationChanged(**fields, changed=("certificate_codes",))
    (changed,) = await world.hear_and_name(change)
    await world.rounds()
    (offer,) = await world.said("offer-made")
    assert offer["cause"] == changed
    # Afterwards nothing that was heard is left to act on: a forced round has its own cause.
    other = a_nomination(drive_id, certificate_codes=())
    (nominated,) = await world.hear_and_name(other)
    await world.rounds()
    await world.post(drive_id)
    async with app_client("recruitment", world.db, coordinator) as client:
        await ok(await client.post(f"/v1/drives/{drive_id}/match"))
    await world.rounds()
    offered = (await world.said("offer-made"))[-1]
    assert offered["nomination_id"] == str(other.nomination_id)
    assert offered["cause"] not in {nominated, changed}


async def test_after_an_offer_expired_the_expiry_is_the_cause_and_time_is_its_own(
    world: World,
) -> None:
    drive_id = await world.open_drive({"openings": 1})
    people = [a_nomination(drive_id) for _ in range(2)]
    heard = await world.hear_and_name(*people)
    brief = HouseRules(offer_stands=timedelta(hours=1))
    await world.rounds(brief)
    await world.advance("2 hours")
    assert await world.expire() == 1
    await world.rounds(brief)
    (expired,) = await world.said("offer-expired")
    first, second = await world.said("offer-made")
    assert second["cause"] == expired["event_id"]
    events = ids(await world.said(), "event_id")
    assert first["cause"] in heard
    assert expired["cause"] not in {*heard, *events}
