"""Whose turn it is when beds are scarce: by the programme's priorities, then by time.

Nothing here is derived from a person's data: a turn shows the drive's setting, the enterprise's
credit, and what was asked for and when.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from heapq import heapify, heappop, heapreplace
from typing import Any, Final
from uuid import UUID


class Criterion(StrEnum):
    """What a programme may put first; its `priorities` list them, the weightiest first."""

    # The setting of the drive, 9 before 0.
    PRIORITY = "priority"
    # The enterprise's level on the key list, A before C.
    CREDIT = "credit"
    # Guests of a placement before those whom an enterprise brings itself.
    PLACEMENT = "placement"
    # Large groups first: they find room with more difficulty.
    GROUP = "group"
    CHECK_IN = "check_in"
    SHORT_STAY = "short_stay"
    LONG_STAY = "long_stay"
    # First come, first served.
    TIME = "time"


#: What decides after all that a programme names (domain.md: "priority, then time").
LAST: Final = (Criterion.PRIORITY, Criterion.TIME)
_KNOWN: Final = frozenset(Criterion)


@dataclass(frozen=True, slots=True)
class Turn:
    """One who wants a bed, as far as the line and the choice of a bed need it."""

    stay_id: UUID
    worker_id: UUID
    enterprise_id: UUID
    gender: str
    check_in_on: date
    check_out_on: date
    requested_at: datetime
    programme: str
    priority: int
    group_id: UUID | None
    group_size: int
    family_id: UUID | None
    wanted_inn_id: UUID | None
    town: str | None
    division_code: str | None
    passed_count: int
    placed: bool
    waiting: bool = True

    @property
    def unit_id(self) -> UUID:
        """The group, or the guest alone: what is placed whole or not at all."""
        return self.group_id or self.stay_id


def words_of(priorities: object) -> list[str]:
    """Give a programme's priorities as words, weightiest first: a list, or weights by word."""
    if isinstance(priorities, Mapping):
        weights = {str(k): v for k, v in priorities.items() if isinstance(v, int | float)}
        rest = [str(k) for k in priorities if str(k) not in weights]
        return [*sorted(weights, key=lambda k: (-weights[k], k)), *sorted(rest)]
    return [p for p in priorities if isinstance(p, str)] if isinstance(priorities, list) else []


def criteria(priorities: object) -> tuple[Criterion, ...]:
    """Give the order of a programme; words that mean nothing here decide nothing."""
    told = [Criterion(w) for w in words_of(priorities) if w in _KNOWN]
    return tuple(dict.fromkeys([*told, *LAST]))


def unknown_words(priorities: object) -> list[str]:
    """Give the words among priorities that decide nothing."""
    return [w for w in words_of(priorities) if w not in _KNOWN]


@dataclass(frozen=True, slots=True)
class Line:
    """The orders of the programmes, and the credit levels of today by enterprise."""

    orders: Mapping[str, tuple[Criterion, ...]]
    levels: Mapping[UUID, str]

    def order_of(self, turn: Turn) -> tuple[Criterion, ...]:
        """Give the criteria that count for a turn."""
        return self.orders.get(turn.programme, LAST)

    def queue(self, turns: Iterable[Turn]) -> list[list[Turn]]:
        """Give the units in their order, each with its members; a group stands with its first.

        Each programme has an order of its own; where several share the inns, the next is that one
        of the lines' heads which has the higher setting of its drive, else has asked earlier.
        """
        lines: dict[str, list[tuple[tuple[object, ...], Turn]]] = {}
        for turn in turns:
            lines.setdefault(turn.programme, []).append((self._key(turn), turn))
        units: dict[UUID, list[Turn]] = {}
        for turn in _merged([[t for _, t in sorted(line, key=_first)] for line in lines.values()]):
            units.setdefault(turn.unit_id, []).append(turn)
        return list(units.values())

    def explained(self, turn: Turn) -> list[list[object]]:
        """Give each criterion in its order with the turn's value, as it is stored."""
        return [[c.value, self._shown(c, turn)] for c in self.order_of(turn)]

    def _key(self, turn: Turn) -> tuple[object, ...]:
        level = self.levels.get(turn.enterprise_id)
        ranks = (_RANKS[c](turn, level) for c in self.order_of(turn))
        return (*ranks, turn.stay_id)

    def _shown(self, criterion: Criterion, turn: Turn) -> object:
        value = _VALUES[criterion](turn, self.levels.get(turn.enterprise_id))
        return value.isoformat() if isinstance(value, date) else value


def _nights(turn: Turn) -> int:
    return (turn.check_out_on - turn.check_in_on).days


Shown = Callable[[Turn, str | None], Any]
_VALUES: Final[dict[Criterion, Shown]] = {
    Criterion.PRIORITY: lambda turn, _: turn.priority,
    Criterion.CREDIT: lambda _, level: level,
    Criterion.PLACEMENT: lambda turn, _: turn.placed,
    Criterion.GROUP: lambda turn, _: turn.group_size,
    Criterion.CHECK_IN: lambda turn, _: turn.check_in_on,
    Criterion.SHORT_STAY: lambda turn, _: _nights(turn),
    Criterion.LONG_STAY: lambda turn, _: _nights(turn),
    Criterion.TIME: lambda turn, _: turn.requested_at,
}
#: What is smaller comes first.
_RANKS: Final[dict[Criterion, Shown]] = {
    **_VALUES,
    Criterion.PRIORITY: lambda turn, _: -turn.priority,
    # The levels' names stand in their order, and who has none comes last.
    Criterion.CREDIT: lambda _, level: level or "~",
    Criterion.PLACEMENT: lambda turn, _: not turn.placed,
    Criterion.GROUP: lambda turn, _: -turn.group_size,
    Criterion.LONG_STAY: lambda turn, _: -_nights(turn),
}


def _first(pair: tuple[tuple[object, ...], Turn]) -> tuple[object, ...]:
    return pair[0]


def _merged(lines: Sequence[Sequence[Turn]]) -> Iterable[Turn]:
    if len(lines) == 1:
        return lines[0]
    heads = [(_head(line[0]), n, 0) for n, line in enumerate(lines)]
    heapify(heads)
    merged: list[Turn] = []
    while heads:
        _, n, at = heads[0]
        merged.append(lines[n][at])
        if at + 1 < len(lines[n]):
            heapreplace(heads, (_head(lines[n][at + 1]), n, at + 1))
        else:
            heappop(heads)
    return merged


def _head(turn: Turn) -> tuple[int, datetime, UUID]:
    return -turn.priority, turn.requested_at, turn.stay_id
