"""Who travels together: unions of equal texts and of mutual naming (rosters.md, Groups)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_NOBODY: Final = ("无", "没有", "否", "不", "0", "-", "/", "无同行")
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Member:
    """A row as groups see it: its name and what its 同行人 says, both cleaned."""

    name: str
    companions: str
    accepted: bool
    left_out: bool


@dataclass(slots=True)
class Place:
    """A row's group (numbered from 0), its size in accepted members, and warnings about it."""

    group: int | None = None
    size: int | None = None
    codes: list[str] = field(default_factory=list)


def form_groups(members: Sequence[Member], *, members_max: int) -> list[Place]:
    """Give each row its place; only accepted rows are ever in a group."""
    places = [Place() for _ in members]
    number = 0
    for union in _unions(members):
        accepted = [i for i in union if members[i].accepted]
        if len(accepted) > members_max:
            _warn(places, accepted, "group_too_large")
            continue
        if any(members[i].left_out for i in union):
            _warn(places, accepted, "group_incomplete")
        if len(accepted) < _PAIR:
            continue
        for i in accepted:
            places[i].group, places[i].size = number, len(accepted)
        number += 1
    return places


def _warn(places: list[Place], rows: list[int], code: str) -> None:
    for i in rows:
        places[i].codes.append(code)


def _unions(members: Sequence[Member]) -> list[list[int]]:
    """Unite rows of equal text, and the row whose own name is that text; in the file's order."""
    parent = list(range(len(members)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    borne = Counter(m.name for m in members if m.name)
    row_of = {m.name: i for i, m in enumerate(members) if borne[m.name] == 1}
    first_with: dict[str, int] = {}
    for i, member in enumerate(members):
        text = member.companions
        if not text or text in _NOBODY:
            continue
        parent[root(i)] = root(first_with.setdefault(text, i))
        if text in row_of:
            parent[root(row_of[text])] = root(i)
    unions: dict[int, list[int]] = defaultdict(list)
    for i in range(len(members)):
        unions[root(i)].append(i)
    return sorted((u for u in unions.values() if len(u) >= _PAIR), key=lambda u: u[0])
