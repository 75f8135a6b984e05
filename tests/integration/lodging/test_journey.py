"""From a placement and a seat to a bed, and the ways back."""

from tests.integration.lodging.world import World


async def test_a_placement_and_a_seat_become_a_confirmed_bed(world: World) -> None:
    await world.inn([2])
    placement = world.placement()
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "requested"
    assert stay["check_in_on"] == world.first_night
    await world.hear(world.seat(placement))
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "confirmed"
    assert await world.said() == ["stay-requested", "stay-held", "stay-confirmed"]
