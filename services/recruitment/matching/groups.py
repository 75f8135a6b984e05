"""Where groups go: each to one enterprise in one town, all of its members or none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from services.recruitment.matching.flow import NOWHERE, assign
from services.recruitment.matching.problem import Problem
from services.recruitment.matching.tables import Arcs, Ints, Table, joined


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


def clusters_of(problem: Problem) -> list[Ints]:
    """List the vacancies (indices) of each enterprise and town."""
    found: dict[tuple[str, str], list[int]] = {}
    for index, vacancy in enumerate(problem.vacancies):
        found.setdefault(vacancy.cluster, []).append(index)
    return [np.array(found[c], dtype=np.int32) for c in sorted(found)]


class Together:
    """The groups of a round, what fits their members, and where there is room for all of each."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.groups = groups_of(table.problem)
        self.members = {m for g in self.groups for m in g.members}
        self.clusters = clusters_of(table.problem)
        self._offers = [_Offers(table, g) for g in self.groups]

    def arcs(self) -> Arcs:
        """Give the members' arcs, only to clusters where the whole group may have room."""
        return joined(self._arcs(offers) for offers in self._offers)

    def _arcs(self, offers: "_Offers") -> Arcs:
        has_room = np.zeros(len(self.table.free), dtype=np.bool_)
        for _, usable in _by_bound(offers, offers.scores, self.clusters, self.table.free):
            has_room[usable] = True
        return self.table.best_arcs(offers.rows, offers.fits & has_room, offers.scores)

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


class _Offers:
    """What fits each member of a group, whatever is free."""

    def __init__(self, table: Table, group: Group) -> None:
        self.rows = np.array(group.members, dtype=np.int32)
        self.fits = table.failed_counts(self.rows) == 0
        self.scores = table.scores(self.rows)
        self.openings = np.array([v.openings for v in table.problem.vacancies], dtype=np.int32)

    @property
    def size(self) -> int:
        return len(self.rows)

    def gains(self, price: Ints | None) -> Ints:
        """Give each member's gain at each vacancy over its price; far below 0 without a fit."""
        worth = self.scores if price is None else self.scores - price
        gains: Ints = np.where(self.fits, worth, -1_000_000).astype(np.int32)
        return gains


def _best_bundle(
    offers: _Offers, clusters: list[Ints], seated: Seated, price: Ints | None
) -> Mapping[int, int] | None:
    """Find the best cluster for a group: by an upper bound first, exactly while that can still win.

    Without prices the group is placed wherever it fits; with them only where it loses nothing:
    its own members bid for these openings, too, so even is good enough.
    """
    gains = offers.gains(price)
    best: Mapping[int, int] | None = None
    best_gain = -1 if price is not None else -(10**9)
    for bound, cluster in _by_bound(offers, gains, clusters, seated.free):
        if bound <= best_gain:
            break
        found = _bundle(offers, gains, cluster, seated.free)
        if found is not None and found[0] > best_gain:
            best_gain, best = found
    return best


def _by_bound(
    offers: _Offers, gains: Ints, clusters: list[Ints], free: Ints
) -> Iterator[tuple[int, Ints]]:
    bounds = []
    for number, cluster in enumerate(clusters):
        usable = cluster[free[cluster] > 0]
        if int(free[usable].sum()) < offers.size or not offers.fits[:, usable].any(axis=1).all():
            continue
        bounds.append((-int(gains[:, usable].max(axis=1).sum()), number, usable))
    for bound, _, usable in sorted(bounds, key=lambda b: b[:2]):
        yield -bound, usable


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


def _kept_for(offers: _Offers, clusters: list[Ints], seated: Seated) -> set[int]:
    """Choose the openings to keep for a group: where most of what it needs is free already."""
    best: tuple[int, Ints] | None = None
    for cluster in clusters:
        fitting = cluster[offers.fits[:, cluster].any(axis=0)]
        free_count = int(seated.free[fitting].sum())
        enough = int(offers.openings[fitting].sum()) >= offers.size
        if enough and free_count > 0 and (best is None or free_count > best[0]):
            best = (free_count, fitting)
    return set() if best is None else set(best[1].tolist())
