"""Turns the waiting pool into parties: groups whole, the others of a place in small bundles."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from services.transport.planning.model import BUNDLE_MAX, Days, Party, Place

# More parties than this make the search slow; then the bundles grow.
PARTIES_MAX: Final = 400


class Rider(NamedTuple):
    """Who waits: the booking, its group, where the person boards, and on which days at all."""

    booking_id: UUID
    group_id: UUID | None
    place: Place
    days: Days = (None, None)


def parties_of(waiting: Iterable[Rider]) -> list[Party]:
    """Give parties of one place and the same days; a group boards where its first member does."""
    rows = list(waiting)
    groups: dict[UUID, list[Rider]] = defaultdict(list)
    alone: dict[tuple[Place, Days], list[UUID]] = defaultdict(list)
    for one in rows:
        if one.group_id is None:
            alone[one.place, one.days].append(one.booking_id)
        else:
            groups[one.group_id].append(one)
    size = max(BUNDLE_MAX, -(-len(rows) // PARTIES_MAX))
    found = [
        Party(tuple(m.booking_id for m in members), members[0].place, _days_of(members))
        for members in groups.values()
    ]
    for (place, days), ids in alone.items():
        found += [Party(tuple(ids[n : n + size]), place, days) for n in range(0, len(ids), size)]
    return found


def _days_of(members: Iterable[Rider]) -> Days:
    """Give the days that suit all of a group."""
    firsts, lasts = zip(*(m.days for m in members), strict=True)
    return max(filter(None, firsts), default=None), min(filter(None, lasts), default=None)
