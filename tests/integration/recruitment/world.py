"""A world for recruitment's tests: drives, vacancies, persons, and rounds run by hand."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from contracts import Event
from contracts.recruitment import DriveAnnounced, VacancyPosted
from contracts.registry import WorkerBatchValidated, WorkerNominated
from services.recruitment.consumers import HANDLERS
from services.recruitment.handlers import drives
from services.recruitment.handlers.houserules import DEFAULT, HouseRules
from services.recruitment.handlers.offers import expire_offers
from services.recruitment.handlers.rounds import match_due
from services.recruitment.handlers.speech import SYSTEM
from services.recruitment.store import retention
from shared.clock import civil_date, real_now
from shared.database import Database
from shared.handlers import Received
from shared.ids import Ids
from tests.support.events import heard, received

IDS = Ids()
#: The default start is far enough from midnight.
TODAY = civil_date(real_now())
ENTERPRISE = IDS.uuid7()
OTHER_ENTERPRISE = IDS.uuid7()
OFFICE = IDS.uuid7()
SEWER = "6-05-01-00"
JIADING = {"name": "嘉定一号车间", "division_code": "310114", "town": "南翔镇"}


def a_drive(**overrides: Any) -> DriveAnnounced:
    fields = {
        "drive_id": IDS.uuid7(),
        "title": "春风行动",
        "kind": "spring_breeze",
        "origins": ("530900",),
        "enterprises": (ENTERPRISE, OTHER_ENTERPRISE),
        "opens_on": TODAY,
        "closes_on": TODAY + timedelta(days=60),
        "acceptance": "by_office",
        "runs_transport": True,
        "priority": 3,
    }
    return DriveAnnounced.model_validate(fields | overrides)


def a_vacancy(drive_id: UUID, **overrides: Any) -> VacancyPosted:
    fields = {
        "vacancy_id": IDS.uuid7(),
        "drive_id": drive_id,
        "enterprise_id": ENTERPRISE,
        "site": JIADING,
        "title": "缝纫工",
        "occupation_code": SEWER,
        "openings": 5,
        "starts_on": TODAY + timedelta(days=30),
        "monthly_pay_min": 6000,
        "monthly_pay_max": 8000,
        "programme": "YOUJIA",
        "nights": 10,
    }
    return VacancyPosted.model_validate(fields | overrides)


def a_nomination(drive_id: UUID | None, **overrides: Any) -> WorkerNominated:
    fields = {
        "nomination_id": IDS.uuid7(),
        "worker_id": IDS.uuid4(),
        "office_id": OFFICE,
        "batch_id": IDS.uuid7(),
        "drive_id": drive_id,
        "gender": "female",
        "birth_year_month": "1995-03",
        "origin_division_code": "530902",
        "education_code": "70",
        "occupation_codes": (SEWER,),
        "available_from": TODAY + timedelta(days=5),
        "boarding_place_code": "530902-00",
        "needs_bed": True,
    }
    return WorkerNominated.model_validate(fields | overrides)


def a_group(drive_id: UUID, size: int, **overrides: Any) -> list[WorkerNominated]:
    group_id, batch_id = IDS.uuid7(), IDS.uuid7()
    together = {"group_id": group_id, "group_size": size, "batch_id": batch_id}
    return [a_nomination(drive_id, **together, **overrides) for _ in range(size)]


def a_validation(batch_id: UUID, count: int, **overrides: Any) -> WorkerBatchValidated:
    fields = {
        "batch_id": batch_id,
        "kind": "origin_roster",
        "office_id": OFFICE,
        "row_count": count,
        "accepted_count": count,
        "rejected_count": 0,
        "duplicate_count": 0,
        "warning_count": 0,
        "nominated_count": count,
        "group_count": 0,
    }
    return WorkerBatchValidated.model_validate(fields | overrides)


class _UndoneError(Exception):
    pass


class World:
    """One database with an open drive; what is said is read from the outbox."""

    def __init__(self, db: Database, superuser_url: str) -> None:
        self.db = db
        self.superuser_url = superuser_url

    async def open_drive(self, *vacancies: dict[str, Any], **overrides: Any) -> UUID:
        """Announce and open a drive with these vacancies; give its id."""
        event = a_drive(**overrides)
        async with self.db.transaction(role="worker") as tx:
            await drives.announce(tx, event)
            await drives.open_drive(tx, event.drive_id)
            for vacancy in vacancies:
                await drives.post_vacancies(tx, [a_vacancy(event.drive_id, **vacancy)])
        return event.drive_id

    async def post(self, drive_id: UUID, **overrides: Any) -> UUID:
        """Post a vacancy; give its id."""
        event = a_vacancy(drive_id, **overrides)
        async with self.db.transaction(role="worker") as tx:
            await drives.post_vacancies(tx, [event])
        return event.vacancy_id

    async def close_drive(self, drive_id: UUID) -> None:
        async with self.db.transaction(role="worker") as tx:
            await drives.close(tx, drive_id, SYSTEM)

    async def hear(self, *events: Event) -> None:
        await heard(self.db, HANDLERS, events)

    async def hear_and_name(self, *events: Event) -> list[str]:
        """Hear events, and give the ids they came with."""
        return [str(one.envelope.id) for one in await heard(self.db, HANDLERS, events)]

    async def today(self) -> date:
        """Give the civil date in Shanghai, by business time."""
        async with self.db.transaction(role="worker") as tx:
            return tx.today

    async def follow_calendar(self) -> int:
        """Open and close drives by their dates until no date is left to follow; tell how many."""
        done = 0
        while True:
            async with self.db.transaction(role="worker") as tx:
                stepped = await drives.follow_calendar(tx)
            if not stepped:
                return done
            done += stepped

    async def hear_as_of(self, said_at: datetime, event: Event) -> None:
        """Hear an event that was said at that time."""
        late = received(event)
        await heard(self.db, HANDLERS, [Received(event, late.envelope._replace(time=said_at))])

    async def make_checks_due(self) -> int:
        async with self.db.transaction(role="worker") as tx:
            return await retention.mark_due(tx)

    async def rounds(self, house_rules: HouseRules = DEFAULT) -> None:
        """Let everything that is marked be due, and run rounds until nothing is left."""
        for _ in range(100):
            async with self.db.transaction(role="worker") as tx:
                await tx.execute("UPDATE match_due SET due_at = clock_timestamp()")
                if not await match_due(house_rules, tx):
                    return
        raise AssertionError("rounds never come to an end")

    async def run_one_round(self) -> int:
        """Run a round if one is due by its own time."""
        async with self.db.transaction(role="worker") as tx:
            return await match_due(DEFAULT, tx)

    async def round_and_undo(self) -> list[tuple[Any, ...]]:
        """Run the rounds that are marked, tell which pairs were offered, and undo everything."""
        found: list[tuple[Any, ...]] = []
        with suppress(_UndoneError):
            async with self.db.transaction(role="worker") as tx:
                await tx.execute("UPDATE match_due SET due_at = clock_timestamp()")
                while await match_due(DEFAULT, tx):
                    pass
                rows = await tx.fetch("SELECT nomination_id, vacancy_id FROM offer")
                found = [tuple(r) for r in rows]
                raise _UndoneError
        return found

    async def expire(self) -> int:
        async with self.db.transaction(role="worker") as tx:
            return await expire_offers(tx)

    async def nominate(self, *nominations: WorkerNominated) -> None:
        """Hear persons with their batch, and run the rounds that follow."""
        sizes: dict[UUID, int] = {}
        for one in nominations:
            sizes[one.batch_id] = sizes.get(one.batch_id, 0) + 1
        await self.hear(*nominations, *(a_validation(b, n) for b, n in sizes.items()))
        await self.rounds()

    async def said(self, *types: str) -> list[dict[str, Any]]:
        """Give what was said so far, in order: `{event_id, type, tenant, journey, cause, ...}`."""
        async with self.db.transaction(role="worker") as tx:
            rows = await tx.fetch("SELECT headers, body FROM outbox ORDER BY outbox_id")
        found = [
            {
                "type": r["headers"]["ce_type"].removeprefix("recruitment.").removesuffix(".v1"),
                "event_id": r["headers"]["ce_id"],
                "tenant": r["headers"]["ce_tenantid"],
                "journey": r["headers"]["ce_correlationid"],
                "cause": r["headers"]["ce_causationid"],
                **json.loads(r["body"]),
            }
            for r in rows
        ]
        return [f for f in found if not types or f["type"] in types]

    async def said_of(self, nomination_id: UUID) -> list[str]:
        """List the types of what was said on a journey."""
        return [f["type"] for f in await self.said() if f["journey"] == str(nomination_id)]

    async def advance(self, interval: str) -> None:
        """Move the business clock forward, as `shanhai clock advance` does."""
        conn = await asyncpg.connect(self.superuser_url)
        try:
            await conn.execute(
                "UPDATE business_clock SET offset_interval = offset_interval + $1::text::interval",
                interval,
            )
        finally:
            await conn.close()

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        async with self.db.transaction(role="worker") as tx:
            return [dict(r) for r in await tx.fetch(sql, *args)]

    async def value(self, sql: str, *args: Any) -> Any:
        async with self.db.transaction(role="worker") as tx:
            return await tx.fetchval(sql, *args)

    async def run(self, sql: str) -> None:
        async with self.db.transaction(role="worker") as tx:
            await tx.execute(sql)

    async def forget(self) -> None:
        """Empty the database for another drive."""
        conn = await asyncpg.connect(self.superuser_url)
        try:
            await conn.execute(
                "TRUNCATE drive, nomination, batch, erased_worker, match_due CASCADE"
            )
        finally:
            await conn.close()

    async def counts(self) -> list[tuple[int, int, int]]:
        """Give of each vacancy: openings, taken, placed; after holding them against the rows."""
        rows = await self.rows(_COUNTS)
        for row in rows:
            assert row["taken_count"] == row["open_offers"] + row["live"], row
            assert row["placed_count"] == row["live"], row
        return [(r["openings"], r["taken_count"], r["placed_count"]) for r in rows]


_COUNTS = """
SELECT v.openings, v.taken_count, v.placed_count,
    (SELECT count(*) FROM offer o WHERE o.vacancy_id = v.vacancy_id AND (o.state = 'made' OR
        o.pending)) AS open_offers,
    (SELECT count(*) FROM placement p WHERE p.vacancy_id = v.vacancy_id AND p.state <>
        'cancelled') AS live
FROM vacancy v ORDER BY v.vacancy_id
"""


async def ok(response: httpx2.Response) -> dict[str, Any]:
    """Give the body of an answer that is no refusal."""
    assert response.status_code < 300, response.text
    found: dict[str, Any] = response.json()
    return found


def ids(rows: Iterable[dict[str, Any]], name: str) -> Sequence[str]:
    return sorted(r[name] for r in rows)
