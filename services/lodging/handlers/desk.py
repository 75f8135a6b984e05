"""The desk of one transaction: stays that change, beds given and taken, and what is said of it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from contracts import Event
from contracts.lodging import StayChanged, StayReleased, StayRequested, StayWaitlisted
from services.lodging.domain.calendar import Nights
from services.lodging.domain.house import Bed
from services.lodging.domain.stay import BEDDED, State, Stay, Step
from services.lodging.store import stays as store
from services.lodging.store.facts import Cause
from shared.transaction import Tx

# Before any night that was ever sold.
EVER: Final = date(2000, 1, 1)


@dataclass(slots=True)
class Desk:
    """Collects changes; `flush` writes them in a handful of statements.

    `causes` are the events that led to them, by person; else it is the command, or time alone.
    """

    tx: Tx
    causes: dict[UUID, Cause] = field(default_factory=dict)
    freed: bool = False
    new: list[Stay] = field(default_factory=list)
    changed: dict[UUID, Stay] = field(default_factory=dict)
    cuts: list[tuple[UUID, date]] = field(default_factory=list)
    given: list[store.Occupied] = field(default_factory=list)

    def say(self, kind: type[Event], stay: Stay, **more: object) -> None:
        """Say something about a stay, with every id that is known."""
        self.changed[stay.stay_id] = stay
        if kind is not StayRequested and not stay.announced:
            self.announce(stay)
        own = self.tx.command_id, self.tx.traceparent
        cause = self.causes.get(stay.worker_id)
        if cause is not None and cause.cause_id is not None:
            self.tx.command_id, self.tx.traceparent = cause.cause_id, cause.traceparent
        self.tx.say(
            _event(kind, stay, more), tenant_id=stay.enterprise_id, journey_id=stay.journey_id
        )
        self.tx.command_id, self.tx.traceparent = own

    def remember_cause(self, stay: Stay) -> None:
        """Keep with the stay what it goes back to: what is decided of it later names it, too."""
        cause = self.causes.get(stay.worker_id)
        if cause is not None:
            stay.cause_id, stay.traceparent = cause.cause_id, cause.traceparent

    def recall_cause(self, stay: Stay) -> None:
        """Speak of a stay because of what is kept with it, unless there is a newer cause."""
        if stay.cause_id is not None:
            self.causes.setdefault(stay.worker_id, Cause(stay.cause_id, stay.traceparent))

    @property
    def must_flush(self) -> bool:
        """Tell whether a look at beds, groups or the waitlist would miss what isn't written yet."""
        touched = (*self.new, *self.changed.values())
        return bool(self.cuts or self.given or any(s.group_id for s in touched)) or any(
            s.state is State.WAITLISTED for s in touched
        )

    def announce(self, stay: Stay) -> None:
        """Say that a stay is requested: the first thing said of it."""
        stay.announced = True
        stay.journey_id = stay.journey_id or stay.nomination_id or stay.hire_id or stay.stay_id
        self.say(StayRequested, stay)

    def add(self, stay: Stay) -> None:
        """Take a new stay in; it is announced as soon as its journey is known."""
        self.new.append(stay)
        if stay.nomination_id or stay.hire_id:
            self.announce(stay)

    def release(self, stay: Stay, reason: str, rule: str | None = None) -> None:
        """Give up a stay, and its bed if it has one."""
        self._drop_bed(stay)
        stay.take(Step.RELEASE)
        stay.give_back()
        stay.reason, stay.rule = reason, rule
        self.say(StayReleased, stay)

    def waitlist(self, stay: Stay, reason: str) -> None:
        """Put a stay on the waitlist; it loses the bed it had."""
        self._drop_bed(stay)
        stay.take(Step.WAITLIST)
        stay.lose_bed()
        stay.reason = reason
        self.say(StayWaitlisted, stay)

    def give_nights_back(self, stay: Stay, since: date = EVER) -> None:
        """Free the bed from a night on."""
        self.cuts.append((stay.stay_id, since))
        self.freed = True

    def give_bed(self, stay: Stay, bed: Bed, nights: Nights) -> None:
        """Let the stay have a bed on some nights; the caller has cut the nights it had."""
        stay.inn_id, stay.bed_id = bed.room.inn.inn_id, bed.bed_id
        self.given.append(
            store.Occupied(
                stay.stay_id, bed.bed_id, bed.room.room_id, bed.room.inn.inn_id, stay.worker_id,
                stay.gender or "", stay.family_id or stay.stay_id, nights,
            )
        )  # fmt: skip
        self.changed[stay.stay_id] = stay

    def change(self, stay: Stay, reason: str) -> None:
        """Say that a stay is another now."""
        stay.take(Step.CHANGE)
        stay.reason = reason
        self.say(StayChanged, stay)

    async def flush(self) -> None:
        """Write everything: changed stays, new ones, nights given back, then beds given."""
        # A new stay of a placement is refused by the database while its old one lives.
        made = {s.stay_id for s in self.new}
        await store.update_stays(self.tx, [s for i, s in self.changed.items() if i not in made])
        if self.new:
            await store.insert_stays(self.tx, self.new)
        await store.delete_nights(self.tx, self.cuts)
        if self.given:
            await store.insert_occupancy(self.tx, self.given)
        if self.freed:
            await store.update_freed(self.tx, freed=True)
            self.tx.wake("settle")
        self.new, self.changed, self.cuts, self.given = [], {}, [], []
        self.freed = False

    def _drop_bed(self, stay: Stay) -> None:
        if stay.state in BEDDED:
            self.give_nights_back(stay)


def _event(kind: type[Event], stay: Stay, more: dict[str, object]) -> Event:
    return kind.model_validate(
        {
            "stay_id": stay.stay_id,
            "stay_request_id": stay.stay_request_id,
            "worker_id": stay.worker_id,
            "office_id": stay.office_id,
            "enterprise_id": stay.enterprise_id,
            "nomination_id": stay.nomination_id,
            "hire_id": stay.hire_id,
            "placement_id": stay.placement_id,
            "programme": stay.programme,
            "rule_version": stay.rule_version,
            "inn_id": stay.inn_id,
            "bed_id": stay.bed_id,
            "check_in_on": stay.check_in_on,
            "check_out_on": stay.check_out_on,
            "expected_at": stay.expected_at,
            "group_id": stay.group_id,
            "group_bed_count": stay.group_size if stay.group_id else None,
            "expires_at": stay.expires_at,
            "reason": stay.reason,
            "rule": stay.rule,
            **more,
        }
    )
