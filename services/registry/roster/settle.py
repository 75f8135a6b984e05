"""What becomes of each row: decided once for the whole roster, pure (rosters.md, Persons)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.registry.roster.groups import form_groups
from services.registry.roster.limits import Limits

GROUP_MEMBERS_MAX: Final = Limits().group_members_max


class Outcome(StrEnum):
    """How a row counts; each row counts once."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


@dataclass(slots=True)
class Standing:
    """One row before the decision.

    `person` is any key of the person (the blind index), None where the ID cannot be read. `known`:
    this tenant has the person already; `elsewhere`: another office nominates the person.
    """

    row: int
    person: bytes | None
    has_error: bool
    name: str = ""
    companions: str = ""
    known: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """One row after the decision: its outcome, its group, and the codes it earns beside its own.

    `codes` are of duplicate_in_file, already_known, already_nominated (at the ID's column), and
    group_incomplete, group_too_large (at the companions' column); `group` counts from 0.
    """

    outcome: Outcome
    codes: tuple[str, ...] = ()
    first_row: int | None = None
    group: int | None = None
    group_size: int | None = None


def settle(
    rows: Sequence[Standing], *, group_members_max: int = GROUP_MEMBERS_MAX
) -> list[Settled]:
    """Decide every row, in the order of the file; the answer has the rows' order."""
    first_rows: dict[bytes, int] = {}
    settled = [_settled(row, first_rows) for row in rows]
    groups = form_groups(
        rows,
        lambda i: settled[i].outcome is Outcome.ACCEPTED,
        lambda i: _left_out(settled[i]),
        members_max=group_members_max,
    )
    for number, members in enumerate(groups.members):
        for i in members:
            settled[i] = replace(settled[i], group=number, group_size=len(members))
    for i, code in groups.codes.items():
        settled[i] = replace(settled[i], codes=(*settled[i].codes, code))
    return settled


# Of most rows there is nothing to say: all of them are settled by this one object.
_ACCEPTED: Final = Settled(Outcome.ACCEPTED)


def _settled(row: Standing, first_rows: dict[bytes, int]) -> Settled:
    earlier = first_rows.get(row.person) if row.person else None
    outcome = _outcome(row, is_repeat=earlier is not None)
    if row.person and not row.has_error and earlier is None and not row.elsewhere:
        first_rows[row.person] = row.row
    settled = Settled(outcome, _codes(row, is_repeat=earlier is not None), earlier)
    return _ACCEPTED if settled == _ACCEPTED else settled


def _codes(row: Standing, *, is_repeat: bool) -> tuple[str, ...]:
    told = (
        (is_repeat, "duplicate_in_file"),
        (row.elsewhere, "already_nominated"),
        (row.known, "already_known"),
    )
    return tuple(code for says, code in told if says)


def _outcome(row: Standing, *, is_repeat: bool) -> Outcome:
    if row.has_error:
        return Outcome.REJECTED
    if is_repeat:
        return Outcome.DUPLICATE
    if row.elsewhere:
        return Outcome.REJECTED
    return Outcome.DUPLICATE if row.known else Outcome.ACCEPTED


def _left_out(settled: Settled) -> bool:
    # A repeated row's person is in by the earlier row; who is known already keeps the old group.
    return settled.outcome is Outcome.REJECTED or (
        settled.outcome is Outcome.DUPLICATE and "duplicate_in_file" not in settled.codes
    )
