"""A programme's priorities order who gets a bed when beds are scarce, and decisions say why."""

from datetime import time
from typing import Any
from uuid import uuid4

import pytest

from services.lodging.__main__ import SERVICE
from services.lodging.handlers import guests, look
from services.lodging.handlers.requests import Guest, StayRequest, request_stays
from services.lodging.store import facts
from services.lodging.store.programmes import Rules, put_rules
from services.lodging.views.stays import find_stay
from shared.transaction import Tx
from tests.integration.lodging.test_requests import ask, hired, new_hires
from tests.integration.lodging.world import IDS, USCC, World
from tests.support.http import a_coordinator, app_client


async def rule(world: World, *priorities: str) -> None:
    async with world.tx() as tx:
        await put_rules(tx, "YOUJIA", Rules(90, 15, 30, time(22), list(priorities)))


async def free_one(world: World, holder: Any) -> None:
    await world.act(guests.cancel, holder["stay_id"], "not_needed")
    await world.settle()


async def explained(world: World, stay: Any) -> Any:
    async with world.tx() as tx:
        found: Any = await find_stay(tx, stay["stay_id"])
    return found["decision"]["line"]


async def a_line(world: World) -> tuple[Any, Any, Any]:
    """One bed, its holder, and behind it a long wish that asked before a short one."""
    await world.inn([1])
    (holder,) = await ask(world, await new_hires(world, 1), nights=9)
    (long,) = await ask(world, await new_hires(world, 1), nights=9)
    (short,) = await ask(world, await new_hires(world, 1), nights=2)
    assert (long["state"], short["state"]) == ("waitlisted", "waitlisted")
    return holder, long, short


async def test_the_waitlist_follows_the_programmes_priorities(world: World) -> None:
    await rule(world, "short_stay")
    holder, long, short = await a_line(world)
    await free_one(world, holder)
    assert (await world.stay(short["worker_id"]))["state"] == "confirmed"
    assert (await world.stay(long["worker_id"]))["state"] == "waitlisted"


async def test_without_the_priority_who_asked_first_is_first(world: World) -> None:
    """CONTROL: the same line without the programme's word."""
    holder, long, short = await a_line(world)
    await free_one(world, holder)
    assert (await world.stay(long["worker_id"]))["state"] == "confirmed"
    assert (await world.stay(short["worker_id"]))["state"] == "waitlisted"


async def test_a_first_decision_follows_them_too_and_says_why(world: World) -> None:
    await rule(world, "placement", "check_in")
    await world.inn([1])
    mine = uuid4()
    await world.listen(hired(world, mine))
    async with world.tx() as tx:
        request = StayRequest(
            IDS.uuid7(), world.enterprise_id, "YOUJIA", world.first_night, 5, (Guest(mine),),
            together=False, wait=True, inn_id=None,
        )  # fmt: skip
        await request_stays(tx, request)
    placement = world.placement(needs_seat=False)
    await world.hear(placement)
    placed, direct = await world.stay(placement.worker_id), await world.stay(mine)
    assert (placed["state"], direct["state"]) == ("confirmed", "waitlisted")
    line = await explained(world, placed)
    assert (line["place"], line["of"]) == (1, 2)
    assert [word for word, _ in line["by"]] == ["placement", "check_in", "priority", "time"]
    assert line["by"][0] == ["placement", True]
    assert (await explained(world, direct))["place"] == 2


async def test_a_level_that_falls_while_waiting_moves_the_enterprise_back(world: World) -> None:
    await rule(world, "credit")
    await world.list_enterprise(world.other_id, "91310114MA1GT0001X", "B")
    await world.inn([1])
    (holder,) = await ask(world, await new_hires(world, 1))
    (ours,) = await ask(world, await new_hires(world, 1))
    theirs = world.placement(needs_seat=False, enterprise_id=world.other_id)
    await world.hear(theirs)
    await world.grade("C")
    await free_one(world, holder)
    assert (await world.stay(theirs.worker_id))["state"] == "held"
    assert (await world.stay(ours["worker_id"]))["state"] == "waitlisted"


async def test_of_a_long_line_only_those_who_get_a_bed_are_read_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.inn([2])
    holders = await ask(world, await new_hires(world, 2))
    await ask(world, await new_hires(world, 60))
    read: list[int] = []
    load = facts.load_persons

    async def counted(tx: Tx, workers: Any) -> Any:
        read.append(len(workers))
        return await load(tx, workers)

    monkeypatch.setattr(look.facts, "load_persons", counted)
    await free_one(world, holders[0])
    states = [s["state"] for s in await world.stays()]
    assert states.count("confirmed") == 2
    # The one whose stay was cancelled is nobody's to decide; the one promoted is.
    assert sum(read) == 1


async def test_whom_todays_rules_refuse_makes_room_for_the_next_at_once(world: World) -> None:
    await world.list_enterprise(world.other_id, "91310114MA1GT0001X")
    await world.inn([1])
    (holder,) = await ask(world, await new_hires(world, 1))
    refused = [
        world.placement(needs_seat=False, enterprise_id=world.other_id, priority=5)
        for _ in range(9)
    ]
    await world.hear(*refused)
    (mine,) = await ask(world, await new_hires(world, 1))
    async with world.tx() as tx:
        await tx.execute(
            "UPDATE key_enterprise SET credit_level = 'revoked' WHERE uscc <> $1",
            USCC,
        )
    await free_one(world, holder)
    assert (await world.stay(mine["worker_id"]))["state"] == "confirmed"
    assert {(await world.stay(p.worker_id))["rule"] for p in refused} == {"credit_revoked"}


async def test_words_of_an_order_that_mean_nothing_are_told(world: World) -> None:
    async with app_client(SERVICE, world.db, await a_coordinator(world.db)) as client:
        body = {"priorities": ["credit", "hometown"]}
        answer = await client.put("/v1/programmes/YOUJIA", json=body)
        known = await client.put("/v1/programmes/YOUJIA", json={"priorities": {"credit": 2}})
    assert answer.status_code == 200
    assert answer.json()["unknown_priorities"] == ["hometown"]
    assert answer.json()["priorities"] == ["credit", "hometown"]
    assert "unknown_priorities" not in known.json()


async def test_who_waited_is_promoted_with_the_place_it_had(world: World) -> None:
    holder, long, _ = await a_line(world)
    waiting = await explained(world, long)
    assert (waiting["place"], waiting["of"]) == (1, 1)
    await free_one(world, holder)
    promoted = await explained(world, await world.stay(long["worker_id"]))
    assert (promoted["place"], promoted["of"]) == (1, 2)
