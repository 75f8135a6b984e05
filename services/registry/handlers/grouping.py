"""Forms a roster's groups as soon as all is claimed, and offers whoever waited for one."""

from collections.abc import Sequence
from typing import Final

from services.registry.handlers.claiming import Claimed
from services.registry.handlers.saying import say_nominated, say_registered
from services.registry.handlers.slices import slices
from services.registry.roster.settle import Outcome
from services.registry.store import batches, nominations
from services.registry.store.nominations import Nomination
from shared.transaction import Tx

# So many at a time: all that is said of them is in memory.
_SLICE: Final = 2_000


async def form_groups(tx: Tx, claimed: Claimed) -> None:
    """Give the groups their ids, and offer with them all who were entered and not yet offered."""
    accepted = [i for i, s in enumerate(claimed.settled) if s.outcome is Outcome.ACCEPTED]
    grouped = [i for i in accepted if claimed.settled[i].group is not None]
    for i in grouped:
        group = claimed.settled[i].group
        if group is not None and group not in claimed.group_ids:
            claimed.group_ids[group] = tx.ids.uuid7()
    roster = claimed.roster
    for part in slices([i for i in grouped if roster.nomination_ids[i]], _SLICE):
        await nominations.update_groups(tx, _nominations(claimed, part))
        await _offer_again(tx, claimed, [i for i in part if roster.told[i]])
    waited = [i for i in accepted if roster.worker_ids[i] and not roster.told[i]]
    for part in slices(waited, _SLICE):
        await _offer(tx, claimed, part)


async def _offer(tx: Tx, claimed: Claimed, part: Sequence[int]) -> None:
    """Nominate strangers who named somebody: only now it is known who travels with them."""
    roster = claimed.roster
    for i in part:
        roster.nomination_ids[i] = tx.ids.uuid7()
        roster.told[i] = 1
    new = _nominations(claimed, part)
    await nominations.insert_nominations(tx, new)
    links = (
        (roster.rows[i].row, n.worker_id, n.nomination_id, None)
        for i, n in zip(part, new, strict=True)
    )
    await batches.insert_batch_workers(tx, roster.batch, links)
    await _say(tx, claimed, new, are_registered=False)


async def _offer_again(tx: Tx, claimed: Claimed, part: Sequence[int]) -> None:
    """Say it again of those who named nobody and were named: it was said that they go alone."""
    named = _nominations(claimed, part)
    await tx.unsay([f"nomination/{n.nomination_id}" for n in named])
    await _say(tx, claimed, named, are_registered=True)


async def _say(
    tx: Tx, claimed: Claimed, offered: Sequence[Nomination], *, are_registered: bool
) -> None:
    if not offered:
        return
    office_id = claimed.roster.batch.tenant_id
    profiles = await nominations.find_profiles(tx, office_id, [n.worker_id for n in offered])
    for nomination in offered:
        profile = profiles[nomination.worker_id]
        if not are_registered:
            say_registered(tx, nomination.worker_id, profile)
        say_nominated(tx, nomination, profile)
    await tx.set_aside()


def _nominations(claimed: Claimed, part: Sequence[int]) -> list[Nomination]:
    return [n for i in part if (n := claimed.nomination(i))]
