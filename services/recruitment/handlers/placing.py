"""Placements confirmed, changed, cancelled and ended; the caller locks nominations."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.recruitment import (
    PlacementCancelled,
    PlacementChanged,
    PlacementConfirmed,
    PlacementEnded,
    PlacementFact,
)
from services.recruitment.domain.terms import needs_seat
from services.recruitment.handlers import openings
from services.recruitment.handlers.speech import Because, say_placements
from services.recruitment.store import nominations, placements, retention
from services.recruitment.store.rows import Row
from shared.transaction import Tx

#: What a nomination's change carries into a placement that hasn't started.
CARRIED = ("gender", "origin_division_code", "boarding_place_code", "available_from", "needs_bed")


async def confirm(tx: Tx, whole: Sequence[Row], because: Because) -> None:
    """Confirm the placements of accepted offers (rows with their group's `placed_count`)."""
    if not whole:
        return
    counts = {r["offer_id"]: r["placed_count"] for r in whole}
    facts = [
        (row["offer_id"], _confirmed(tx, row, counts[row["offer_id"]]))
        for row in await placements.load_grounds(tx, counts)
    ]
    await placements.insert_placements(tx, facts)
    await nominations.step_nominations(tx, [f.nomination_id for _, f in facts], "place")
    await openings.settle(tx, [f.vacancy_id for _, f in facts])
    say_placements(tx, [f for _, f in facts], because)


def _confirmed(tx: Tx, row: Row, placed_count: int | None) -> PlacementConfirmed:
    return PlacementConfirmed.model_validate(
        {
            **row,
            "placement_id": tx.ids.uuid7(),
            "hired_on": tx.today,
            "group_placed_count": placed_count,
            "needs_seat": needs_seat(
                runs_transport=row["runs_transport"],
                boarding_place_code=row["boarding_place_code"],
            ),
        }
    )


async def change(
    tx: Tx, changes: Iterable[tuple[Row, Mapping[str, Any]]], because: Because
) -> list[PlacementChanged]:
    """Change confirmed placements (row, new values); says only what really changed."""
    facts = [f for row, new in changes if (f := changed_fact(row, new)) is not None]
    if facts:
        await placements.update_placements(tx, facts)
        say_placements(tx, facts, because)
    return facts


def changed_fact(row: Row, new: Mapping[str, Any]) -> PlacementChanged | None:
    """Give the new whole of a placement with the names of what changed, or None."""
    before = PlacementFact.model_validate(dict(row))
    after = PlacementFact.model_validate({**row, **new})
    names = [n for n in PlacementFact.model_fields if getattr(before, n) != getattr(after, n)]
    if not names:
        return None
    return PlacementChanged.model_validate({**after.model_dump(), "changed": tuple(names)})


async def carry_over(tx: Tx, changed: Sequence[Row], because: Because) -> None:
    """Carry changed nominations (rows) into their placements that haven't started."""
    by_id = {r["nomination_id"]: r for r in changed}
    live = await placements.list_live_placements(tx, by_id)
    runs = await placements.load_transport(tx, [p["placement_id"] for p in live])
    changes = []
    for placement in live:
        if placement["state"] == "confirmed":
            nomination = by_id[placement["nomination_id"]]
            new = {name: nomination[name] for name in CARRIED}
            new["needs_seat"] = needs_seat(
                runs_transport=runs[placement["placement_id"]],
                boarding_place_code=nomination["boarding_place_code"],
            )
            changes.append((placement, new))
    await change(tx, changes, because)


async def cancel(
    tx: Tx, reasons: Mapping[UUID, str], because: Because, *, rematch: bool = False
) -> list[Row]:
    """Cancel confirmed placements: openings go back; the caller decides where the persons go."""
    rows: list[Row] = list(await placements.cancel_placements(tx, reasons, because.by))
    facts = [
        PlacementCancelled.model_validate({**r, "by": because.by, "rematch": rematch}) for r in rows
    ]
    said = say_placements(tx, facts, because)
    await nominations.note_causes(tx, {r["nomination_id"]: said[r["placement_id"]] for r in rows})
    last = said[rows[-1]["placement_id"]] if rows else None
    await openings.vacate(tx, [r["vacancy_id"] for r in rows], last)
    return rows


async def end(tx: Tx, placement_ids: Iterable[UUID], reason: str, because: Because) -> list[Row]:
    """End started placements today; open checks are dropped, for nobody is there."""
    rows: list[Row] = list(
        await placements.end_placements(tx, placement_ids, reason, because.by, tx.today)
    )
    await retention.drop_checks(tx, [r["placement_id"] for r in rows])
    say_placements(
        tx, [PlacementEnded.model_validate({**r, "by": because.by}) for r in rows], because
    )
    return rows
