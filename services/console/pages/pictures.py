"""Pictures as plain SVG: who comes from where and goes where, beds by town, arrivals by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from contracts.reference import division_name
from services.console.pages.speech import area
from services.console.pages.visit import Visit
from services.console.views.pictures import list_arrivals, list_flows, list_towns
from shared.transaction import Tx

DAYS: Final = 14
_WIDTH: Final = 960
_HEIGHT: Final = 360
_GAP: Final = 10
_LEFT: Final = 220
_RIGHT: Final = 730
_NODE: Final = 10
_UNITS_MAX: Final = 1.5


@dataclass(frozen=True, slots=True)
class Node:
    """A place at one side of the flow picture, `y` and `h` in its units."""

    name: str
    n: int
    y: float
    h: float


@dataclass(frozen=True, slots=True)
class Band:
    """People who go from one place to another."""

    path: str
    width: float
    n: int
    title: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The flow picture."""

    origins: Sequence[Node]
    destinations: Sequence[Node]
    bands: Sequence[Band]
    height: float = _HEIGHT
    width: int = _WIDTH
    left: int = _LEFT
    right: int = _RIGHT
    node: int = _NODE


async def load_pictures(visit: Visit) -> dict[str, Any]:
    """Load what the pictures show, as of today (business time)."""

    async def read(tx: Tx) -> dict[str, Any]:
        last = tx.today + timedelta(days=DAYS - 1)
        arrivals = await list_arrivals(tx, tx.today, last)
        return {
            "flow": flow_of(await list_flows(tx)),
            "towns": await list_towns(tx, tx.today),
            "arrivals": by_day(arrivals, tx.today),
        }

    return await visit.read(read)


def by_day(counted: Mapping[date, int], first: date) -> list[tuple[date, int]]:
    """Give a number for each of the coming days, also for those without anybody."""
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return [(d, counted.get(d, 0)) for d in days]


def flow_of(rows: Sequence[Mapping[str, Any]]) -> Flow:
    """Lay the flow picture out: heights are in proportion to people."""
    origins = _column(rows, "origin")
    destinations = _column(rows, "destination")
    left = {code: node.y for code, node in origins.items()}
    right = {code: node.y for code, node in destinations.items()}
    bands = []
    for row in sorted(rows, key=lambda r: (right[r["destination"]], left[r["origin"]])):
        start, end, n = row["origin"], row["destination"], row["n"]
        width = max(1.5, n * _scale(rows, max(len(left), len(right))))
        a, b = left[start] + width / 2, right[end] + width / 2
        left[start] += width
        right[end] += width
        title = f"{_name(start)} → {_name(end)} {n}"
        bands.append(Band(_curve(a, b), round(width, 1), n, title))
    nodes = [*origins.values(), *destinations.values()]
    height = max((n.y + n.h for n in nodes), default=_HEIGHT) + _GAP
    return Flow(list(origins.values()), list(destinations.values()), bands, height)


def _column(rows: Sequence[Mapping[str, Any]], side: str) -> dict[str, Node]:
    counted: dict[str, int] = {}
    for row in rows:
        counted[row[side]] = counted.get(row[side], 0) + row["n"]
    sides = max(len({r["origin"] for r in rows}), len({r["destination"] for r in rows}), 1)
    scale = _scale(rows, sides)
    y = float(_GAP)
    found = {}
    for code, n in sorted(counted.items(), key=lambda item: -item[1]):
        height = max(1.5, n * scale)
        found[code] = Node(_name(code), n, round(y, 1), round(height, 1))
        y += height + _GAP
    return found


def _scale(rows: Sequence[Mapping[str, Any]], sides: int) -> float:
    """Give the picture's units for one person; a few people stay a thin band."""
    total = sum(r["n"] for r in rows) or 1
    room = _HEIGHT - _GAP * (sides - 1)
    return min(_UNITS_MAX, float(room * 0.92 / total))


def _name(code: object) -> str:
    text = str(code or "")
    return area(text) if text[:2] == "31" else (division_name(text) or text or "—")


def _curve(a: float, b: float) -> str:
    start, end = _LEFT + _NODE, _RIGHT
    middle = (start + end) / 2
    return f"M{start} {a:.1f}C{middle} {a:.1f} {middle} {b:.1f} {end} {b:.1f}"
