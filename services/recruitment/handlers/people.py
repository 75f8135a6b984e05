"""What the registry tells of persons: nominated, changed, ended, erased, a batch that is whole."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.registry import NominationFact
from services.recruitment.domain.offer import Closing
from services.recruitment.handlers import placing
from services.recruitment.handlers.offers import end_offers
from services.recruitment.handlers.rounds import MATCH_WITHIN
from services.recruitment.handlers.speech import Because
from services.recruitment.store import batches, marks, nominations, offers, placements
from services.recruitment.store.rows import Row
from shared.transaction import Tx

ERASED = "erased"
# A confirmed placement falls with these; `started` and `drive_closed` leave none to cancel.
_CANCELS: Mapping[str, str] = {
    "withdrawn": "nomination_withdrawn",
    "expired": "nomination_expired",
    "erased": ERASED,
}
NOMINATION_CHANGED = "nomination_changed"


async def nominate(tx: Tx, facts: Sequence[NominationFact], because: Because) -> None:
    """Let persons take part; a round follows at once when their batch is whole, else soon."""
    await nominations.insert_nominations(tx, facts, because.ids())
    await marks.mark_due(tx, {f.drive_id for f in facts}, MATCH_WITHIN)
    await _mark_whole(tx, {f.batch_id for f in facts})


async def validate_batches(tx: Tx, nominated_counts: Mapping[UUID, int]) -> None:
    """Keep how large batches are; a round follows for those of which everybody was heard."""
    await batches.insert_batches(tx, nominated_counts)
    await _mark_whole(tx, nominated_counts)


async def _mark_whole(tx: Tx, batch_ids: set[UUID] | Mapping[UUID, int]) -> None:
    whole = await batches.complete_batches(tx, batch_ids)
    await marks.mark_due(tx, [r["drive_id"] for r in whole], timedelta(0))


async def change(tx: Tx, facts: Sequence[NominationFact], because: Because) -> None:
    """Take over the new whole of nominations; who has a job keeps it, with what has changed."""
    locked = await nominations.load_nominations_for_update(tx, [f.nomination_id for f in facts])
    await nominations.insert_nominations(tx, facts, because.ids())
    moved = [f.nomination_id for f in facts if _moves(f, locked.get(f.nomination_id))]
    await _take_back(tx, dict.fromkeys(moved, NOMINATION_CHANGED), because)
    changed = await nominations.update_nominations(tx, facts, because.ids())
    await _follow(tx, changed, because)
    await marks.mark_due(tx, {f.drive_id for f in facts if f.drive_id is None}, MATCH_WITHIN)


def _moves(fact: NominationFact, row: Row | None) -> bool:
    return row is not None and fact.drive_id is not None and fact.drive_id != row["drive_id"]


async def update_profiles(
    tx: Tx, profiles: Sequence[Mapping[str, Any]], because: Mapping[UUID, Any]
) -> None:
    """Take over persons' new profiles; causes are by worker."""
    workers = [UUID(p["worker_id"]) for p in profiles]
    ids = await nominations.list_nomination_ids_of_workers(tx, workers)
    await nominations.load_nominations_for_update(tx, ids)
    told = [{**p, "cause_id": str(because[UUID(p["worker_id"])].envelope.id)} for p in profiles]
    changed = await nominations.update_profiles(tx, told)
    causes = {r["nomination_id"]: because[r["worker_id"]] for r in changed}
    await _follow(tx, changed, Because(causes=causes))


async def _follow(tx: Tx, changed: Sequence[Any], because: Because) -> None:
    await placing.carry_over(tx, [r for r in changed if r["state"] == "placed"], because)
    waiting = {r["drive_id"] for r in changed if r["state"] == "waiting"}
    await marks.mark_due(tx, waiting, MATCH_WITHIN)


async def end(tx: Tx, reasons: Mapping[UUID, str], because: Because) -> None:
    """End nominations: open offers and placements that haven't started fall with them."""
    await nominations.load_nominations_for_update(tx, reasons)
    await _take_back(
        tx, {n: _CANCELS.get(r, f"nomination_{r}") for n, r in reasons.items()}, because
    )
    live = await placements.list_live_placements(tx, reasons)
    cancelled = {
        p["placement_id"]: _CANCELS[reasons[p["nomination_id"]]]
        for p in live
        if p["state"] == "confirmed" and reasons[p["nomination_id"]] in _CANCELS
    }
    await placing.cancel(tx, cancelled, because)
    await nominations.leave_groups(tx, reasons)
    await nominations.end_nominations(tx, reasons)


async def _take_back(tx: Tx, reasons: Mapping[UUID, str], because: Because) -> None:
    open_offers = await offers.list_open_offers(tx, reasons)
    closings = {
        o.offer_id: Closing("take_back", reasons[o.nomination_id], leaves=True) for o in open_offers
    }
    await end_offers(tx, closings, open_offers, because)


async def erase(tx: Tx, causes: Mapping[UUID, Any]) -> None:
    """Drop persons (causes by worker): all that hangs on them ends, a tombstone stays."""
    workers = list(causes)
    ids = set(await nominations.list_nomination_ids_of_workers(tx, workers))
    ids |= set(await placements.list_nomination_ids_of_live_placements(tx, workers))
    locked = await nominations.load_nominations_for_update(tx, ids)
    by_nomination = {n: causes[locked[n]["worker_id"]] for n in ids}
    because = Because(causes=by_nomination)
    await nominations.erase_workers(tx, workers)
    await end(tx, dict.fromkeys(ids, ERASED), because)
    live = await placements.list_live_placements(tx, ids)
    await placing.end(tx, [p["placement_id"] for p in live], ERASED, because)
