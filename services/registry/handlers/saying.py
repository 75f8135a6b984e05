"""Builds the registry's events from its own words."""

from uuid import UUID

from contracts.registry import (
    HireSite,
    NominationChanged,
    NominationEnded,
    WorkerHired,
    WorkerNominated,
    WorkerRegistered,
    WorkerUpdated,
)
from services.registry.domain import Profile, hire_journey
from services.registry.store.nominations import Hire, Live, Nomination
from shared.handlers import Received
from shared.transaction import Tx

Cause = Received | None  # type: ignore[type-arg]


def say_registered(tx: Tx, worker_id: UUID, profile: Profile) -> None:
    """Say that a person is known for the first time."""
    event = WorkerRegistered(worker_id=worker_id, **profile.as_fields())
    tx.say(event, tenant_id=None, journey_id=worker_id, is_first=True)


def say_updated(tx: Tx, worker_id: UUID, profile: Profile) -> None:
    """Say a person's new profile."""
    tx.say(WorkerUpdated(worker_id=worker_id, **profile.as_fields()), tenant_id=None)


def _whole(nomination: Nomination, profile: Profile) -> dict[str, object]:
    return {
        **profile.as_fields(),
        "nomination_id": nomination.nomination_id,
        "worker_id": nomination.worker_id,
        "office_id": nomination.office_id,
        "batch_id": nomination.batch_id,
        "drive_id": nomination.drive_id,
        "available_from": nomination.wishes.available_from,
        "boarding_place_code": nomination.wishes.boarding_place_code,
        "needs_bed": nomination.wishes.needs_bed,
        "group_id": nomination.group_id,
        "group_size": nomination.group_size,
    }


def say_nominated(tx: Tx, nomination: Nomination, profile: Profile) -> None:
    """Say that an office offers a person."""
    event = WorkerNominated(**_whole(nomination, profile))
    office_id, journey_id = nomination.office_id, nomination.nomination_id
    tx.say(event, tenant_id=office_id, journey_id=journey_id, is_first=True)


def say_nomination_changed(tx: Tx, live: Live, profile: Profile, changed: tuple[str, ...]) -> None:
    """Say a nomination's new whole."""
    known = {"enterprise_id": live.enterprise_id, "placement_id": live.placement_id}
    event = NominationChanged(**_whole(live.nomination, profile), **known, changed=changed)
    tx.say(event, tenant_id=live.nomination.office_id)


def say_nomination_ended(tx: Tx, live: Live, reason: str, cause: Cause = None) -> None:
    """Say that an office no longer offers a person."""
    nomination = live.nomination
    event = NominationEnded.model_validate(
        {
            "nomination_id": nomination.nomination_id,
            "worker_id": nomination.worker_id,
            "office_id": nomination.office_id,
            "drive_id": nomination.drive_id,
            "enterprise_id": live.enterprise_id,
            "placement_id": live.placement_id,
            "reason": reason,
        }
    )
    tx.say(event, tenant_id=nomination.office_id, journey_id=nomination.nomination_id, cause=cause)


def say_hired(tx: Tx, enterprise_id: UUID, batch_id: UUID, hire: Hire, profile: Profile) -> None:
    """Say that a person is on an enterprise's roster of new hires."""
    event = WorkerHired(
        hire_id=hire.hire_id,
        worker_id=hire.worker_id,
        enterprise_id=enterprise_id,
        batch_id=batch_id,
        hired_on=hire.hired_on,
        site=HireSite(**hire.site) if hire.site else None,
        **profile.as_fields(),
    )
    journey_id = hire_journey(hire.hire_id, hire.live_nomination_id)
    tx.say(event, tenant_id=enterprise_id, journey_id=journey_id)
