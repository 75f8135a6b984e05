"""Where groups go: each to one enterprise in one town, all of its members or none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import numpy as np

from services.recruitment.matching.flow import NOWHERE, assign
from services.recruitment.matching.market import Market
from services.recruitment.matching.problem import Problem
from services.recruitment.matching.tables import (
    CHUNK,
    Arcs,
    Bools,
    Ints,
    Table,
)

# A gain that no pair has: less than any price could take from a score.
_NEVER: Final = -1_000_000


@dataclass(frozen=True, slots=True)
class Group:
    """Members (indices) of a group, and how many rounds have passed over it."""

    group_id: UUID
    members: tuple[int, ...]
    skip_count: int


@dataclass(slots=True)
class Seated:
    """Where members of groups go, what is left, and what is kept for a group overdue."""

    free: Ints
    chosen: dict[int, int] = field(default_factory=dict)
    skipped: list[int] = field(default_factory=list)
    held: set[int] = field(default_factory=set)


def groups_of(problem: Problem) -> list[Group]:
    """List groups in the order in which they choose: the longest passed over, then the largest."""
    members: dict[UUID, list[int]] = {}
    for index, candidate in enumerate(problem.candidates):
        if candidate.group_id is not None:
            members.setdefault(candidate.group_id, []).append(index)
    found = [
        Group(g, tuple(m), max(problem.candidates[i].skip_count for i in m))
        for g, m in members.items()
        # Who is left alone of a group is a single person.
        if len(m) > 1
    ]
    limit = problem.policy.skip_max
    return sorted(found, key=lambda g: (-min(g.skip_count, limit), -len(g.members), g.group_id))


class Clusters:
    """The vacancies (indices) of each enterprise and town, and sums over them all at once."""

    def __init__(self, problem: Problem) -> None:
        found: dict[tuple[str, str], list[int]] = {}
        for index, vacancy in enumerate(problem.vacancies):
            found.setdefault(vacancy.cluster, []).append(index)
        self.members = [np.array(found[c], dtype=np.int32) for c in sorted(found)]
        self._order = np.concatenate([*self.members, np.empty(0, np.int32)]).astype(np.int32)
        self.of_vacancy = np.empty(len(problem.vacancies), dtype=np.int32)
        for number, members in enumerate(self.members):
            self.of_vacancy[members] = number
        sizes = [len(m) for m in self.members]
        self._starts = np.cumsum([0, *sizes[:-1]]) if sizes else np.empty(0, np.int64)

    def totals(self, values: Ints) -> Ints:
        """Add up a value of each vacancy by cluster."""
        found: Ints = np.add.reduceat(values[self._order], self._starts)
        return found

    def best(self, values: Ints) -> Ints:
        """Give each row's greatest value in each cluster."""
        found: Ints = np.maximum.reduceat(values[:, self._order], self._starts, axis=1)
        return found


class Together:
    """The groups of a round, what fits their members, and where there is room for all of each."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.groups = groups_of(table.problem)
        self.members = {m for g in self.groups for m in g.members}
        self.clusters = Clusters(table.problem)
        self._offers = list(_offers(table, self.groups))

    def keep_out(self, market: Market) -> None:
        """Let members go only to clusters where the whole group may have room."""
        for offers in self._offers:
            _, has_room = _each(offers.gains(None), self.clusters, self.table.free)
            market.keep(offers.rows, has_room[self.clusters.of_vacancy])

    def bound(self, price: Ints, alone: int) -> int:
        """Lower the bound for persons who go alone to one for groups that stay together.

        Over these prices a group gains at most what its members' best openings of one cluster add
        up to, which is often less than each one's best of all.
        """
        for offers in self._offers:
            each, has_room = _each(offers.gains(price), self.clusters, self.table.free)
            alone -= int(each[:, has_room].max(axis=1, initial=0).sum())
            alone += int(each[:, has_room].sum(axis=0).max(initial=0))
        return alone

    def seat(self, price: Ints) -> Seated:
        """Let each group in turn take the cluster where it gains most over the openings' prices."""
        seated = Seated(free=self.table.free.copy())
        for group, offers in zip(self.groups, self._offers, strict=True):
            self._seat(group, offers, seated, price)
        return seated

    def seat_in_rest(self, seated: Seated, free: Ints) -> dict[int, int]:
        """Let groups that were passed over take what nobody else took; give where they go."""
        added: dict[int, int] = {}
        rest = Seated(free=free)
        for offers in self._offers:
            if int(offers.rows[0]) in seated.chosen:
                continue
            best = _best_bundle(offers, self.clusters, rest, None)
            if best is not None:
                added |= best
                np.subtract.at(rest.free, list(best.values()), 1)
        return added

    def _seat(self, group: Group, offers: "_Offers", seated: Seated, price: Ints) -> None:
        policy = self.table.problem.policy
        overdue = group.skip_count >= policy.skip_max
        best = _best_bundle(offers, self.clusters, seated, None if overdue else price)
        if best is not None:
            seated.chosen.update(best)
            np.subtract.at(seated.free, list(best.values()), 1)
            return
        seated.skipped.extend(group.members)
        if overdue and group.skip_count < policy.skip_max + policy.hold_max:
            seated.held |= _kept_for(offers, self.clusters, seated)


