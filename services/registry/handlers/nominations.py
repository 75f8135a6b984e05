"""Ends nominations: withdrawn by the office, or by what was heard, or by time."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.registry.domain import NOMINATION_LIFE
from services.registry.handlers.saying import Cause, say_nomination_ended
from services.registry.store import nominations
from shared.commands import Answer
from shared.problem import NotFound, WrongState
from shared.transaction import Tx

_EXPIRED_MAX = 500


async def withdraw_nomination(tx: Tx, nomination_id: UUID) -> Answer:
    """End a nomination because its office no longer offers the person; 409 when it has ended.

    The caller must be able to see it, else 404.
    """
    if await nominations.find_own_nomination(tx, nomination_id) is None:
        raise NotFound
    await tx.as_worker()
    ended = await end_nominations(tx, {nomination_id: None}, "withdrawn")
    if not ended:
        raise WrongState("报送已经结束。The nomination has ended already.")
    return Answer(200, {"nomination_id": nomination_id, "state": "ended", "reason": "withdrawn"})


async def end_nominations(tx: Tx, causes: Mapping[UUID, Cause], reason: str) -> int:
    """End those of these nominations that are active; give how many. Ended ones stay so."""
    if not causes:
        return 0
    live = await nominations.load_nominations_for_update(tx, list(causes))
    return await _end(tx, live, causes, reason)


async def end_of_worker(tx: Tx, worker_id: UUID, office_id: UUID | None) -> int:
    """End a person's nominations because of an erasure: an office's, or (None) anybody's."""
    live = await nominations.load_of_relations_for_update(tx, worker_id, office_id)
    return await _end(tx, live, {}, "erased")


async def expire_nominations(tx: Tx) -> int:
    """End nominations that have been without a live placement for too long; give how many."""
    live = await nominations.load_expired_for_update(tx, NOMINATION_LIFE, _EXPIRED_MAX)
    return await _end(tx, live, {}, "expired")


async def _end(
    tx: Tx, live: Sequence[nominations.Live], causes: Mapping[UUID, Cause], reason: str
) -> int:
    ids = [one.nomination.nomination_id for one in live]
    if ids:
        await nominations.end_nominations(tx, ids, reason)
    for one in live:
        say_nomination_ended(tx, one, reason, causes.get(one.nomination.nomination_id))
    return len(live)
