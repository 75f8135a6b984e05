"""The demo's world as data: towns, inns, enterprises, drives, vacancies and trips, from one day on.

Names of towns, programmes and counties are real; enterprises, persons, prices and plates are
invented. Openings, seats and beds exceed demand everywhere but in the small drive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from shared.clock import SHANGHAI
from stack.accounts import inn_id, invented_uscc, tenant_id

PROGRAMME: Final = "YOUJIA"
NIGHTS: Final = 7
DISTRICT: Final = "310114"
BED_COUNT: Final = 1669
INN_COUNT: Final = 19
BEDS_A_ROOM: Final = 4
KEY_COUNT: Final = 28
COACH_COUNT: Final = 8
CARRIAGE_COUNT: Final = 5
COACH_SEATS: Final = 49
CARRIAGE_SEATS: Final = 118
TRAIN_SEATS: Final = 540
#: Days from the start of the demo: the first departures, the last arrivals, the first working day.
FREE_ON: Final = 1
STARTS_ON: Final = 6

TOWNS: Final = (
    "新成路街道", "真新街道", "嘉定镇街道", "南翔镇", "安亭镇", "马陆镇", "徐行镇", "华亭镇",
    "外冈镇", "江桥镇", "菊园新区", "嘉定工业区",
)  # fmt: skip

_ENTERPRISES: Final = (
    "长兴海工装备", "南翔点心食品", "安亭汽车零部件", "马陆精密电子", "江桥物流仓储",
    "外冈机械制造", "徐行新材料", "华亭家居用品", "菊园智能装备", "真新商贸服务", "新成物业管理",
    "嘉定包装印刷", "安亭新能源", "南翔冷链", "马陆纺织服装", "江桥食品加工", "外冈电气",
    "徐行环保科技", "华亭农产品", "菊园半导体", "嘉定轨道装备", "安亭模具", "南翔电子商务",
    "马陆医疗器械", "江桥家政服务", "外冈橡塑", "徐行五金", "华亭玩具",
)  # fmt: skip


@dataclass(frozen=True)
class Enterprise:
    """An enterprise on the key list. `tenant` is its tenant id when it takes part in drives."""

    number: int
    name: str
    town: str

    @property
    def uscc(self) -> str:
        """Its unified social credit code."""
        return invented_uscc(self.number)

    @property
    def tenant(self) -> str:
        """Its tenant id: the two with accounts have those of the local stack."""
        own = {1: 4, 2: 5}
        return str(tenant_id(own.get(self.number, 50 + self.number)))


ENTERPRISES: Final = tuple(
    Enterprise(i, name, next((t for t in TOWNS if t[:2] == name[:2]), TOWNS[-1]))
    for i, name in enumerate(_ENTERPRISES, 1)
)
CHANGXING, NANXIANG = ENTERPRISES[0], ENTERPRISES[1]
#: Who hires in the drives.
HIRING: Final = ENTERPRISES[:6]


@dataclass(frozen=True)
class Job:
    """A vacancy of the demo."""

    enterprise: Enterprise
    title: str
    occupation_code: str
    openings: int


@dataclass(frozen=True)
class Drive:
    """A drive, the office that sends its roster, and its vacancies."""

    key: str
    title: str
    kind: str
    office: str
    origin: str
    acceptance: str
    jobs: tuple[Job, ...]


SEWER, ELECTRONICS, WELDER = "6-05-01-03", "6-25-04-07", "6-18-02-04"
CLEANER, WAITER, STOREKEEPER, ELECTRICIAN = "4-09-08-01", "4-03-02-05", "4-02-06-01", "6-31-01-03"

DRIVES: Final = (
    Drive(
        "lincang", "沪滇劳务协作临沧专场招聘会", "job_fair", "office-lincang", "530900",
        "on_nomination",
        (
            Job(CHANGXING, "焊工", WELDER, 120),
            Job(CHANGXING, "电工", ELECTRICIAN, 80),
            Job(HIRING[3], "电子装配工", ELECTRONICS, 160),
            Job(HIRING[4], "仓库管理员", STOREKEEPER, 120),
            Job(NANXIANG, "餐厅服务员", WAITER, 60),
        ),
    ),
    Drive(
        "honghe", "春风行动红河州专场", "spring_breeze", "office-honghe", "532500",
        "on_nomination",
        (
            Job(HIRING[2], "汽车零部件装配工", ELECTRONICS, 140),
            Job(HIRING[5], "机加工电工", ELECTRICIAN, 100),
            Job(CHANGXING, "焊工学徒", WELDER, 60),
            Job(HIRING[4], "保洁员", CLEANER, 90),
        ),
    ),
    Drive(
        "fuyang", "阜阳市返沪务工直播招聘", "livestream", "office-fuyang", "341200",
        "on_nomination",
        (
            Job(HIRING[2], "缝纫工", SEWER, 90),
            Job(HIRING[3], "电子装配工", ELECTRONICS, 90),
            Job(NANXIANG, "点心师学徒", WAITER, 60),
            Job(HIRING[5], "仓库管理员", STOREKEEPER, 70),
        ),
    ),
    Drive(
        "scarce", "南翔小笼点心师小专场", "small_fair", "office-fuyang", "341200", "by_office",
        (Job(NANXIANG, "中式面点师", WAITER, 12),),
    ),
)  # fmt: skip


def drive_body(drive: Drive, today: date) -> dict[str, Any]:
    """Give the body that announces a drive."""
    enterprises = dict.fromkeys(job.enterprise.tenant for job in drive.jobs)
    return {
        "title": drive.title,
        "kind": drive.kind,
        "origins": [drive.origin],
        "enterprises": list(enterprises),
        "opens_on": str(today),
        "closes_on": str(today + timedelta(days=30)),
        "acceptance": drive.acceptance,
        "runs_transport": True,
    }


def vacancy_body(job: Job, drive_id: str, today: date) -> dict[str, Any]:
    """Give the body that posts a vacancy on behalf of its enterprise."""
    return {
        "drive_id": drive_id,
        "enterprise_id": job.enterprise.tenant,
        "site": {
            "name": f"{job.enterprise.name}{job.enterprise.town}厂区",
            "division_code": DISTRICT,
            "town": job.enterprise.town,
        },
        "title": job.title,
        "occupation_code": job.occupation_code,
        "openings": job.openings,
        "starts_on": str(today + timedelta(days=STARTS_ON)),
        "monthly_pay_min": 5500,
        "monthly_pay_max": 7500,
        "programme": PROGRAMME,
        "nights": NIGHTS,
    }


def inn_bodies() -> list[dict[str, Any]]:
    """Give the 19 inns in 12 towns: 1,669 beds in rooms of four, and one with a single bed."""
    towns = ("嘉定镇街道", "南翔镇", *(TOWNS[i % len(TOWNS)] for i in range(INN_COUNT - 2)))
    full, last = divmod(BED_COUNT, INN_COUNT)
    sizes = [full] * (INN_COUNT - 1) + [full + last]
    return [
        {
            "inn_id": str(inn_id(i)),
            "name": f"有嘉客栈{town}{i}号店",
            "town": town,
            "division_code": DISTRICT,
            "programmes": [PROGRAMME],
            "rooms": _rooms(size),
        }
        for i, (town, size) in enumerate(zip(towns, sizes, strict=True), 1)
    ]


def _rooms(beds: int) -> list[dict[str, Any]]:
    rooms: list[dict[str, Any]] = []
    while beds > 0:
        here = min(BEDS_A_ROOM, beds)
        number = f"{len(rooms) // 10 + 1}{len(rooms) % 10 + 1:02d}"
        rooms.append({"room": number, "beds": [str(n + 1) for n in range(here)]})
        beds -= here
    return rooms


@dataclass(frozen=True)
class Service:
    """How a kind of vehicle runs: plates, seats, and stops with hours since the first day."""

    key: str
    kind: str
    plates: tuple[str, ...]
    seats: int
    stops: tuple[tuple[str, float], ...]
    crew: tuple[str, ...] = ()


TRAIN: Final = Service(
    "train", "train", ("L9001",), TRAIN_SEATS,
    (("530902-01", 57.0), ("530922-00", 58.5), ("310106-01", 106.0)),
)  # fmt: skip
CARRIAGES: Final = Service(
    "carriages", "carriage", tuple(f"K80-{i:02d}" for i in range(1, CARRIAGE_COUNT + 1)),
    CARRIAGE_SEATS, (("532502-01", 63.0), ("532527-00", 65.0), ("310112-01", 104.0)),
)  # fmt: skip
COACHES: Final = Service(
    "coaches", "coach", tuple(f"皖K{i:05d}" for i in range(10001, 10001 + COACH_COUNT)),
    COACH_SEATS, (("341202-04", 103.0), ("341226-00", 104.5), ("310114-00", 113.5)),
    ("driver-a", "driver-b"),
)  # fmt: skip
SERVICES: Final = (TRAIN, CARRIAGES, COACHES)


def trip_bodies(service: Service, today: date) -> list[dict[str, Any]]:
    """Give one plan per vehicle. It opens as soon as one person waits, so that nobody is left."""
    midnight = datetime.combine(today, time(), SHANGHAI)
    last = len(service.stops) - 1
    stops = []
    for n, (place, hour) in enumerate(service.stops):
        at = (midnight + timedelta(hours=hour)).isoformat()
        times: Mapping[str, str] = {"arrives_at" if n == last else "departs_at": at}
        stops.append({"place_code": place, "division_code": place[:6], **times})
    return [
        {
            "destination_division_code": DISTRICT,
            "vehicle": {
                "plate": plate, "licensed_capacity": service.seats, "kind": service.kind
            },
            "operator": "点对点客运公司",
            "contract_number": f"HT-{plate}",
            "crew": [f"{service.key}-{n}-{who}" for who in service.crew],
            "escort": f"escort-{service.key}-{n}",
            "minimum_load": 1,
            "stops": stops,
        }
        for n, plate in enumerate(service.plates, 1)
    ]  # fmt: skip