@dataclass(frozen=True, slots=True)
class _Offers:
    """What fits each member of a group, whatever is free: a row a member, a column a vacancy."""

    rows: Ints
    fits: Bools
    scores: Ints
    openings: Ints

    @property
    def size(self) -> int:
        return len(self.rows)

    def gains(self, price: Ints | None) -> Ints:
        """Give each member's gain at each vacancy over its price; far below 0 without a fit."""
        worth = self.scores if price is None else self.scores - price
        gains: Ints = np.where(self.fits, worth, _NEVER).astype(np.int32)
        return gains


def _offers(table: Table, groups: list[Group]) -> Iterator[_Offers]:
    """Give what fits each group's members; worked out for many members at once."""
    openings = np.array([v.openings for v in table.problem.vacancies], dtype=np.int32)
    for batch in _batches(groups):
        rows = np.array([m for g in batch for m in g.members], dtype=np.int32)
        fits, scores = table.failed_counts(rows) == 0, table.scores(rows)
        start = 0
        for group in batch:
            part = slice(start, start + len(group.members))
            yield _Offers(rows[part], fits[part], scores[part], openings)
            start = part.stop


def _batches(groups: list[Group]) -> Iterator[list[Group]]:
    batch: list[Group] = []
    count = 0
    for group in groups:
        batch.append(group)
        count += len(group.members)
        if count >= CHUNK:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _best_bundle(
    offers: _Offers, clusters: Clusters, seated: Seated, price: Ints | None
) -> Mapping[int, int] | None:
    """Find the best cluster for a group: by an upper bound first, exactly while that can still win.

    Without prices the group is placed wherever it fits; with them only where it loses nothing:
    its own members bid for these openings, too, so even is good enough.
    """
    gains = offers.gains(price)
    best: Mapping[int, int] | None = None
    best_gain = -1 if price is not None else -(10**9)
    for bound, cluster in _by_bound(gains, clusters, seated.free):
        if bound <= best_gain:
            break
        found = _bundle(offers, gains, cluster[seated.free[cluster] > 0], seated.free)
        if found is not None and found[0] > best_gain:
            best_gain, best = found
    return best


def _by_bound(gains: Ints, clusters: Clusters, free: Ints) -> Iterator[tuple[int, Ints]]:
    """Give the clusters with room for all, by the most that the group could gain there."""
    each, has_room = _each(gains, clusters, free)
    bounds = each.sum(axis=0)
    numbers = np.flatnonzero(has_room)
    for number in numbers[np.argsort(-bounds[numbers], kind="stable")].tolist():
        yield int(bounds[number]), clusters.members[number]


def _each(gains: Ints, clusters: Clusters, free: Ints) -> tuple[Ints, Bools]:
    """Give the most that each member could gain in each cluster, and which have room for all."""
    each = clusters.best(np.where(free > 0, gains, _NEVER).astype(np.int32))
    has_room: Bools = (clusters.totals(free) >= len(gains)) & (each > _NEVER // 2).all(axis=0)
    return each, has_room


def _bundle(
    offers: _Offers, gains: Ints, cluster: Ints, free: Ints
) -> tuple[int, Mapping[int, int]] | None:
    """Assign all members within a cluster at the greatest gain; None if not all find a place."""
    fits = offers.fits[:, cluster]
    member, column = (a.astype(np.int32) for a in np.nonzero(fits))
    # A constant for everybody makes placing all of them worth more than any gain.
    worth = gains[member, cluster[column]] + 10_000_000
    chosen = assign(offers.size, free[cluster], Arcs(member, column, worth.astype(np.int32)))
    if (chosen == NOWHERE).any():
        return None
    places = cluster[chosen]
    gain = int(gains[np.arange(offers.size), places].sum())
    return gain, dict(zip(offers.rows.tolist(), places.tolist(), strict=True))


def _kept_for(offers: _Offers, clusters: Clusters, seated: Seated) -> set[int]:
    """Choose the openings to keep for a group: where most of what it needs is free already."""
    best: tuple[int, Ints] | None = None
    for cluster in clusters.members:
        fitting = cluster[offers.fits[:, cluster].any(axis=0)]
        free_count = int(seated.free[fitting].sum())
        enough = int(offers.openings[fitting].sum()) >= offers.size
        if enough and free_count > 0 and (best is None or free_count > best[0]):
            best = (free_count, fitting)
    return set() if best is None else set(best[1].tolist())
