"""What is printed of a trip: its head, and a line for each passenger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from contracts.reference import place
from services.transport.domain.ticket import Ticket
from services.transport.domain.trip import SHANGHAI
from services.transport.printing.names import Person

#: Whom the registry doesn't show to the caller.
WITHHELD: Final = "（未授权）"
_STATES: Final = {
    "booked": "未上车",
    "boarded": "已上车",
    "missed": "未乘车",
    "handed_over": "已交接",
}
_KINDS: Final = {"coach": "包车", "carriage": "包车厢", "train": "专列", "flight": "包机"}


@dataclass(frozen=True, slots=True)
class Line:
    """A passenger on paper."""

    number: int
    name: str
    resident_id: str
    board: str
    alight: str
    departs: str
    group: str
    state: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A manifest on paper; `facts` are captions and values, `stops` places with their times."""

    title: str
    facts: Sequence[tuple[str, str]]
    stops: Sequence[str]
    lines: Sequence[Line]

    @classmethod
    def of(
        cls,
        trip: Mapping[str, Any],
        passengers: Sequence[Mapping[str, Any]],
        persons: Mapping[UUID, Person],
        stamp: "Stamp",
    ) -> "Sheet":
        """Put a trip, its passengers as `views` gives them, and their names together."""
        groups = _numbered(passengers)
        lines = [
            _line(n, p, persons.get(p["worker_id"]), groups, stamp)
            for n, p in enumerate(passengers, start=1)
        ]
        stops = [_stop(s) for s in trip["stops"]]
        return cls(_title(trip), _facts(trip, len(lines), stamp), stops, lines)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When it is printed, and with which key its tickets are signed."""

    printed_at: datetime
    key: bytes


def _line(
    number: int,
    passenger: Mapping[str, Any],
    person: Person | None,
    groups: Mapping[UUID, str],
    stamp: Stamp,
) -> Line:
    ticket = Ticket(
        passenger["trip_id"],
        passenger["booking_id"],
        passenger["board_stop"],
        passenger["alight_stop"],
    )
    return Line(
        number,
        (person and person.name) or WITHHELD,
        (person and person.resident_id) or "",
        place_name(passenger["board_stop"]),
        place_name(passenger["alight_stop"]),
        moment(passenger["departs_at"]),
        groups.get(passenger["group_id"], ""),
        _STATES.get(passenger["state"], passenger["state"]),
        ticket.signed(stamp.key),
    )


def _numbered(passengers: Sequence[Mapping[str, Any]]) -> dict[UUID, str]:
    ids = dict.fromkeys(p["group_id"] for p in passengers if p["group_id"])
    return {group_id: str(n) for n, group_id in enumerate(ids, start=1)}


def _title(trip: Mapping[str, Any]) -> str:
    first, last = trip["stops"][0], trip["stops"][-1]
    return f"乘车名单 {place_name(first['place_code'])} 至 {place_name(last['place_code'])}"


def _stop(stop: Mapping[str, Any]) -> str:
    """Say when one leaves a place, or arrives at the last one."""
    at = datetime.fromisoformat(stop["departs_at"] or stop["arrives_at"])
    word = "开" if stop["departs_at"] else "到"
    return f"{place_name(stop['place_code'])} {moment(at)} {word}"


def _facts(trip: Mapping[str, Any], count: int, stamp: Stamp) -> list[tuple[str, str]]:
    vehicle = trip["vehicle"]
    departs_at = datetime.fromisoformat(trip["stops"][0]["departs_at"])
    return [
        ("车辆 Vehicle", f"{_KINDS[vehicle['kind']]} {vehicle['plate']}"),
        ("核定载客 Seats", str(vehicle["licensed_capacity"])),
        ("承运单位 Operator", trip["operator"]),
        ("合同编号 Contract", trip["contract_number"]),
        ("驾驶员 Crew", "、".join(trip["crew"])),
        ("跟车人员 Escort", trip["escort"]),
        ("发车 Departs", moment(departs_at)),
        ("人数 Passengers", str(count)),
        ("名单版本 Version", str(trip["manifest_version"] or "未发布 unpublished")),
        ("打印时间 Printed", moment(stamp.printed_at)),
    ]


def place_name(code: str) -> str:
    """Give a place's name, or its code when it isn't in the reference table."""
    found = place(code)
    return found.name if found else code


def moment(instant: datetime) -> str:
    """Give an instant as people write it in Shanghai."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
