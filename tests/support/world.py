"""A small world on a running stack: inns, drives, vacancies, trips, rosters; all from code."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.clock import SHANGHAI, real_now
from shared.problem import AWAY
from stack import clock
from stack.client import Client, Request
from stack.demo.quiet import wait_quiet
from stack.people import (
    HEADERS,
    HIRE_HEADERS,
    Format,
    RosterSpec,
    Row,
    invented_rows,
    resident_id,
    written,
)
from stack.plan import Plan
from stack.status import database_urls
from tests.support.stack import People

PROGRAMME = "YOUJIA"
SMALL = "SMALL"
DISTRICT = "310114"
TOWN = "嘉定镇街道"
NIGHTS = 7
SEATS = 49
WINDOW_DAYS = 6
DEADLINE_S = 300.0
POLL_INTERVAL_S = 0.1
COUNTIES = {"530900": "530902", "532500": "532501", "341200": "341202"}
OFFICES = {"530900": "office-lincang", "532500": "office-honghe", "341200": "office-fuyang"}
Fact = dict[str, Any]


async def eventually(
    condition: Callable[[], Awaitable[Any]], what: str, deadline_s: float = DEADLINE_S
) -> Any:
    """Give the first true value of a condition; fails with what was waited for."""
    deadline = asyncio.get_running_loop().time() + deadline_s
    while not (found := await condition()):
        assert asyncio.get_running_loop().time() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(POLL_INTERVAL_S)
    return found


@dataclass(frozen=True)
class Window:
    """Days of business time that one drive has for itself: its trips serve no other people."""

    first_day: date

    @property
    def leaves_on(self) -> date:
        return self.first_day + timedelta(days=1)

    @property
    def arrives_on(self) -> date:
        return self.first_day + timedelta(days=2)

    @property
    def starts_on(self) -> date:
        return self.first_day + timedelta(days=4)


@dataclass
class Campaign:
    """A drive with its window, vacancies, trips, batches and the rows that were sent."""

    drive_id: str
    origin: str
    window: Window
    vacancies: list[str] = field(default_factory=list)
    trips: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def office(self) -> str:
        return OFFICES[self.origin]


@dataclass(frozen=True)
class Wanted:
    """What a campaign is to be like; `openings` are those of its vacancies, one after another."""

    origin: str = "530900"
    openings: Sequence[int] = (30,)
    trips: int = 1
    acceptance: str = "on_nomination"
    runs_transport: bool = True
    enterprises: Sequence[str] = ("enterprise-changxing",)
    programme: str = PROGRAMME
    # Places where the trips stop, too, after their first one.
    also: Sequence[str] = ()


class World:
    """Who acts in the world, and what has been made in it so far."""

    def __init__(self, plan: Plan, people: People) -> None:
        self.plan = plan
        self.people = people
        self.campaigns: list[Campaign] = []
        self.rows: list[Row] = []
        self._windows = 0
        self._seed = 0

    @property
    def coordinator(self) -> Client:
        return self.people["coordinator"]

    async def open_house(self) -> None:
        """Make programmes, key list, commitments and inns. SMALL has one inn with two beds."""
        today = await self.today()
        for programme in (PROGRAMME, SMALL):
            await self.coordinator.put("lodging", f"/v1/programmes/{programme}", {})
        for name in ("enterprise-changxing", "enterprise-nanxiang"):
            account = self.people[name].account
            body = {
                "name": account.tenant_name,
                "credit_level": "A",
                "valid_from": str(today - timedelta(days=30)),
            }
            await self.coordinator.put("lodging", f"/v1/key-enterprises/{account.uscc}", body)
        # Nanxiang gives no standing commitment: its holds wait for its own word.
        changxing = self.people["enterprise-changxing"]
        for programme in (PROGRAMME, SMALL):
            await changxing.post("lodging", "/v1/credit-commitments", {"programme": programme})
        for name, rooms in (("inn-jiading", 60), ("inn-nanxiang", 30)):
            account = self.people[name].account
            await self.inn(account.inn_ids[0], PROGRAMME, [["A", "B", "C", "D"]] * rooms)
        await self.inn(str(uuid.uuid4()), SMALL, [["A", "B"]])

    async def inn(self, inn_id: str, programme: str, rooms: Sequence[Sequence[str]]) -> None:
        """Open an inn: the beds of each room."""
        body = {
            "inn_id": inn_id,
            "name": "有嘉客栈",
            "town": TOWN,
            "division_code": DISTRICT,
            "programmes": [programme],
            "rooms": [{"room": str(n), "beds": beds} for n, beds in enumerate(rooms, 1)],
        }
        await self.coordinator.post("lodging", "/v1/inns", body)

    async def now(self) -> datetime:
        """Ask the databases, and again when they are away just then."""

        async def asked() -> datetime | None:
            try:
                offset = await clock.offset_s(database_urls(self.plan))
            except AWAY:
                return None
            return (real_now() + timedelta(seconds=offset)).astimezone(SHANGHAI)

        now: datetime = await eventually(asked, "the databases tell the time")
        return now

    async def today(self) -> date:
        return (await self.now()).date()

    async def advance_to(self, moment: datetime) -> None:
        """Move business time on to a moment, if it isn't past it."""
        by = moment - await self.now()
        if by > timedelta():
            await clock.advance(database_urls(self.plan), by)

    def rewind(self, campaigns: int) -> None:
        """Let the next campaigns have the days of those that came after so many."""
        self._windows = campaigns

    async def campaign(self, wanted: Wanted) -> Campaign:
        """Announce and open a drive with vacancies and trips in days of its own."""
        self._windows += 1
        window = Window(await self.today() + timedelta(days=WINDOW_DAYS * self._windows))
        made = await self.coordinator.post("recruitment", "/v1/drives", self._drive(wanted, window))
        campaign = Campaign(made["drive_id"], wanted.origin, window)
        self.campaigns.append(campaign)
        for n, openings in enumerate(wanted.openings):
            enterprise = wanted.enterprises[n % len(wanted.enterprises)]
            await self.vacancy(campaign, enterprise, openings, programme=wanted.programme)
        for _ in range(wanted.trips):
            await self.trip(campaign, also=wanted.also)
        await self.coordinator.post("recruitment", f"/v1/drives/{campaign.drive_id}/open")
        return campaign

    def _drive(self, wanted: Wanted, window: Window) -> Fact:
        return {
            "title": f"沪滇劳务协作专场{self._windows}",
            "kind": "job_fair",
            "origins": [wanted.origin],
            "enterprises": [self.people[e].account.tenant_id for e in wanted.enterprises],
            "opens_on": str(window.first_day - timedelta(days=WINDOW_DAYS * self._windows)),
            "closes_on": str(window.starts_on),
            "acceptance": wanted.acceptance,
            "runs_transport": wanted.runs_transport,
        }

    async def vacancy(
        self, campaign: Campaign, enterprise: str, openings: int, *, programme: str = PROGRAMME
    ) -> str:
        """Post a vacancy as its enterprise."""
        body = {
            "drive_id": campaign.drive_id,
            "site": {"name": "一号厂区", "division_code": DISTRICT, "town": TOWN},
            "title": "电子装配工",
            "occupation_code": "6-25-04-07",
            "openings": openings,
            "starts_on": str(campaign.window.starts_on),
            "monthly_pay_min": 5500,
            "monthly_pay_max": 7500,
            "programme": programme,
            "nights": NIGHTS,
        }
        made = await self.people[enterprise].post("recruitment", "/v1/vacancies", body)
        campaign.vacancies.append(made["vacancy_id"])
        return str(made["vacancy_id"])

    async def trip(
        self, campaign: Campaign, *, seats: int = SEATS, arrives: datetime | None = None,
        also: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Plan a trip in the campaign's days: one stop there (and `also`), one in Shanghai."""
        leaves = datetime.combine(campaign.window.leaves_on, time(8), SHANGHAI)
        arrives = arrives or datetime.combine(campaign.window.arrives_on, time(16), SHANGHAI)
        county = COUNTIES[campaign.origin]
        number = f"{len(self.campaigns)}-{len(campaign.trips)}"
        body = {
            "destination_division_code": DISTRICT,
            "vehicle": {"plate": f"L{number}", "licensed_capacity": seats, "kind": "train"},
            "operator": "点对点客运公司",
            "contract_number": f"HT-{number}",
            "crew": [],
            "escort": f"escort-{number}",
            "minimum_load": 1,
            "stops": [
                *(
                    {
                        "place_code": code,
                        "division_code": code.partition("-")[0],
                        "departs_at": (leaves + n * timedelta(hours=1)).isoformat(),
                    }
                    for n, code in enumerate((f"{county}-00", *also))
                ),
                {
                    "place_code": "310114-00",
                    "division_code": DISTRICT,
                    "arrives_at": arrives.isoformat(),
                },
            ],
        }
        made = await self.coordinator.post("transport", "/v1/trips", body)
        campaign.trips.append(made["trip_id"])
        return str(made["trip_id"])

    async def roster(
        self, campaign: Campaign, n: int, *, form: Format = "xlsx", **overrides: Any
    ) -> str:
        """Send a roster of `n` persons as the campaign's office.

        `gender` makes all alike, `together` makes them one group.
        """
        gender, together = overrides.pop("gender", None), overrides.pop("together", False)
        self._seed += 1
        # The seed also chooses the county: a multiple of five is the prefecture's first.
        base = RosterSpec(n, 5 * self._seed, campaign.origin)
        spec = replace(base, available_from=campaign.window.first_day, group_share=0.0)
        spec = replace(spec, **overrides)
        rows = invented_rows(spec)
        for row in rows:
            _let_be(row, gender)
            row["同行人(组)"] = "一组" if together else row["同行人(组)"]
            row["备注"] = "金丝雀"
        campaign.rows += rows
        self.rows += rows
        headers = HIRE_HEADERS if spec.kind == "new_hires" else HEADERS
        fields = {"kind": spec.kind, "drive_id": campaign.drive_id}
        batch_id = await self._send(campaign.office, written(headers, rows, form), form, fields)
        campaign.batches.append(batch_id)
        return batch_id

    async def hires(self, enterprise: str, n: int) -> str:
        """Send a roster of new hires as their enterprise; give its batch."""
        self._seed += 1
        spec = RosterSpec(n, 5 * self._seed, "341200", "new_hires", hired_on=await self.today())
        rows = invented_rows(spec)
        self.rows += rows
        fields = {"kind": "new_hires"}
        return await self._send(enterprise, written(HIRE_HEADERS, rows, "csv"), "csv", fields)

    async def _send(self, account: str, file: bytes, form: Format, fields: Fact) -> str:
        name = f"花名册.{form.split('-')[0]}"
        request = Request(
            "POST", "registry", "/v1/worker-batches", files={"file": (name, file)}, data=fields
        )
        answer = await self.people[account].send(request)
        return str(answer.json()["batch_id"])

    async def batch(self, batch_id: str) -> Fact:
        """Give a batch when its rows are checked."""

        async def done() -> Fact | None:
            found: Fact = await self.coordinator.get("registry", f"/v1/worker-batches/{batch_id}")
            return None if found["state"] in {"received", "validating"} else found

        found: Fact = await eventually(done, f"batch {batch_id} is checked")
        return found

    async def journeys(self, campaign: Campaign) -> list[Fact]:
        """Give the journeys of a campaign."""
        return await self.all("console", "/v1/journeys", drive_id=campaign.drive_id)

    async def settled(self, *campaigns: Campaign) -> list[Fact]:
        """Give the journeys of campaigns once all of them are known and none moves."""
        ours = {c.drive_id for c in campaigns}
        batches = [await self.batch(b) for c in campaigns for b in c.batches]
        expected = sum(b["accepted_count"] for b in batches)
        found: list[Fact] = []

        async def still() -> bool:
            found[:] = [
                j for j in await self.all("console", "/v1/journeys") if j["drive_id"] in ours
            ]
            return len(found) >= expected and not {"moving", "stuck"} & {j["state"] for j in found}

        await wait_quiet(self.plan, still, timeout_s=DEADLINE_S)
        return found

    async def rest(self) -> None:
        """Wait until nothing is under way."""
        await wait_quiet(self.plan, timeout_s=DEADLINE_S)

    async def all(self, service: str, path: str, **params: Any) -> list[Fact]:
        """Give everything that the coordinator sees in a list."""
        return [item async for item in self.coordinator.pages(service, path, **params)]


def _let_be(row: Row, gender: str | None) -> None:
    """Let a person be of this gender (男, 女): the ID number says it, too."""
    if gender and row["性别"] != gender:
        number = row["身份证号"]
        born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
        row["性别"] = gender
        row["身份证号"] = resident_id(number[:6], born, int(number[14:17]) ^ 1)
