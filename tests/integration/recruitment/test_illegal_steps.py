"""What the table of a state machine doesn't allow is refused with a code, and does nothing."""

import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from uuid import UUID

import httpx2
import pytest_asyncio

from services.recruitment.domain.states import DRIVE, OFFER, PLACEMENT, VACANCY, Machine
from tests.integration.recruitment.world import World, a_nomination
from tests.support.http import a_coordinator, app_client

WRONG_STATE = (409, "wrong_state")


@dataclass(frozen=True)
class Scene:
    """One thing of each kind, which the tests put into every state."""

    world: World
    client: httpx2.AsyncClient
    things: Mapping[str, UUID]

    async def put(self, machine: Machine, state: str) -> str:
        """Put the thing into a state, past all commands; give the path of its commands."""
        noun = machine.noun
        others = ", pending = false" if machine is OFFER else ""
        await self.world.run(f"UPDATE {noun} SET state = '{state}'{others}")
        plural = "vacancies" if machine is VACANCY else f"{noun}s"
        return f"/v1/{plural}/{self.things[noun]}"

    async def looks(self) -> list[dict[str, object]]:
        """Give all rows that a command could change, and how much was said."""
        tables = ("drive", "vacancy", "offer", "placement", "nomination", "outbox")
        row = "(SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {0} t) AS {0}"
        counted = ", ".join(row.format(table) for table in tables)
        return await self.world.rows(f"SELECT {counted}")


@pytest_asyncio.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    drive_id = await world.open_drive({}, acceptance="on_nomination")
    await world.nominate(a_nomination(drive_id))
    (placement,) = await world.said("placement-confirmed")
    (offer,) = await world.said("offer-made")
    things = {
        "drive": drive_id,
        "vacancy": UUID(offer["vacancy_id"]),
        "offer": UUID(offer["offer_id"]),
        "placement": UUID(placement["placement_id"]),
    }
    coordinator = await a_coordinator(world.db)
    async with app_client("recruitment", world.db, coordinator) as client:
        yield Scene(world, client, things)


#: What a person may command of each; `fill`, `free`, `expire` and `take_back` are the system's.
COMMANDS = (
    (DRIVE, ("open", "close")),
    (VACANCY, ("withdraw",)),
    (OFFER, ("accept", "decline", "withdraw")),
    (PLACEMENT, ("change", "cancel", "start", "end")),
)


async def test_what_a_table_doesnt_allow_is_refused_with_wrong_state_and_changes_nothing(
    scene: Scene,
) -> None:
    refused = 0
    for machine, commands in COMMANDS:
        states = sorted({machine.first, *machine.steps.values()})
        for state, command in itertools.product(states, commands):
            if machine.allows(state, command):
                continue
            path = await scene.put(machine, state)
            before = await scene.looks()
            answer = await scene.client.post(f"{path}/{command}", json={})
            told = (answer.status_code, answer.json()["code"])
            assert told == WRONG_STATE, (machine.noun, state, command, answer.text)
            assert await scene.looks() == before, (machine.noun, state, command)
            refused += 1
    assert refused == 3 + 1 + 12 + 12


async def test_the_same_command_twice_is_done_once(scene: Scene) -> None:
    path = await scene.put(PLACEMENT, "confirmed")
    first = await scene.client.post(f"{path}/cancel", json={"reason": "illness"})
    second = await scene.client.post(f"{path}/cancel", json={"reason": "illness"})
    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == WRONG_STATE
    assert len(await scene.world.said("placement-cancelled")) == 1
