"""What the other services tell the registry, in tests."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.lodging import GuestCheckedIn, GuestCheckedOut, StayConfirmed
from contracts.recruitment import (
    NominationUnplaced,
    PlacementCancelled,
    PlacementConfirmed,
    PlacementStarted,
    RetentionChecked,
)
from contracts.transport import (
    PassengerBoarded,
    PassengerHandedOver,
    SeatBooked,
    SeatChanged,
    TripClosed,
    Vehicle,
)
from shared.clock import civil_date, real_now
from shared.ids import Ids

IDS = Ids()
DAY = date(2027, 3, 1)
NOW = datetime(2027, 2, 25, 8, 0, tzinfo=UTC)
#: A day that is over, whenever that is: a roster of new hires takes no other.
HIRED_ON = civil_date(real_now()) - timedelta(days=6)
DRIVE, VACANCY = IDS.uuid7(), IDS.uuid7()


class Way:
    """One person's way after a nomination; each event is what a service would say."""

    def __init__(self, nominated: dict[str, Any], enterprise_id: UUID) -> None:
        self.ids = {
            "worker_id": UUID(nominated["worker_id"]),
            "office_id": UUID(nominated["office_id"]),
            "nomination_id": UUID(nominated["nomination_id"]),
            "enterprise_id": enterprise_id,
            "placement_id": IDS.uuid7(),
        }
        self.trip_id, self.inn_id = IDS.uuid7(), IDS.uuid7()
        self.booking_id, self.stay_id = IDS.uuid7(), IDS.uuid7()

    def confirmed(self) -> PlacementConfirmed:
        return PlacementConfirmed.model_validate(
            self.ids
            | {
                "gender": "female",
                "drive_id": DRIVE,
                "vacancy_id": VACANCY,
                "site": {"name": "一厂", "division_code": "310114", "town": "南翔镇"},
                "starts_on": DAY,
                "hired_on": DAY,
                "origin_division_code": "530902",
                "available_from": DAY,
                "needs_seat": True,
                "needs_bed": True,
            }
        )

    def cancelled(self) -> PlacementCancelled:
        return PlacementCancelled.model_validate(self.ids | {"by": "enterprise", "reason": "other"})

    def started(self) -> PlacementStarted:
        return PlacementStarted.model_validate(self.ids | {"by": "enterprise", "started_on": DAY})

    def asked(self, months: int, result: str, due_on: date, answered_on: date) -> RetentionChecked:
        told = {"milestone_months": months, "result": result}
        days = {"due_on": due_on, "answered_on": answered_on}
        return RetentionChecked.model_validate(self.ids | told | days)

    def unplaced(self, reason: str) -> NominationUnplaced:
        return NominationUnplaced.model_validate(self.ids | {"round": 1, "reason": reason})

    def booked(self) -> SeatBooked:
        return SeatBooked.model_validate(
            self.ids
            | {
                "booking_id": self.booking_id,
                "trip_id": self.trip_id,
                "board_stop": "530902-00",
                "alight_stop": "310114-00",
                "departs_at": NOW,
                "arrives_at": NOW,
                "arrival_division_code": "310114",
            }
        )

    def boarded(self) -> PassengerBoarded:
        seat = {"booking_id": self.booking_id, "trip_id": self.trip_id}
        return PassengerBoarded.model_validate(self.ids | seat | {"at": NOW, "stop": "530902-00"})

    def delayed(self) -> SeatChanged:
        told = self.booked().model_dump() | {"changed": ("arrives_at",), "reason": "delayed"}
        return SeatChanged.model_validate(told)

    def handed_over(self) -> PassengerHandedOver:
        told = self.boarded().model_dump() | {"outcome": "received"}
        return PassengerHandedOver.model_validate(told)

    def closed(self) -> TripClosed:
        return TripClosed(
            trip_id=self.trip_id,
            destination_division_code="310000",
            stops=(),
            vehicle=Vehicle(kind="coach", licensed_capacity=50),
            minimum_load=20,
        )

    def stay(self) -> StayConfirmed:
        return StayConfirmed.model_validate(
            self.ids
            | {
                "stay_id": self.stay_id,
                "inn_id": self.inn_id,
                "rule_version": 1,
                "check_in_on": DAY,
                "check_out_on": date(2027, 3, 6),
            }
        )

    def checked_in(self) -> GuestCheckedIn:
        guest = {"stay_id": self.stay_id, "inn_id": self.inn_id, "at": NOW}
        return GuestCheckedIn.model_validate(self.ids | guest)

    def checked_out(self) -> GuestCheckedOut:
        guest = {"stay_id": self.stay_id, "inn_id": self.inn_id, "at": NOW}
        return GuestCheckedOut.model_validate(self.ids | guest)
