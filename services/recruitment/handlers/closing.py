"""The end of a drive: its offers are taken back, and who has no place is told so."""

from collections.abc import Iterable
from uuid import UUID

from services.recruitment.domain.offer import DRIVE_CLOSED, Closing
from services.recruitment.handlers.offers import end_offers
from services.recruitment.handlers.speech import SYSTEM, Because
from services.recruitment.handlers.unplaced import Unplaced, tell
from services.recruitment.store import nominations, offers, rounds, unplaced
from shared.transaction import Tx


async def close_drive(tx: Tx, drive_id: UUID, because: Because) -> None:
    """Take back what is open in a locked drive; who has no live placement is told."""
    ids = await nominations.list_nomination_ids_of_drive(tx, drive_id)
    await nominations.load_nominations_for_update(tx, ids)
    still = await nominations.list_nomination_ids_of_drive(tx, drive_id)
    open_offers = await offers.list_open_offers(tx, still)
    closing = Closing("take_back", DRIVE_CLOSED)
    await end_offers(tx, {o.offer_id: closing for o in open_offers}, open_offers, because)
    await shut_out(tx, drive_id, still, because)


async def shut_out(
    tx: Tx, drive_id: UUID, nomination_ids: Iterable[UUID], because: Because = SYSTEM
) -> None:
    """Say of locked nominations of a closed drive that it is over for them."""
    closed = await nominations.step_nominations(tx, nomination_ids, "close")
    ids = [r["nomination_id"] for r in closed]
    # It ends the nomination, so it is said even to those who heard it as a mere reason before.
    await unplaced.forget_reasons(tx, ids)
    last = await rounds.get_last_round(tx, drive_id)
    number = 0 if last is None else last["round"]
    await tell(tx, [Unplaced(n, DRIVE_CLOSED) for n in ids], number, because)
