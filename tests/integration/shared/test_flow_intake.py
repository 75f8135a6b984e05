"""What takes effect, what is parked, and who waits behind whom."""

from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from contracts import UPCASTERS
from contracts.registry import WorkerUpdated
from shared import dead_letters
from shared.consumer import Guards, Intake
from shared.dead_letters import Decision, Released
from shared.inbox import Record
from shared.problem import NotFound, WrongState
from tests.support.flow import Listener, a_listener, a_record, a_story, in_a_row, twice
from tests.support.postgres import ServiceDb, Templates

DECISION = Decision(uuid4(), "the test wants it")
V2 = "registry.worker-erased.v2"
#: About the same subjects as what the listener hears.
UNUSED = "registry.worker-updated.v1"


def a_profile(worker_id: UUID) -> bytes:
    told = {"gender": "female", "birth_year_month": "1990-01", "origin_division_code": "530902"}
    return WorkerUpdated.model_validate(told | {"worker_id": worker_id}).to_body()


@pytest_asyncio.fixture
async def listener(service_db: ServiceDb, templates: Templates) -> Listener:
    return await a_listener(await service_db("lodging"), templates)


def intake(listener: Listener, guards: Guards | None = None) -> Intake:
    return Intake(listener.db, listener.handlers, guards or Guards())


async def letters(listener: Listener) -> list[UUID]:
    async with listener.db.transaction(role="worker") as tx:
        return [r["dead_letter_id"] for r in await dead_letters.list_parked(tx, limit=100)]


async def replay(listener: Listener, dead_letter_id: UUID) -> Released:
    async with listener.db.transaction(role="worker") as tx:
        return await dead_letters.replay(tx, listener.handlers, dead_letter_id, DECISION)


async def discard(listener: Listener, dead_letter_id: UUID) -> Released:
    async with listener.db.transaction(role="worker") as tx:
        return await dead_letters.discard(tx, listener.handlers, dead_letter_id, DECISION)


async def sequences(listener: Listener) -> list[int]:
    return [sequence for _, sequence in await listener.effects()]


async def test_the_same_records_again_change_nothing(listener: Listener) -> None:
    records = in_a_row(a_story(5).records)
    await intake(listener).take(records)
    await intake(listener).take(records)
    await intake(listener).take([*records, *records])
    assert await sequences(listener) == [1, 2, 3, 4, 5]
    assert await listener.parked() == []


@pytest.mark.parametrize(
    ("guards", "doubled"),
    [
        (Guards(inbox=False), False),
        (Guards(sequence=False), False),
        (Guards(inbox=False, sequence=False), True),
    ],
)
async def test_either_guard_alone_keeps_an_effect_single_and_without_both_it_doubles(
    listener: Listener, guards: Guards, *, doubled: bool
) -> None:
    records = in_a_row(a_story(3).records)
    await intake(listener, guards).take(records)
    await intake(listener, guards).take(records)
    assert (twice(await listener.effects()) != []) is doubled


async def test_many_keys_are_one_call_and_one_key_is_heard_in_its_order(listener: Listener) -> None:
    stories = [a_story(3) for _ in range(50)]
    await intake(listener).take(in_a_row(r for story in stories for r in story.records))
    effects = await listener.effects()
    assert listener.calls == 3
    for story in stories:
        assert [n for s, n in effects if s == story.subject] == [1, 2, 3]


