"""From a placement and a seat to a bed, and the ways back."""

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.recruitment import PlacementCancelled
from contracts.registry import WorkerErased
from contracts.transport import (
    PassengerBoarded,
    PassengerMissed,
    SeatChanged,
    SeatWaitlisted,
)
from services.lodging.consumers import HANDLERS
from tests.integration.lodging.world import NANXIANG, World, at, site


async def test_a_placement_and_a_seat_become_a_confirmed_bed(world: World) -> None:
    await world.inn([2])
    placement = world.placement()
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["check_in_on"]) == ("requested", world.first_night)
    seat = world.seat(placement)
    await world.hear(seat)
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "confirmed"
    assert stay["expected_at"] == seat.arrives_at
    assert stay["check_out_on"] == world.first_night + timedelta(days=5)
    assert await world.said() == ["stay-requested", "stay-held", "stay-confirmed"]
    (held,) = await world.bodies("stay-held")
    assert held["placement_id"] == str(placement.placement_id)
    assert held["nomination_id"] == str(placement.nomination_id)
    assert held["bed_id"] == str(stay["bed_id"])
    assert "expires_at" not in held


async def test_the_journey_of_a_stay_is_the_nomination_and_its_tenant_the_enterprise(
    world: World,
) -> None:
    await world.inn()
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    for headers in await world.headers():
        assert headers["ce_correlationid"] == str(placement.nomination_id)
        assert headers["ce_tenantid"] == str(world.enterprise_id)
        assert headers["ce_causationid"]


async def test_who_travels_alone_is_expected_the_day_before_the_start(world: World) -> None:
    await world.inn()
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "confirmed"
    assert stay["check_in_on"] == placement.starts_on - timedelta(days=1)
    assert stay["cut_off_at"] == at(stay["check_in_on"], 22)


async def test_an_arrival_before_six_belongs_to_the_night_before(world: World) -> None:
    await world.inn()
    placement = world.placement()
    morning = world.first_night + timedelta(days=1)
    await world.hear(placement, world.seat(placement, arrives_at=at(morning, 5, 59)))
    stay = await world.stay(placement.worker_id)
    assert stay["check_in_on"] == world.first_night
    assert stay["cut_off_at"] == at(morning, 7, 59)


async def test_who_needs_no_bed_gets_no_stay(world: World) -> None:
    await world.inn()
    await world.hear(world.placement(needs_bed=False))
    assert await world.stays() == []


async def test_without_a_standing_commitment_the_bed_is_held_until_it_expires(
    world: World,
) -> None:
    await world.inn()
    await world.withdraw_commitments()
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "held"
    (held,) = await world.bodies("stay-held")
    assert held["expires_at"]


async def test_the_programme_is_that_of_the_standing_commitment_and_nights_what_the_cap_leaves(
    world: World,
) -> None:
    await world.inn()
    placement = world.placement(needs_seat=False, programme=None, nights=None)
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["programme"]) == ("confirmed", "YOUJIA")
    assert (stay["check_out_on"] - stay["check_in_on"]).days == 15


async def test_without_any_commitment_and_programme_the_stay_is_rejected(world: World) -> None:
    await world.inn()
    await world.withdraw_commitments()
    placement = world.placement(needs_seat=False, programme=None)
    await world.hear(placement)
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["rule"]) == ("rejected", "no_programme")


async def test_a_full_house_puts_the_guest_on_the_waitlist_and_a_cancellation_promotes(
    world: World,
) -> None:
    await world.inn([1])
    first, second = world.placement(needs_seat=False), world.placement(needs_seat=False)
    await world.hear(first)
    await world.hear(second)
    assert (await world.stay(second.worker_id))["state"] == "waitlisted"
    await world.hear(world.cancelled(first))
    assert (await world.stay(first.worker_id))["state"] == "released"
    assert (await world.stay(second.worker_id))["state"] == "confirmed"


