"""Who would go where at which price: the best assignment without solving over all pairs."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.recruitment.matching.flow import NOWHERE, assign, prices
from services.recruitment.matching.tables import CHUNK, Arcs, Bools, Ints, Table, joined

UNFIT: Final = -1
#: More pairs for a person in one pass than this only make the next solution slower.
MORE_MAX: Final = 8
#: The first pairs are the best ones give or take so many points (a pair has 1000 or more): what
#: all want is dear anyway, and with the next best at hand the first prices are nearly right.
SPREAD: Final = 600
#: A relaxed solution this near its bound (a share of it) is good enough to go on with; where a
#: solution takes seconds, another one for the last thousandths isn't worth them.
GAP_ENOUGH: Final = 0.001
GAP_ENOUGH_LARGE: Final = 0.004
LARGE_PAIRS: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The best assignment without groups: its arcs and prices, and what no assignment exceeds."""

    chosen: Ints
    arcs: Arcs
    price: Ints
    bound: int


class Market:
    """The scores of all pairs that fit and are free, two bytes each: a row a person."""

    def __init__(self, table: Table) -> None:
        self._free = table.free
        count = len(table.problem.candidates)
        self._scores = np.full((count, len(table.free)), UNFIT, dtype=np.int16)
        for start in range(0, count, CHUNK):
            rows = np.arange(start, min(start + CHUNK, count), dtype=np.int32)
            fits = (table.failed_counts(rows) == 0) & (table.free > 0)
            self._scores[rows] = np.where(fits, table.scores(rows), UNFIT)

    @property
    def pair_count(self) -> int:
        """How many pairs fit."""
        return int(np.count_nonzero(self._scores != UNFIT))

    def everything(self) -> Arcs:
        """Give all pairs that fit."""
        people = np.arange(len(self._scores), dtype=np.int32)
        return self.best(people, self._free > 0, len(self._free))

    def keep(self, rows: Ints, columns: Bools) -> None:
        """Let these persons go to these vacancies only."""
        self._scores[rows] = np.where(columns, self._scores[rows], UNFIT)

    def best(self, rows: Ints, columns: Bools, count: int, spread: int = 1) -> Arcs:
        """Give these persons' best pairs among some vacancies, give or take `spread` points."""
        return joined(
            _arcs(part, np.where(columns, self._scores[part], UNFIT), count, spread)
            for part in _slices(rows)
        )

    def relax(self, count: int, passes_max: int) -> Relaxed:
        """Assign everybody as if alone: over the best pairs, then those that prices call for.

        Column generation: a pair worth more than its price and its person's gain is missing.
        Without such a pair the assignment is the best of all (weak duality gives the bound).
        """
        people = np.arange(len(self._scores), dtype=np.int32)
        arcs = self.best(people, self._free > 0, count, SPREAD)
        enough = GAP_ENOUGH_LARGE if self._scores.size > LARGE_PAIRS else GAP_ENOUGH
        while True:
            chosen = assign(len(people), self._free, arcs)
            price = prices(arcs, chosen, self._free)
            missing, bound = self._missing(people, price, chosen)
            passes_max -= 1
            near = (bound - _total(arcs, chosen)) <= enough * bound
            if near or passes_max <= 0 or not len(missing.person):
                return Relaxed(chosen, arcs, price, bound)
            arcs = joined([arcs, missing])

    def _missing(self, people: Ints, price: Ints, chosen: Ints) -> tuple[Arcs, int]:
        bound = int((price.astype(np.int64) * self._free).sum())
        found = []
        for rows in _slices(people):
            scores = self._scores[rows]
            gains = np.where(scores == UNFIT, UNFIT, scores - price)
            best = np.maximum(gains.max(axis=1, initial=0), 0)
            bound += int(best.sum(dtype=np.int64))
            mine = chosen[rows]
            has = mine != NOWHERE
            now = np.where(has, gains[np.arange(len(rows)), np.where(has, mine, 0)], 0)
            wanting = np.flatnonzero(best > now)
            better = np.where(gains[wanting] > now[wanting, None], gains[wanting], UNFIT)
            part = _arcs(rows[wanting], better, MORE_MAX)
            score = self._scores[part.person, part.vacancy].astype(np.int32)
            found.append(Arcs(part.person, part.vacancy, score))
        return joined(found), bound


def _slices(rows: Ints) -> list[Ints]:
    return [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]


def _total(arcs: Arcs, chosen: Ints) -> int:
    return int(arcs.score[chosen[arcs.person] == arcs.vacancy].sum(dtype=np.int64))


def _arcs(rows: Ints, worth: Ints, count: int, spread: int = 1) -> Arcs:
    """Give the pairs that fit, at most so many of each person (`spread`: see `_best`)."""
    if worth.shape[1] <= count:
        place, vacancy = np.nonzero(worth > UNFIT)
    else:
        columns = _best(worth, rows, count, spread)
        place, nth = np.nonzero(np.take_along_axis(worth, columns, axis=1) > UNFIT)
        vacancy = columns[place, nth]
    score = worth[place, vacancy].astype(np.int32)
    return Arcs(rows[place], vacancy.astype(np.int32), score)


def _best(worth: Ints, rows: Ints, count: int, spread: int) -> NDArray[np.intp]:
    """List the best columns of each row, in order.

    Pairs less than `spread` points apart fall differently from person to person, so that not all
    of those who look alike name the same few vacancies.
    """
    columns = np.arange(worth.shape[1], dtype=np.uint32) * np.uint32(40_503_011)
    shuffled = rows[:, None].astype(np.uint32) * np.uint32(2_654_435_761) + columns
    keys = worth.astype(np.int32) * 4096
    keys += (shuffled >> 7 & 4095).astype(np.int32) * spread
    kept = np.argpartition(keys, -count, axis=1)[:, -count:]
    kept.sort(axis=1)
    return kept