GARBAGE = {
    "null header": lambda w: a_record(w, 1, ce_id=None),
    "no UTF-8 in a header": lambda w: a_record(w, 1, ce_subject=b"\xff\xfe"),
    "empty header": lambda w: a_record(w, 1, ce_id=b""),
    "no envelope": lambda w: replace(a_record(w, 1), headers=[]),
    "foreign key": lambda w: a_record(w, 1, key=b"somebody else"),
    "no key": lambda w: a_record(w, 1, key=None),
    "foreign source": lambda w: a_record(w, 1, ce_source="/transport"),
    "foreign type": lambda w: a_record(w, 1, ce_type="recruitment.drive-announced.v1"),
    "foreign type that is unknown": lambda w: a_record(w, 1, ce_type="transport.seat-sold.v1"),
    "type of another subject": lambda w: a_record(w, 1, ce_type="registry.worker-hired.v1"),
    "no sequence": lambda w: a_record(w, 1, ce_sequence="0"),
    "header twice": lambda w: replace(
        a_record(w, 1), headers=[*a_record(w, 1).headers, ("ce_id", b"x")]
    ),
    "NUL": lambda w: a_record(w, 1, ce_subject=b"worker/\0", x=b"\0"),
}
BROKEN_BODIES = {
    "no JSON": b"{",
    "no body": None,
    "wrong schema": b'{"worker_id": 7}',
    "a list": b"[]",
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "NaN": b'{"worker_id": NaN}',
    "no UTF-8": b"\xff\xff",
    "nearly 1 MB": b'"' + b"x" * 1_000_000 + b'"',
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_a_broken_envelope_is_parked_and_blocks_nobody(listener: Listener, kind: str) -> None:
    story = a_story(3)
    garbage = GARBAGE[kind](story.worker_id)
    await intake(listener).take(in_a_row([story.records[0], garbage, *story.records[1:]]))
    assert await sequences(listener) == [1, 2, 3]
    assert await listener.parked() == [("broken_envelope", None)]


@pytest.mark.parametrize("kind", BROKEN_BODIES)
async def test_a_broken_body_that_is_next_in_sequence_holds_up_its_subject_alone(
    listener: Listener, kind: str
) -> None:
    story, other = a_story(1), a_story(3)
    broken = a_record(story.worker_id, 2, body=BROKEN_BODIES[kind])
    behind = a_record(story.worker_id, 3)
    await intake(listener).take(in_a_row([*story.records, broken, behind, *other.records]))
    assert await listener.parked() == [("bad_body", 2), ("behind", 3)]
    assert [s for s, _ in await listener.effects()].count(other.subject) == 3
    assert await listener.effect_count() == 4


@pytest.mark.parametrize("sequence", [1, 3, 900])
async def test_a_broken_body_out_of_sequence_blocks_nobody(
    listener: Listener, sequence: int
) -> None:
    story = a_story(4)
    broken = a_record(story.worker_id, sequence, body=b"no JSON")
    await intake(listener).take(in_a_row([story.records[0], broken, *story.records[1:]]))
    assert await sequences(listener) == [1, 2, 3, 4]
    assert await listener.parked() == [("bad_body", sequence)]


async def test_garbage_with_the_id_of_a_good_record_is_parked_and_the_good_one_counts(
    listener: Listener,
) -> None:
    good = a_story(1).records[0]
    await intake(listener).take(in_a_row([good, replace(good, body=b"no JSON")]))
    assert await sequences(listener) == [1]
    assert await listener.parked() == [("bad_body", 1)]


async def test_garbage_that_comes_again_is_parked_once(listener: Listener) -> None:
    worker_id = uuid4()
    records = in_a_row([make(worker_id) for make in GARBAGE.values()])
    for _ in range(3):
        await intake(listener).take(records)
    assert len(await listener.parked()) == len(GARBAGE)


async def test_an_unknown_type_and_a_type_that_nobody_uses_are_two_things(
    listener: Listener,
) -> None:
    story = a_story(3)
    first, second, third = story.records
    unused = a_record(story.worker_id, 2, ce_type=UNUSED, body=a_profile(story.worker_id))
    await intake(listener).take(in_a_row([first, unused, third]))
    assert await sequences(listener) == [1, 3]
    unknown = a_record(story.worker_id, 4, ce_type="registry.worker-praised.v1")
    await intake(listener).take([unknown, second])
    assert await listener.parked() == [("unknown_type", 4)]


async def test_a_forged_record_that_would_be_passed_over_takes_no_number_from_its_subject(
    listener: Listener,
) -> None:
    """INVARIANT: what is only passed over cannot make a record that is heard a repeat."""
    first, second, third = in_a_row(a_story(3).records)
    worker_id = UUID(str(first.key, "ascii"))
    forged = [
        a_record(worker_id, 2, ce_type="registry.worker-batch-submitted.v1"),
        a_record(worker_id, 2, ce_type=UNUSED, body=b"{}"),
        a_record(worker_id, 2, ce_type=UNUSED, body=a_profile(uuid4())),
    ]
    await intake(listener).take([first, *in_a_row(forged, 10), second, third])
    assert await sequences(listener) == [1]
    assert await listener.parked() == [
        ("broken_envelope", None), ("bad_body", 2), ("bad_body", 2), ("beside", 2), ("behind", 3),
    ]  # fmt: skip
    _, junk, foreign, *_ = await letters(listener)
    await discard(listener, junk)
    assert await discard(listener, foreign) == Released(2)
    assert await sequences(listener) == [1, 2, 3]


async def test_a_gap_is_parked_and_closes_by_itself(listener: Listener) -> None:
    one, two, three, four = in_a_row(a_story(4).records)
    await intake(listener).take([one, three, four])
    assert await sequences(listener) == [1]
    assert await listener.parked() == [("gap", 3), ("gap", 4)]
    await intake(listener).take([one, three, four])
    assert await listener.parked() == [("gap", 3), ("gap", 4)]
    await intake(listener).take([two])
    assert await sequences(listener) == [1, 2, 3, 4]
    assert await listener.parked() == []


async def test_one_refused_record_is_found_among_many_and_only_its_subject_waits(
    listener: Listener,
) -> None:
    stories = [a_story(2) for _ in range(60)]
    bad = stories[41]
    listener.refused = {bad.worker_id}
    await intake(listener).take(in_a_row(r for story in stories for r in story.records))
    effects = await listener.effects()
    assert await listener.parked() == [("not_wanted", 1), ("behind", 2)]
    assert bad.subject not in {s for s, _ in effects}
    assert len(effects) == 118
    assert twice(effects) == []


async def test_a_replay_feeds_a_subject_in_order_and_stops_at_the_next_failure(
    listener: Listener,
) -> None:
    story = a_story(3)
    listener.refused = {story.worker_id}
    await intake(listener).take(in_a_row(story.records))
    first, *_ = await letters(listener)
    assert (await replay(listener, first)).stopped_by == ("not_wanted", "the test said so")
    assert await listener.effect_count() == 0
    listener.refused = set()
    assert await replay(listener, first) == Released(3)
    assert await sequences(listener) == [1, 2, 3]
    assert await listener.parked() == []
    with pytest.raises(WrongState):
        await replay(listener, first)
    await intake(listener).take(in_a_row(story.records))
    assert await sequences(listener) == [1, 2, 3]


async def test_discarding_lets_the_later_ones_go_on_and_is_audited(listener: Listener) -> None:
    story = a_story(4)
    broken = a_record(story.worker_id, 2, body=b"no JSON")
    records = in_a_row([story.records[0], broken, *story.records[2:]])
    await intake(listener).take(records)
    first, *_ = await letters(listener)
    assert await discard(listener, first) == Released(2)
    assert await sequences(listener) == [1, 3, 4]
    async with listener.db.transaction(role="worker") as tx:
        kept = await dead_letters.get(tx, first)
    assert (kept["closed_by"], kept["closed_why"]) == (DECISION.account_id, DECISION.why)
    assert kept["state"] == "discarded"
    await intake(listener).take(records)
    assert await sequences(listener) == [1, 3, 4]
    assert await listener.parked() == []


async def test_discarding_ahead_of_ones_turn_is_skipped_over_later(listener: Listener) -> None:
    story = a_story(3)
    listener.refused = {story.worker_id}
    await intake(listener).take(in_a_row(story.records))
    first, second, _ = await letters(listener)
    assert await discard(listener, second) == Released(0)
    listener.refused = set()
    assert await replay(listener, first) == Released(2)
    assert await sequences(listener) == [1, 3]


async def test_a_second_record_with_a_parked_sequence_is_kept_beside_it(listener: Listener) -> None:
    worker_id = uuid4()
    broken, good, later = (
        a_record(worker_id, 1, body=b"no JSON"), a_record(worker_id, 1), a_record(worker_id, 2),
    )  # fmt: skip
    await intake(listener).take(in_a_row([broken, good, later]))
    assert await listener.parked() == [("bad_body", 1), ("beside", 1), ("behind", 2)]
    first, *_ = await letters(listener)
    assert await discard(listener, first) == Released(2)
    assert await sequences(listener) == [1, 2]


async def test_discarding_the_one_beside_leaves_the_first_parked(listener: Listener) -> None:
    worker_id = uuid4()
    await intake(listener).take(
        in_a_row([a_record(worker_id, 1, body=b"no JSON"), a_record(worker_id, 1)])
    )
    _, beside = await letters(listener)
    assert await discard(listener, beside) == Released(0)
    assert await listener.parked() == [("bad_body", 1)]


async def test_a_newer_version_waits_with_all_behind_it_until_the_service_knows_it(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker_id = uuid4()
    newer = a_record(worker_id, 1, ce_type=V2)
    await intake(listener).take(in_a_row([newer, a_record(worker_id, 2)]))
    assert await listener.parked() == [("unknown_version", 1), ("behind", 2)]
    async with listener.db.transaction(role="worker") as tx:
        assert await dead_letters.release_all(tx, listener.handlers) == Released(
            0, ("unknown_version", "version 2 of registry.worker-erased is not known here")
        )
    monkeypatch.setitem(UPCASTERS, V2, ("registry.worker-erased.v1", lambda fields: fields))
    async with listener.db.transaction(role="worker") as tx:
        assert await dead_letters.release_all(tx, listener.handlers) == Released(2)
    assert await sequences(listener) == [1, 2]


async def test_a_gap_cannot_be_replayed_over(listener: Listener) -> None:
    await intake(listener).take([a_record(uuid4(), 2)])
    (only,) = await letters(listener)
    released = await replay(listener, only)
    assert released.count == 0
    assert released.stopped_by
    assert released.stopped_by.reason == "gap"
    assert await listener.parked() == [("gap", 2)]


async def test_nobody_decides_about_what_is_not_there(listener: Listener) -> None:
    for decide in (replay, discard):
        with pytest.raises(NotFound):
            await decide(listener, uuid4())


async def test_a_copy_goes_to_the_dead_letter_topic_and_a_large_body_as_its_digest(
    listener: Listener,
) -> None:
    small = a_record(uuid4(), 1, body=b"no JSON")
    large = a_record(uuid4(), 1, body=b"x" * 100_000)
    await intake(listener).take(in_a_row([small, large]))
    async with listener.db.transaction(role="worker") as tx:
        copies = await tx.fetch("SELECT topic, headers, body FROM outbox ORDER BY outbox_id")
    assert {c["topic"] for c in copies} == {"registry.events.lodging.dlt"}
    assert {c["headers"]["dead_letter_reason"] for c in copies} == {"bad_body"}
    assert sorted(len(c["body"]) for c in copies) == [len(b"no JSON"), 64]


async def test_without_the_database_nothing_is_parked_and_everything_tried_again(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = in_a_row(a_story(2).records)

    async def away(*_: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(listener.handlers, "every", away)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await intake(listener).take(records)
    assert await listener.parked() == []
    await intake(listener).take(records)
    assert await sequences(listener) == [1, 2]


async def test_a_mistake_of_ours_parks_its_record_under_its_name_only(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_: object) -> None:
        raise KeyError("a value of somebody")

    monkeypatch.setattr(listener.handlers, "every", mistaken)
    await intake(listener).take([a_record(uuid4(), 1)])
    (only,) = await letters(listener)
    async with listener.db.transaction(role="worker") as tx:
        found = await dead_letters.get(tx, only)
    assert (found["reason"], found["detail"]) == ("handler_error", "KeyError")


def test_a_record_is_the_same_wherever_it_lies_unless_it_has_no_envelope() -> None:
    from shared.handlers import Handlers
    from shared.inbox import read

    good = a_record(uuid4(), 1)
    nothing = Record(good.topic, 0, 0, None, [], None)
    for record, same in ((good, True), (nothing, False)):
        one, other = (read(Handlers("x"), replace(record, offset=n)) for n in (1, 2))
        assert (one.fingerprint == other.fingerprint) is same
