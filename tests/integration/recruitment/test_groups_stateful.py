"""INVARIANT: whatever happens, in whatever order and however often, no group is partly placed."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.registry import NominationEnded
from services.recruitment.consumers import HANDLERS
from services.recruitment.domain.states import IllegalStepError
from services.recruitment.handlers import claims
from services.recruitment.handlers.speech import SYSTEM
from shared.database import Database
from shared.problem import Problem
from tests.integration.recruitment.world import (
    OTHER_ENTERPRISE,
    World,
    a_group,
    a_nomination,
)
from tests.support.events import heard, received

Step = tuple[str, int]
STEPS: Final = (
    "accept",
    "accept",
    "accept",
    "decline",
    "withdraw",
    "expire",
    "round",
    "end",
    "again",
)
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99)), min_size=3, max_size=25)
drives = st.tuples(st.lists(st.integers(2, 4), min_size=1, max_size=3), st.integers(0, 3))


@dataclass
class Model:
    """What a serial reader of the steps expects: who holds which offer, and who is placed."""

    open: dict[UUID, "Held"] = field(default_factory=dict)
    placed: set[UUID] = field(default_factory=set)
    ended: set[UUID] = field(default_factory=set)

    def learn(self, rows: list[dict[str, Any]]) -> None:
        """Take over the offers that a round has made."""
        for row in rows:
            held = Held(row["nomination_id"], row["set_id"])
            self.open.setdefault(row["offer_id"], held)

    def accept(self, offer_id: UUID) -> None:
        held = self.open[offer_id]
        held.accepted = True
        together = self.partners(held)
        if all(h.accepted for h in together.values()):
            self.placed |= {h.nomination_id for h in together.values()}
            self.drop(together)

    def fall(self, offer_ids: list[UUID]) -> None:
        """End offers, and with one of a group all of it."""
        for offer_id in offer_ids:
            if offer_id in self.open:
                self.drop(self.partners(self.open[offer_id]))

    def partners(self, held: "Held") -> dict[UUID, "Held"]:
        if held.set_id is None:
            return {o: h for o, h in self.open.items() if h is held}
        return {o: h for o, h in self.open.items() if h.set_id == held.set_id}

    def drop(self, offers: dict[UUID, "Held"]) -> None:
        for offer_id in offers:
            del self.open[offer_id]


@dataclass
class Held:
    """An open offer."""

    nomination_id: UUID
    set_id: UUID | None
    accepted: bool = False


class Run:
    """One random drive, played on the database and on the model side by side."""

    def __init__(self, world: World, model: Model, people: list[Any]) -> None:
        self.world, self.model, self.people = world, model, people
        self.heard: list[Any] = []

    async def play(self, step: str, pick: int) -> None:
        match step:
            case "round":
                await self.round()
            case "expire":
                await self.expire()
            case "end":
                await self.end(self.people[pick % len(self.people)])
            case "again":
                await self.hear_again()
            case _:
                await self.answer(step, pick)
        await self.check()

    async def round(self) -> None:
        await self.world.rounds()
        made = await self.world.rows(
            "SELECT offer_id, nomination_id, set_id FROM offer WHERE state = 'made' OR pending"
        )
        self.model.learn(made)

    async def answer(self, step: str, pick: int) -> None:
        waiting = sorted(o for o, h in self.model.open.items() if not h.accepted)
        if not waiting:
            return
        offer_id = waiting[pick % len(waiting)]
        async with self.world.db.transaction(role="worker") as tx:
            if step == "accept":
                await claims.accept_offer(tx, offer_id, SYSTEM)
            elif step == "decline":
                await claims.decline_offer(tx, offer_id, "changed_mind", SYSTEM)
            else:
                await claims.withdraw_offer(tx, offer_id, "unsuitable", SYSTEM)
        if step == "accept":
            self.model.accept(offer_id)
        else:
            self.model.fall([offer_id])
        await self.refuse_again(offer_id)

    async def refuse_again(self, offer_id: UUID) -> None:
        """A second answer is refused and changes nothing."""
        try:
            async with self.world.db.transaction(role="worker") as tx:
                await claims.accept_offer(tx, offer_id, SYSTEM)
        except (IllegalStepError, Problem):
            return
        raise AssertionError("an answered offer was answered again")

    async def expire(self) -> None:
        await self.world.run("UPDATE offer SET expires_at = made_at WHERE state = 'made'")
        await self.world.expire()
        self.model.fall([o for o, h in self.model.open.items() if not h.accepted])

    async def end(self, person: Any) -> None:
        event = received(
            NominationEnded.model_validate(person.model_dump() | {"reason": "withdrawn"})
        )
        self.heard.append(event)
        await heard(self.world.db, HANDLERS, [event])
        nomination_id = person.nomination_id
        self.model.ended.add(nomination_id)
        self.model.placed.discard(nomination_id)
        self.model.fall([o for o, h in self.model.open.items() if h.nomination_id == nomination_id])

    async def hear_again(self) -> None:
        """What was heard before comes again: the effects are idempotent by themselves, too."""
        await heard(self.world.db, HANDLERS, [received(p) for p in self.people])
        if self.heard:
            await heard(self.world.db, HANDLERS, self.heard[-1:])

    async def check(self) -> None:
        """Hold the database against the model and against itself."""
        await self.world.counts()
        placed = await self.world.rows(
            "SELECT nomination_id FROM placement WHERE state = 'confirmed'"
        )
        assert {p["nomination_id"] for p in placed} == self.model.placed
        live = await self.world.rows(
            "SELECT offer_id, pending FROM offer WHERE state = 'made' OR pending"
        )
        assert {r["offer_id"] for r in live} == set(self.model.open)
        assert {r["offer_id"] for r in live if r["pending"]} == {
            o for o, h in self.model.open.items() if h.accepted
        }
        await self.check_groups()

    async def check_groups(self) -> None:
        """All members of an offered set were confirmed at once and in one place, or none was."""
        rows = await self.world.rows(SETS)
        for row in rows:
            assert row["confirmed"] in {0, row["offered"]}, row
            assert row["places"] == 1, row
        sizes = Counter(r["set_id"] for r in rows)
        assert all(n == 1 for n in sizes.values())


SETS = """
SELECT o.set_id, count(*) AS offered, count(p.placement_id) AS confirmed,
    count(DISTINCT (v.enterprise_id, v.site->>'town')) AS places
