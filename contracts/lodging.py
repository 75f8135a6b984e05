"""What lodging says: stays, guests, an enterprise's credit, an inn's capacity."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.event import Event, PersonFact
from contracts.fields import Code, Count, Day, Instant, ProgrammeCode, Title

CreditLevel = Literal["A", "B", "C", "revoked"]


class StayFact(PersonFact):
    """The whole of a stay; the check-out day's night is sellable."""

    stay_id: UUID
    enterprise_id: UUID
    stay_request_id: UUID | None = None
    programme: ProgrammeCode | None = None
    rule_version: Count
    inn_id: UUID | None = None
    bed_id: UUID | None = None
    check_in_on: Day
    check_out_on: Day
    expected_at: Instant | None = None
    group_id: UUID | None = None
    group_bed_count: Count | None = None
    expires_at: Instant | None = None
    reason: Code | None = None
    rule: Code | None = None


class StayRequested(StayFact, service="lodging", noun="stay", key="stay_id"):
    """A bed is wanted; the dates may be provisional."""


class StayHeld(StayFact, service="lodging", noun="stay", key="stay_id"):
    """A bed is kept until `expires_at`; without it the confirmation follows at once."""


class StayConfirmed(StayFact, service="lodging", noun="stay", key="stay_id"):
    """The enterprise's credit stands for the bed."""


class StayWaitlisted(StayFact, service="lodging", noun="stay", key="stay_id"):
    """No bed yet."""


class StayRejected(StayFact, service="lodging", noun="stay", key="stay_id"):
    """A rule stands against it; `rule` names it."""


class StayChanged(StayFact, service="lodging", noun="stay", key="stay_id"):
    """Other dates, another hour, bed or inn."""


class StayReleased(StayFact, service="lodging", noun="stay", key="stay_id"):
    """The bed, or the wish for one, is given up."""


class GuestFact(PersonFact):
    """What happened to a guest."""

    stay_id: UUID
    enterprise_id: UUID
    inn_id: UUID
    at: Instant


class GuestCheckedIn(GuestFact, service="lodging", noun="stay", key="stay_id"):
    """In the house."""


class GuestCheckedOut(GuestFact, service="lodging", noun="stay", key="stay_id"):
    """Out of the house; unused nights are given back."""


class GuestMissed(GuestFact, service="lodging", noun="stay", key="stay_id"):
    """Not there at the cut-off: the bed goes to the next in line."""


class EnterpriseCreditChanged(Event, service="lodging", noun="enterprise", key="enterprise_id"):
    """Decisions made from now on see this level."""

    enterprise_id: UUID
    level: CreditLevel
    from_level: CreditLevel | None = Field(None, alias="from")
    reason: Code


class InnCapacityChanged(Event, service="lodging", noun="inn", key="inn_id"):
    """An inn has `beds` beds in service on the nights from `from` to `to`, or for good."""

    inn_id: UUID
    town: Title
    beds: Count
    from_on: Day = Field(alias="from")
    to_on: Day | None = Field(None, alias="to")
