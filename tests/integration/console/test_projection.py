"""What the console makes of everything it hears."""

from datetime import date
from uuid import UUID

from contracts import Event
from contracts.lodging import GuestMissed
from contracts.recruitment import DriveAnnounced, NominationUnplaced, PlacementConfirmed
from contracts.registry import WorkerNominated
from contracts.samples import sample
from contracts.transport import SeatReleased
from services.console import views
from services.console.consumers import HANDLERS
from services.console.views.events import EventFilter
from shared.database import Database
from shared.ids import Ids
from tests.support.events import heard, received
from tests.support.http import an_enterprise, an_inn, an_office
from tests.support.postgres import ServiceDb

IDS = Ids()


class Way:
    """One invented person's ids."""

    def __init__(self) -> None:
        self.nomination_id, self.placement_id, self.booking_id, self.stay_id, self.trip_id = (
            IDS.uuid7() for _ in range(5)
        )
        self.office_id, self.enterprise_id, self.drive_id = (IDS.uuid7() for _ in range(3))
        self.worker_id = IDS.uuid4()

    @property
    def ids(self) -> dict[str, UUID]:
        return {
            "worker_id": self.worker_id,
            "office_id": self.office_id,
            "nomination_id": self.nomination_id,
        }

    def nominated(self) -> WorkerNominated:
        return WorkerNominated(
            **self.ids,
            batch_id=IDS.uuid7(),
            drive_id=self.drive_id,
            gender="female",
            birth_year_month="1990-03",
            origin_division_code="530902",
            needs_bed=True,
            available_from=date(2027, 3, 1),
        )

    def confirmed(self) -> PlacementConfirmed:
        return PlacementConfirmed(
            **self.ids,
            placement_id=self.placement_id,
            gender="female",
            drive_id=self.drive_id,
            enterprise_id=self.enterprise_id,
            vacancy_id=IDS.uuid7(),
            site={"name": "一号厂", "division_code": "310114", "town": "安亭镇"},
            starts_on=date(2027, 3, 8),
            hired_on=date(2027, 2, 20),
            origin_division_code="530902",
            boarding_place_code="530902-00",
            available_from=date(2027, 3, 1),
            needs_seat=True,
            needs_bed=True,
        )


async def state(db: Database, way: Way) -> tuple[str, str | None]:
    async with db.transaction(role="worker") as tx:
        found = await views.get_journey(tx, way.nomination_id)
    assert found is not None
    return found["state"], found["waiting_for"]


async def test_a_drive_is_seen_by_its_enterprises_and_by_the_offices_of_its_origins(
    service_db: ServiceDb,
) -> None:
    db = await service_db("console")
    near, far = await an_office(db), await an_office(db, division_code="341200")
    listed, other = await an_enterprise(db), await an_enterprise(db)
    drive = DriveAnnounced(
        drive_id=IDS.uuid7(), title="临沧专场", kind="fair", origins=["530902", "532500"],
        enterprises=[listed.tenant_id], opens_on=date(2027, 1, 1), closes_on=date(2027, 2, 1),
        acceptance="on_nomination", runs_transport=True,
    )  # fmt: skip
    nobody = {"drive_id": IDS.uuid7(), "origins": (), "enterprises": ()}
    other_drive = drive.model_copy(update=nobody)
    await heard(db, HANDLERS, [drive, other_drive])
    for identity, count in ((near, 1), (far, 0), (listed, 1), (other, 0)):
        async with db.transaction(role="api", identity=identity) as tx:
            found = await views.list_events(tx, wanted=EventFilter(), limit=50, cursor=None)
            assert len(found["items"]) == count


async def test_a_type_is_asked_for_with_its_version_or_for_all_of_them(
    service_db: ServiceDb,
) -> None:
    db, way = await service_db("console"), Way()
    await heard(db, HANDLERS, [received(e, 1, way.nomination_id)
                               for e in (way.nominated(), way.confirmed())])  # fmt: skip
    kind, found = "registry.worker-nominated", {}
    office = await an_office(db, tenant_id=way.office_id)
    for word in (kind, f"{kind}.v1", f"{kind}.v2", "registry.worker", "nonsense"):
        async with db.transaction(role="api", identity=office) as tx:
            wanted = EventFilter(type=word)
            shown = await views.list_events(tx, wanted=wanted, limit=9, cursor=None)
            found[word] = [e["type"] for e in shown["items"]]
            assert [e["type"] for e in (await views.read_on(tx, wanted, 0, 9))[0]] == found[word]
    assert found[kind] == found[f"{kind}.v1"] == [f"{kind}.v1"]
    assert not any((found[f"{kind}.v2"], found["registry.worker"], found["nonsense"]))


async def test_a_journey_moves_waits_and_settles(service_db: ServiceDb) -> None:
    db, way = await service_db("console"), Way()

    async def hear(*events: Event) -> tuple[str, str | None]:
        await heard(db, HANDLERS, [received(e, 1, way.nomination_id) for e in events])
        return await state(db, way)

    assert await hear(way.nominated()) == ("moving", None)
    unplaced = NominationUnplaced(**way.ids, round=1, reason="no_vacancy")
    assert await hear(unplaced) == ("waiting", "vacancy")
    assert await hear(way.confirmed()) == ("moving", None)


async def test_an_inn_sees_what_is_to_do_about_its_guests_stays_and_nothing_about_their_seats(
    service_db: ServiceDb,
) -> None:
    db, way = await service_db("console"), Way()
    inn_id = IDS.uuid7()
    inn, office = await an_inn(db, inn_id), await an_office(db, tenant_id=way.office_id)
    known = {**way.ids, "enterprise_id": way.enterprise_id, "placement_id": way.placement_id}
    stay = {**dict(sample(GuestMissed)), **known, "stay_id": way.stay_id, "inn_id": inn_id}
    seat = {**known, "booking_id": way.booking_id, "trip_id": way.trip_id, "reason": "cancelled"}
    for event in (way.nominated(), way.confirmed(), GuestMissed(**stay), SeatReleased(**seat)):
        await heard(db, HANDLERS, [received(event, 1, way.nomination_id)])
    seen = {}
    for who, identity in (("inn", inn), ("office", office)):
        async with db.transaction(role="api", identity=identity) as tx:
            found = await views.list_tasks(tx, kind=None, limit=50, cursor=None)
            seen[who] = {t["kind"] for t in found["items"]}
    assert seen == {"inn": {"not_arrived"}, "office": {"not_arrived", "no_seat"}}
