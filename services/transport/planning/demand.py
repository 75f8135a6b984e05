"""Turns the waiting pool into parties: groups whole, the others of a place in small bundles."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from services.transport.planning.model import BUNDLE_MAX, Party, Place

# More parties than this make the search slow; then the bundles grow.
PARTIES_MAX: Final = 400


def parties_of(waiting: Iterable[tuple[UUID, UUID | None, Place]]) -> list[Party]:
    """Give parties of (booking, group, place); a group boards where its first member does."""
    rows = list(waiting)
    groups: dict[UUID, list[tuple[UUID, Place]]] = defaultdict(list)
    alone: dict[Place, list[UUID]] = defaultdict(list)
    for booking_id, group_id, place in rows:
        if group_id is None:
            alone[place].append(booking_id)
        else:
            groups[group_id].append((booking_id, place))
    size = max(BUNDLE_MAX, -(-len(rows) // PARTIES_MAX))
    found = [Party(tuple(b for b, _ in members), members[0][1]) for members in groups.values()]
    for place, ids in alone.items():
        found += [Party(tuple(ids[n : n + size]), place) for n in range(0, len(ids), size)]
    return found
