"""Whose each id is, from what the topics say: who is named in an event may know its ids."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts import BrokenEnvelopeError, DecodeError, Envelope, Event, decode
from contracts.recruitment import DriveFact, VacancyFact
from stack.accounts import Account
from stack.client import accounts_of
from stack.plan import Plan
from stack.reading import records

#: The ids of facts that belong to tenants; inns, beds, programmes and tenants are known to all.
KINDS = (
    "batch_id", "nomination_id", "hire_id", "worker_id", "drive_id", "vacancy_id", "offer_id",
    "placement_id", "group_id", "trip_id", "booking_id", "stay_id", "stay_request_id",
)  # fmt: skip
Ids = dict[str, set[str]]


@dataclass
class Audience:
    """Which tenants may know of an id, by kind and id: those that an event with it names."""

    tenants: Mapping[str, Account]
    known: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    @classmethod
    async def of(cls, plan: Plan) -> "Audience":
        """Read all topics from their start."""
        found = cls({a.tenant_id: a for a in accounts_of(plan)})
        events = []
        async for record in records(plan.ports.kafka(plan.brokers).bootstrap_servers):
            try:
                events.append(decode(Envelope.from_headers(record.headers), record.value))
            except (BrokenEnvelopeError, DecodeError):
                continue  # What a test threw in is nobody's.
        # Vacancies are known to whom their drive is: drives first.
        for event in sorted(events, key=lambda e: not isinstance(e, DriveFact)):
            found._hear(event)
        return found

    def foreign(self, account: Account) -> Ids:
        """Give by kind the ids that no event names together with this tenant."""
        return {
            kind: {i for i, tenants in ids.items() if account.tenant_id not in tenants}
            for kind, ids in self.known.items()
        }

    def _hear(self, event: Event) -> None:
        fields = event.model_dump(mode="json")
        named = {str(fields.get("office_id")), str(fields.get("enterprise_id"))}
        named |= {t for t, a in self.tenants.items() if fields.get("inn_id") in a.inn_ids}
        if isinstance(event, DriveFact):
            named |= {str(e) for e in event.enterprises}
            named |= {t for t, a in self.tenants.items() if a.division_code in event.origins}
        if isinstance(event, VacancyFact):
            # The offices of its drive; other enterprises of the drive are not told.
            drive = self.known["drive_id"][str(event.drive_id)]
            named |= {t for t in drive if self.tenants[t].tenant_kind == "office"}
        for kind, value in _ids(fields):
            if not (isinstance(event, VacancyFact) and kind == "drive_id"):
                self.known[kind][value] |= named & set(self.tenants)


def _ids(fields: Any) -> Iterator[tuple[str, str]]:
    if isinstance(fields, dict):
        for name, value in fields.items():
            if name in KINDS and value:
                yield name, value
            yield from _ids(value)