FROM offer o JOIN vacancy v USING (vacancy_id) LEFT JOIN placement p USING (offer_id)
WHERE o.set_id IS NOT NULL GROUP BY o.set_id
"""


async def play(db: Database, url: str, sizes: list[int], singles: int, script: list[Step]) -> None:
    world = World(db, url)
    random = Random(repr((sizes, singles, script)))
    drive_id = await world.open_drive(
        *({"openings": random.randrange(1, 5)} for _ in range(2)),
        {"openings": random.randrange(1, 5), "enterprise_id": OTHER_ENTERPRISE},
    )
    people = [p for size in sizes for p in a_group(drive_id, size)]
    people += [a_nomination(drive_id) for _ in range(singles)]
    run = Run(world, Model(), people)
    await world.hear(*people)
    await run.play("round", 0)
    for step, pick in script:
        await run.play(step, pick)


def scripts(count: int) -> list[tuple[tuple[list[int], int], list[Step]]]:
    """Draw so many drives, each with what happens in it: the same ones each time."""
    found: list[tuple[tuple[list[int], int], list[Step]]] = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drive=drives, script=steps)
    def draw(drive: tuple[list[int], int], script: list[Step]) -> None:
        found.append((drive, script))

    draw()
    assert len(found) >= count
    return found


@pytest.mark.parametrize("count", [12, pytest.param(120, marks=pytest.mark.slow)])
async def test_no_group_is_ever_partly_placed(world: World, count: int) -> None:
    """The final state equals a serial model's, over random drives on a real PostgreSQL."""
    for (sizes, singles), script in scripts(count):
        await world.forget()
        await play(world.db, world.superuser_url, sizes, singles, script)
    # The scripts were worth playing: groups were placed, and groups fell in every way.
    assert [p for p in await world.said("placement-confirmed") if "group_id" in p]
    withdrawn = await world.said("offer-withdrawn")
    reasons = {w["reason"] for w in withdrawn if "group_id" in w}
    assert reasons >= {"group_incomplete", "nomination_withdrawn", "unsuitable"}
    for kind in ("offer-declined", "offer-expired"):
        assert [o for o in await world.said(kind) if "group_id" in o]
