"""Events twice, late, and in every order that topics allow: the end is the same."""

from random import Random

from contracts import Event
from contracts.registry import NominationChanged, NominationEnded, WorkerErased, WorkerNominated
from tests.integration.recruitment.world import World, a_group, a_nomination, a_validation

STATES = """
SELECT n.nomination_id, n.state, (SELECT count(*) FROM placement p
    WHERE p.nomination_id = n.nomination_id AND p.state = 'confirmed') AS live
FROM nomination n ORDER BY n.nomination_id
"""


def woven(random: Random, lines: list[list[Event]]) -> list[Event]:
    """Weave lines into one: each keeps its order, as the keys of a topic do; some come twice."""
    rest = [list(line) for line in lines]
    found: list[Event] = []
    while any(rest):
        line = random.choice([one for one in rest if one])
        event = line.pop(0)
        found += [event, event] if random.random() < 0.3 else [event]
    return found


def told(person: WorkerNominated, *more: Event) -> list[Event]:
    return [person, *more]


async def test_whatever_the_order_across_keys_the_same_persons_have_a_job_in_the_end(
    world: World,
) -> None:
    for seed in range(15):
        await world.forget()
        drive_id = await world.open_drive({"openings": 20}, acceptance="on_nomination")
        plain, moved, gone, erased = (a_nomination(drive_id) for _ in range(4))
        group = a_group(drive_id, 3)
        changed = moved.model_dump() | {"needs_bed": False, "changed": ("needs_bed",)}
        withdrawn = gone.model_dump() | {"reason": "withdrawn"}
        lines = [
            told(plain),
            told(moved, NominationChanged.model_validate(changed)),
            told(gone, NominationEnded.model_validate(withdrawn)),
            told(erased),
            [WorkerErased(worker_id=erased.worker_id)],
            *([member] for member in group),
            [a_validation(group[0].batch_id, 3)],
        ]
        random = Random(seed)
        events = woven(random, lines)
        while events:
            count = random.randrange(1, 5)
            for event in events[:count]:
                await world.hear(event)
            events = events[count:]
            await world.rounds()
        states = {r["nomination_id"]: (r["state"], r["live"]) for r in await world.rows(STATES)}
        expected = {p.nomination_id: ("placed", 1) for p in (plain, moved, *group)}
        expected |= {p.nomination_id: ("ended", 0) for p in (gone, erased)}
        assert states == expected, seed
        beds = "SELECT needs_bed FROM placement WHERE nomination_id = $1 AND state = 'confirmed'"
        assert await world.value(beds, moved.nomination_id) is False
        together = "SELECT DISTINCT group_placed_count FROM placement WHERE group_id IS NOT NULL"
        assert await world.rows(together) == [{"group_placed_count": 3}]
        assert await world.counts() == [(20, 5, 5)]
