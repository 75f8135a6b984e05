"""A small world for lodging's tests: inns, a key enterprise, and what others say about persons."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from contracts import Event
from contracts.recruitment import PlacementCancelled, PlacementChanged, PlacementConfirmed, Site
from contracts.transport import SeatBooked, SeatChanged, SeatReleased
from services.lodging.consumers import HANDLERS
from services.lodging.domain.programme import CreditLevel
from services.lodging.domain.stay import Stay
from services.lodging.handlers import guests
from services.lodging.handlers.credit import put_key_enterprise
from services.lodging.handlers.inns import open_inn
from services.lodging.handlers.settle import settle
from services.lodging.store import programmes
from services.lodging.store.credit import KeyEntry
from services.lodging.store.houses import NewInn, NewRoom
from shared.database import Database
from shared.ids import Ids
from shared.transaction import Tx
from tests.support.events import heard

SHANGHAI = ZoneInfo("Asia/Shanghai")
USCC = "91310114MA1GT00006"
IDS = Ids()
JIADING = ("嘉定镇街道", "310114")
NANXIANG = ("南翔镇", "310114")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Give an instant from a civil time of day in Shanghai."""
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)


@dataclass
class World:
    """A lodging database with some inns, and one enterprise on the key list with a commitment."""

    db: Database
    enterprise_id: UUID = field(default_factory=uuid4)
    office_id: UUID = field(default_factory=uuid4)
    other_id: UUID = field(default_factory=uuid4)
    today: date = field(default_factory=lambda: datetime.now(SHANGHAI).date())
    #: What business time is in the transactions of a test; None: as the database says.
    now: datetime | None = None

    @property
    def first_night(self) -> date:
        """The night of the arrivals in most tests."""
        return self.today + timedelta(days=3)

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """Open a transaction of the service at the test's moment."""
        async with self.db.transaction(role="worker") as tx:
            tx.now = self.now or tx.now
            yield tx

    async def open(self) -> "World":
        """Put the enterprise on the key list, with a standing commitment for YOUJIA."""
        await self.list_enterprise(self.enterprise_id, USCC)
        async with self.tx() as tx:
            await programmes.insert_commitment(tx, self.enterprise_id, "YOUJIA")
        return self

    async def list_enterprise(self, enterprise_id: UUID, uscc: str, level: str = "A") -> None:
        """Make an enterprise known and put it on the key list."""
        async with self.tx() as tx:
            await tx.execute(
                "INSERT INTO tenant (tenant_id, kind, name, division_code, uscc, active)"
                " VALUES ($1, 'enterprise', '长兴', '310151', $2, true)",
                enterprise_id,
                uscc,
            )
            await tx.execute(
                "INSERT INTO key_enterprise VALUES ($1, '长兴', $2, $3, NULL, $4)",
                uscc,
                level,
                self.today - timedelta(days=100),
                tx.now,
            )

    async def inn(
        self, rooms: Sequence[int] = (2,), place: tuple[str, str] = JIADING, name: str = "客栈"
    ) -> UUID:
        """Open an inn with rooms of so many beds."""
        inn_id = IDS.uuid7()
        made = tuple(
            NewRoom(f"{n:03}", tuple("ABCDEFGH"[:size])) for n, size in enumerate(rooms, 101)
        )
        async with self.tx() as tx:
            await open_inn(tx, NewInn(inn_id, name, place[0], place[1], (), made))
        return inn_id

    def placement(self, **overrides: Any) -> PlacementConfirmed:
        """A man placed by the office at the enterprise, who needs a seat and a bed for 5 nights."""
        values: dict[str, Any] = {
            "placement_id": IDS.uuid7(),
            "nomination_id": IDS.uuid7(),
            "worker_id": IDS.uuid4(),
            "gender": "male",
            "office_id": self.office_id,
            "enterprise_id": self.enterprise_id,
            "drive_id": IDS.uuid7(),
            "vacancy_id": IDS.uuid7(),
            "site": Site(name="一厂", division_code=JIADING[1], town=JIADING[0]),
            "starts_on": self.first_night + timedelta(days=1),
            "hired_on": self.today,
            "origin_division_code": "530900",
            "available_from": self.today,
            "needs_seat": True,
            "needs_bed": True,
            "programme": "YOUJIA",
            "nights": 5,
        }
        return PlacementConfirmed.model_validate(values | overrides)

    def changed(self, placement: PlacementConfirmed, **overrides: Any) -> PlacementChanged:
        """The placement's new whole."""
        whole = dict(placement) | overrides
        return PlacementChanged.model_validate(whole | {"changed": tuple(overrides)})

    def seat(self, placement: PlacementConfirmed, **overrides: Any) -> SeatBooked:
        """A seat for a placement that arrives on the first night at 18:00."""
        return SeatBooked.model_validate(self.seat_values(placement) | overrides)

    def seat_values(self, placement: PlacementConfirmed) -> dict[str, Any]:
        """What every event of a seat of this placement says."""
        arrives_at = at(self.first_night, 18)
        return {
            "booking_id": IDS.uuid7(),
            "trip_id": IDS.uuid7(),
            "board_stop": "530900-00",
            "alight_stop": "310114-00",
            "departs_at": arrives_at - timedelta(hours=30),
            "arrives_at": arrives_at,
            "arrival_division_code": "310114",
            **{
                k: getattr(placement, k)
                for k in ("worker_id", "office_id", "enterprise_id", "placement_id")
            },
            "nomination_id": placement.nomination_id,
            "group_id": placement.group_id,
        }

    def released(self, seat: SeatBooked, **overrides: Any) -> SeatReleased:
        """The seat is given up, the trip being cancelled."""
        return SeatReleased.model_validate({**dict(seat), "reason": "cancelled"} | overrides)

    @staticmethod
    def cancelled(placement: PlacementConfirmed) -> PlacementCancelled:
        """The placement is off."""
        values = {**dict(placement), "reason": "cancelled", "by": "enterprise"}
        return PlacementCancelled.model_validate(values)

    def seat_changed(self, seat: SeatBooked, **overrides: Any) -> SeatChanged:
        """The seat is another one, or at another time."""
        return SeatChanged.model_validate(dict(seat) | overrides)

    async def tick(self, run: Callable[[Tx], Awaitable[int]]) -> int:
        """Run a ticker once."""
        async with self.tx() as tx:
            return await run(tx)

    async def act(self, step: Callable[..., Awaitable[Stay]], *args: Any) -> Stay:
        """Do something with a stay."""
        async with self.tx() as tx:
            return await step(tx, *args)

    async def check_in(self, stay: Any) -> None:
        """Let the guest come at 18:00 of the first night, and go on from there."""
        self.now = at(stay["check_in_on"], 18)
        await self.act(guests.check_in, stay["stay_id"], None)

    async def grade(self, level: CreditLevel, valid_to: date | None = None) -> None:
        """Set the enterprise's entry of the key list."""
        entry = KeyEntry(USCC, "长兴", level, self.today - timedelta(days=100), valid_to)
        async with self.tx() as tx:
            await put_key_enterprise(tx, entry)

    async def withdraw_commitments(self) -> None:
        """Let the enterprise confirm each hold itself."""
        async with self.tx() as tx:
            await tx.execute("UPDATE credit_commitment SET state = 'withdrawn'")

    async def count(self, table: str) -> int:
        """Count the rows of a table."""
        async with self.tx() as tx:
            return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))

    async def occupied(self) -> int:
        """Count the stays that have a bed on some night."""
        async with self.tx() as tx:
            return int(await tx.fetchval("SELECT count(DISTINCT stay_id) FROM occupancy"))

    async def headers(self) -> list[dict[str, str]]:
        """The headers of everything said, in order."""
        async with self.tx() as tx:
            rows = await tx.fetch(
                "SELECT headers FROM outbox WHERE subject LIKE 'stay/%' ORDER BY outbox_id"
            )
        return [dict(row["headers"]) for row in rows]

    async def hear(self, *events: Event) -> None:
        """Hear events, then settle until nothing is left to do."""
        await self.listen(*events)
        await self.settle()

    async def listen(self, *events: Event) -> None:
        """Only hear events."""
        await heard(self.db, HANDLERS, events)

    async def settle(self) -> None:
        """Run the deciding ticker until it has nothing left to do."""
        for _ in range(50):
            async with self.tx() as tx:
                if not await settle(tx):
                    return
        raise AssertionError("the ticker never comes to rest")

    async def stays(self, worker_id: UUID | None = None) -> list[Any]:
        """The stays, oldest first."""
        async with self.tx() as tx:
            return await tx.fetch(
                "SELECT s.*, i.town AS inn_town FROM stay s LEFT JOIN inn i USING (inn_id)"
                " WHERE $1::uuid IS NULL OR worker_id = $1 ORDER BY created_at, stay_id",
                worker_id,
            )

    async def stay(self, worker_id: UUID) -> Any:
        """A person's newest stay."""
        return (await self.stays(worker_id))[-1]

    async def said(self, worker_id: UUID | None = None) -> list[str]:
        """The kinds of events said so far, in order."""
        async with self.tx() as tx:
            rows = await tx.fetch(
                "SELECT headers, convert_from(body, 'UTF8')::jsonb AS body FROM outbox"
                " ORDER BY outbox_id"
            )
        return [
            _kind(row["headers"])
            for row in rows
            if worker_id is None or row["body"].get("worker_id") == str(worker_id)
            if _kind(row["headers"]) != "inn-capacity-changed"
        ]

    async def bodies(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of all events of a kind (`stay-held`), in order."""
        async with self.tx() as tx:
            rows = await tx.fetch(
                "SELECT headers, convert_from(body, 'UTF8')::jsonb AS body FROM outbox"
                " ORDER BY outbox_id"
            )
        return [row["body"] for row in rows if _kind(row["headers"]) == kind]


def site(place: tuple[str, str]) -> Site:
    """A workplace in that town."""
    return Site(name="二厂", town=place[0], division_code=place[1])


def _kind(headers: Any) -> str:
    wire_type = dict(headers)["ce_type"]
    return str(wire_type).split(".")[1]
