"""What the registry says: batches, persons without their names, nominations and hires."""

from typing import Literal
from uuid import UUID

from contracts.event import Event, PersonFact
from contracts.fields import (
    Code,
    Count,
    Day,
    DivisionCode,
    Gender,
    Part,
    Pay,
    PlaceCode,
    ReferenceCode,
    Title,
    YearMonth,
)

BatchKind = Literal["origin_roster", "new_hires"]


class BatchFact(Event):
    """Ids of a worker batch; it belongs to an office or to an enterprise."""

    batch_id: UUID
    kind: BatchKind
    office_id: UUID | None = None
    enterprise_id: UUID | None = None
    drive_id: UUID | None = None


class WorkerBatchSubmitted(BatchFact, service="registry", noun="batch", key="batch_id"):
    """A roster was taken in; its rows are still to be checked."""


class WorkerBatchValidated(BatchFact, service="registry", noun="batch", key="batch_id"):
    """Every row has its answer; the accepted ones were nominated (or hired) not later than this."""

    row_count: Count
    accepted_count: Count
    rejected_count: Count
    duplicate_count: Count
    warning_count: Count
    nominated_count: Count
    group_count: Count


class WorkerBatchRejected(BatchFact, service="registry", noun="batch", key="batch_id"):
    """Rows were rejected and none was accepted."""

    row_count: Count
    accepted_count: Count
    rejected_count: Count
    duplicate_count: Count
    warning_count: Count


class Profile(Event):
    """What others may know of a person: enough to match, too little to find."""

    gender: Gender
    birth_year_month: YearMonth
    origin_division_code: DivisionCode
    education_code: ReferenceCode | None = None
    certificate_codes: tuple[ReferenceCode, ...] = ()
    occupation_codes: tuple[ReferenceCode, ...] = ()
    preferred_pay_min: Pay | None = None
    preferred_pay_max: Pay | None = None


class WorkerRegistered(Profile, service="registry", noun="worker", key="worker_id"):
    """A person is known for the first time."""

    worker_id: UUID


class WorkerUpdated(Profile, service="registry", noun="worker", key="worker_id"):
    """The new whole of a person's profile."""

    worker_id: UUID


class WorkerErased(Event, service="registry", noun="worker", key="worker_id"):
    """Nothing is known of this person any more; everyone keeps a tombstone."""

    worker_id: UUID


class NominationFact(PersonFact, Profile):
    """The whole of a nomination, with the person's profile, so that nobody has to join."""

    nomination_id: UUID
    office_id: UUID
    batch_id: UUID
    drive_id: UUID | None = None
    available_from: Day
    boarding_place_code: PlaceCode | None = None
    group_id: UUID | None = None
    group_size: Count | None = None
    needs_bed: bool


class WorkerNominated(NominationFact, service="registry", noun="nomination", key="nomination_id"):
    """An office offers a person."""


class NominationChanged(NominationFact, service="registry", noun="nomination", key="nomination_id"):
    """The new whole of a nomination; `changed` names the fields."""

    changed: tuple[Code, ...]


class NominationEnded(PersonFact, service="registry", noun="nomination", key="nomination_id"):
    """An office no longer offers a person; another one may."""

    nomination_id: UUID
    office_id: UUID
    drive_id: UUID | None = None
    reason: Literal["started", "withdrawn", "drive_closed", "expired", "erased"]


class HireSite(Part):
    """Where a new hire works, as far as the roster told."""

    name: Title
    division_code: DivisionCode | None = None
    town: Title | None = None


class WorkerHired(PersonFact, Profile, service="registry", noun="hire", key="hire_id"):
    """A person is on an enterprise's roster of new hires; a correction has the same id."""

    hire_id: UUID
    enterprise_id: UUID
    batch_id: UUID
    hired_on: Day
    site: HireSite | None = None