async def test_without_its_compensation_a_cancelled_placement_goes_on_holding_a_bed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NEGATIVE CONTROL: the cancellation gives the bed back because it is heard, and only so."""
    await world.inn([1])
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    with monkeypatch.context() as deaf:
        deaf.delitem(HANDLERS._by_type, PlacementCancelled.wire_type)
        await world.hear(world.cancelled(placement))
    assert (await world.stay(placement.worker_id))["state"] == "confirmed"
    assert await world.occupied() == 1
    await world.hear(world.cancelled(placement))
    assert (await world.stay(placement.worker_id))["state"] == "released"
    assert await world.occupied() == 0


async def test_a_delay_to_the_next_day_moves_both_dates(world: World) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    late = seat.arrives_at + timedelta(days=1)
    await world.hear(SeatChanged.model_validate({**dict(seat), "arrives_at": late}))
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "confirmed"
    assert stay["check_in_on"] == world.first_night + timedelta(days=1)
    assert stay["check_out_on"] == world.first_night + timedelta(days=6)
    assert (await world.said())[-1] == "stay-changed"


async def test_a_delay_of_some_hours_moves_only_the_cut_off(world: World) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    late = at(world.first_night, 23, 30)
    await world.hear(SeatChanged.model_validate({**dict(seat), "arrives_at": late}))
    stay = await world.stay(placement.worker_id)
    assert stay["check_in_on"] == world.first_night
    assert stay["cut_off_at"] == late + timedelta(hours=2)
    (changed,) = await world.bodies("stay-changed")
    assert changed["expected_at"]


async def test_a_delayed_guest_without_a_free_bed_waits_and_nobody_is_put_out(
    world: World,
) -> None:
    await world.inn([1])
    first = world.placement(nights=1)
    seat = world.seat(first)
    await world.hear(first, seat)
    second = world.placement(
        needs_seat=False, nights=1, starts_on=world.first_night + timedelta(days=2)
    )
    await world.hear(second)
    late = seat.arrives_at + timedelta(days=1)
    await world.hear(SeatChanged.model_validate({**dict(seat), "arrives_at": late}))
    assert (await world.stay(first.worker_id))["state"] == "waitlisted"
    assert (await world.stay(second.worker_id))["state"] == "confirmed"


async def test_a_trip_taken_over_by_a_sister_moves_the_stay(world: World) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    sister = world.seat(placement, arrives_at=seat.arrives_at + timedelta(days=1))
    await world.hear(world.released(seat, rebooked_as=sister.booking_id))
    assert (await world.stay(placement.worker_id))["state"] == "confirmed"
    await world.hear(sister)
    (stay,) = await world.stays(placement.worker_id)
    assert stay["state"] == "confirmed"
    assert stay["booking_id"] == sister.booking_id
    assert stay["check_in_on"] == world.first_night + timedelta(days=1)


async def test_a_cancelled_trip_releases_the_stay_and_a_new_seat_brings_a_new_one(
    world: World,
) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    pooled = SeatWaitlisted.model_validate(
        {**world.seat_values(placement), "reason": "no_trip", "trip_id": None}
    )
    await world.hear(world.released(seat), pooled)
    (stay,) = await world.stays(placement.worker_id)
    assert (stay["state"], stay["reason"]) == ("released", "seat_released")
    again = world.seat(placement, booking_id=pooled.booking_id)
    await world.hear(again)
    _, new = await world.stays(placement.worker_id)
    assert new["state"] == "confirmed"


async def test_a_missed_passenger_loses_the_bed_and_a_late_scan_brings_a_new_stay(
    world: World,
) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    facts = {**dict(seat), "at": seat.departs_at, "stop": seat.board_stop}
    await world.hear(PassengerMissed.model_validate(facts))
    (stay,) = await world.stays(placement.worker_id)
    assert (stay["state"], stay["reason"]) == ("released", "passenger_missed")
    await world.hear(PassengerBoarded.model_validate(facts))
    _, new = await world.stays(placement.worker_id)
    assert new["state"] == "confirmed"


async def test_another_town_moves_the_guest_there(world: World) -> None:
    await world.inn(name="嘉定店")
    await world.inn(place=NANXIANG, name="南翔店")
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    await world.hear(world.changed(placement, site=site(NANXIANG)))
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["inn_town"]) == ("confirmed", NANXIANG[0])
    assert len(await world.stays(placement.worker_id)) == 1
    assert await world.occupied() == 1


async def test_a_guest_keeps_the_bed_until_one_in_the_new_town_is_found(world: World) -> None:
    await world.inn(name="嘉定店")
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    await world.hear(world.changed(placement, site=site(NANXIANG)))
    stay = await world.stay(placement.worker_id)
    assert stay["state"] == "confirmed"
    (changed,) = await world.bodies("stay-changed")
    assert changed["reason"] == "no_bed_in_town"
    await world.inn(place=NANXIANG, name="南翔店")
    await world.settle()
    stay = await world.stay(placement.worker_id)
    assert stay["inn_town"] == NANXIANG[0]
    assert await world.occupied() == 1


async def test_another_enterprise_is_a_new_stay(world: World) -> None:
    await world.inn()
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    other = uuid4()
    await world.list_enterprise(other, "91310114MA1GT0001X")
    await world.hear(world.changed(placement, enterprise_id=other))
    old, new = await world.stays(placement.worker_id)
    assert (old["state"], old["reason"]) == ("released", "enterprise_changed")
    assert (new["state"], new["enterprise_id"]) == ("held", other)


async def test_an_erased_person_loses_the_stay_and_every_fact(world: World) -> None:
    await world.inn()
    placement = world.placement()
    await world.hear(placement, world.seat(placement))
    await world.hear(WorkerErased(worker_id=placement.worker_id))
    stay = await world.stay(placement.worker_id)
    assert (stay["state"], stay["reason"]) == ("released", "erased")
    assert await world.count("placement") == await world.count("booking") == 0


async def test_a_tombstone_before_the_placement_leaves_no_stay(world: World) -> None:
    await world.inn()
    placement = world.placement(needs_seat=False)
    await world.hear(WorkerErased(worker_id=placement.worker_id))
    await world.hear(placement)
    assert await world.stays() == []
    assert await world.count("placement") == 0


async def test_a_cancellation_before_the_placement_leaves_no_stay(world: World) -> None:
    await world.inn()
    placement = world.placement(needs_seat=False)
    await world.hear(world.cancelled(placement))
    await world.hear(placement)
    assert await world.stays() == []


async def test_hearing_everything_twice_changes_nothing(world: World) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement, seat)
    before = await world.said()
    await world.hear(placement)
    await world.hear(seat)
    assert await world.said() == before


async def test_a_delay_told_after_the_boarding_keeps_the_passenger_aboard(world: World) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    aboard = {**dict(seat), "at": seat.departs_at, "stop": seat.board_stop}
    late = seat.arrives_at + timedelta(days=1)
    await world.hear(placement, seat)
    await world.hear(PassengerBoarded.model_validate(aboard))
    await world.hear(SeatChanged.model_validate({**dict(seat), "arrives_at": late}))
    stay = await world.stay(placement.worker_id)
    assert stay["check_in_on"] == world.first_night + timedelta(days=1)
    await world.hear(PassengerMissed.model_validate(aboard))
    assert (await world.stay(placement.worker_id))["state"] == "confirmed"


async def test_a_decision_made_late_grants_as_many_nights_from_tonight_and_keeps_them(
    world: World,
) -> None:
    await world.inn()
    placement = world.placement()
    seat = world.seat(placement)
    await world.hear(placement)
    world.now = at(world.first_night + timedelta(days=2), 9)
    await world.hear(seat)
    stay = await world.stay(placement.worker_id)
    tonight = world.first_night + timedelta(days=2)
    assert (stay["state"], stay["check_in_on"]) == ("confirmed", tonight)
    assert stay["check_out_on"] == tonight + timedelta(days=5)
    await world.hear(seat)
    assert (await world.stay(placement.worker_id))["check_in_on"] == tonight
