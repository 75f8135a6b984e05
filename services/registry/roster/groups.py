"""Who travels together: unions of equal texts and of mutual naming (rosters.md, Groups)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

_NOBODY: Final = frozenset({"", "无", "没有", "否", "不", "0", "-", "/", "无同行"})
_PAIR: Final = 2


class Named(Protocol):
    """A row as groups see it: its name and what its 同行人 says, both cleaned."""

    name: str
    companions: str


@dataclass(slots=True)
class Groups:
    """Groups by their number from 0, each with the accepted rows in it; and warnings by row."""

    members: list[list[int]] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)


def travels_alone(companions: str) -> bool:
    """Tell whether a row's 同行人 names nobody; another row can still name that row's person."""
    return companions in _NOBODY


def form_groups(
    rows: Sequence[Named],
    is_accepted: Callable[[int], bool],
    is_left_out: Callable[[int], bool],
    *,
    members_max: int,
) -> Groups:
    """Form the groups of a roster; only accepted rows are ever in one, or told of one."""
    groups = Groups()
    for union in _unions(rows):
        accepted = [i for i in union if is_accepted(i)]
        if len(accepted) > members_max:
            groups.codes.update(dict.fromkeys(accepted, "group_too_large"))
            continue
        if any(map(is_left_out, union)):
            groups.codes.update(dict.fromkeys(accepted, "group_incomplete"))
        if len(accepted) >= _PAIR:
            groups.members.append(accepted)
    return groups


def _unions(rows: Sequence[Named]) -> list[list[int]]:
    """Unite rows of equal text, and the row whose own name is that text; in the file's order."""
    speaking = [i for i, row in enumerate(rows) if not travels_alone(row.companions)]
    if not speaking:
        return []
    parent: dict[int, int] = {}

    def root(i: int) -> int:
        while (above := parent.setdefault(i, i)) != i:
            parent[i] = parent[above]
            i = parent[i]
        return i

    named = _named(rows, {rows[i].companions for i in speaking})
    first_with: dict[str, int] = {}
    for i in speaking:
        text = rows[i].companions
        parent[root(i)] = root(first_with.setdefault(text, i))
        if text in named:
            parent[root(named[text])] = root(i)
    unions: dict[int, list[int]] = defaultdict(list)
    for i in sorted(parent):
        unions[root(i)].append(i)
    return [union for union in unions.values() if len(union) >= _PAIR]


def _named(rows: Sequence[Named], texts: set[str]) -> dict[str, int]:
    """Find the rows whose name is one of the texts; a name borne by two rows names neither."""
    borne = Counter(row.name for row in rows if row.name in texts)
    return {row.name: i for i, row in enumerate(rows) if borne.get(row.name) == 1}
