"""Brings the demo's world in over HTTP, and sends the rosters as their offices and enterprises."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Self, TypeVar

from stack.client import Client, Json, Request
from stack.demo import world
from stack.demo.quiet import wait_quiet
from stack.demo.rosters import HIRES, ROSTERS, Roster, content
from stack.plan import Plan
from stack.trouble import StackError

POLL_INTERVAL_S: Final = 0.3
BATCH_TIMEOUT_S: Final = 120.0
AT_ONCE: Final = 12
GUEST_NIGHTS: Final = 5
UNFINISHED: Final = frozenset({"received", "validating"})
T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Demo:
    """A running demo: who acts in it, its first day, and the ids of what it brought in."""

    plan: Plan
    today: date
    clients: Mapping[str, Client]
    drives: dict[str, str] = field(default_factory=dict)
    trips: dict[str, list[str]] = field(default_factory=dict)
    batches: dict[str, str] = field(default_factory=dict)

    @property
    def coordinator(self) -> Client:
        """The bureau's coordinator, who acts on behalf of everybody without an account."""
        return self.clients["coordinator"]


class Cast:
    """All accounts that take part, signed in; `async with Cast(plan) as clients`."""

    NAMES: Final = (
        "coordinator", "admin", "office-lincang", "office-honghe", "office-fuyang",
        "enterprise-changxing", "enterprise-nanxiang", "inn-jiading", "inn-nanxiang",
    )  # fmt: skip

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stack = AsyncExitStack()
        self.clients: dict[str, Client] = {}

    async def __aenter__(self) -> Self:
        """Open a client for each."""
        for name in self.NAMES:
            client = Client.of(self._plan, name)
            self.clients[name] = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all clients."""
        await self._stack.aclose()


async def each(things: Iterable[T], act: Callable[[T], Awaitable[R]]) -> list[R]:
    """Do something for each, a few at once, and give the answers in order."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(thing: T) -> R:
        async with gate:
            return await act(thing)

    return list(await asyncio.gather(*(one(thing) for thing in things)))


async def load_world(demo: Demo) -> None:
    """Bring in tenants, the programme, key list, commitments, inns, drives, vacancies, trips."""
    await each(world.HIRING[2:], lambda e: _post_tenant(demo, e))
    await _put_programme(demo)
    # Who is new must be known everywhere before anything is done on its behalf.
    await wait_quiet(demo.plan)
    await each(world.ENTERPRISES, lambda e: _put_key_enterprise(demo, e))
    await each(world.inn_bodies(), lambda b: demo.coordinator.post("lodging", "/v1/inns", b))
    await each(world.SERVICES, lambda s: _post_trips(demo, s))
    await each(world.DRIVES, lambda d: _post_drive(demo, d))
    # Nanxiang gives no standing commitment: it confirms each hold itself.
    standing = [e for e in world.HIRING if e != world.NANXIANG]
    await each(standing, lambda e: _post_commitment(demo, e))


async def send_rosters(demo: Demo) -> None:
    """Send all rosters at once and wait until each is checked through."""
    await each((*ROSTERS, *HIRES), lambda roster: _send(demo, roster))
    deadline = asyncio.get_running_loop().time() + BATCH_TIMEOUT_S
    while any(b["state"] in UNFINISHED for b in await batches(demo)):
        if asyncio.get_running_loop().time() > deadline:
            raise StackError("花名册未能及时处理。", "the rosters were not checked in time.")
        await asyncio.sleep(POLL_INTERVAL_S)


async def ask_for_beds(demo: Demo) -> None:
    """Ask for beds for the new hires, as their two enterprises."""
    await each(HIRES, lambda roster: _ask(demo, roster))


async def batches(demo: Demo) -> list[Json]:
    """Give the state of every roster, as the coordinator sees it, in the order of sending."""
    paths = [f"/v1/worker-batches/{demo.batches[r.name]}" for r in (*ROSTERS, *HIRES)]
    return await each(paths, lambda path: demo.coordinator.get("registry", path))


async def _post_tenant(demo: Demo, enterprise: world.Enterprise) -> None:
    body = {
        "tenant_id": enterprise.tenant,
        "kind": "enterprise",
        "name": enterprise.name,
        "division_code": world.DISTRICT,
        "uscc": enterprise.uscc,
    }
    await demo.clients["admin"].post("console", "/v1/tenants", body)


async def _put_programme(demo: Demo) -> None:
    await demo.coordinator.put("lodging", f"/v1/programmes/{world.PROGRAMME}", {})


async def _put_key_enterprise(demo: Demo, enterprise: world.Enterprise) -> None:
    body = {
        "name": enterprise.name,
        "credit_level": "A",
        "valid_from": str(demo.today - timedelta(days=30)),
    }
    await demo.coordinator.put("lodging", f"/v1/key-enterprises/{enterprise.uscc}", body)


async def _post_commitment(demo: Demo, enterprise: world.Enterprise) -> None:
    body = {"programme": world.PROGRAMME, "enterprise_id": enterprise.tenant}
    await demo.coordinator.post("lodging", "/v1/credit-commitments", body)


async def _post_drive(demo: Demo, drive: world.Drive) -> None:
    made = await demo.coordinator.post(
        "recruitment", "/v1/drives", world.drive_body(drive, demo.today)
    )
    drive_id = demo.drives[drive.key] = made["drive_id"]
    for job in drive.jobs:
        body = world.vacancy_body(job, drive_id, demo.today)
        await demo.coordinator.post("recruitment", "/v1/vacancies", body)
    await demo.coordinator.post("recruitment", f"/v1/drives/{drive_id}/open")


async def _post_trips(demo: Demo, service: world.Service) -> None:
    bodies = world.trip_bodies(service, demo.today)
    made = [await demo.coordinator.post("transport", "/v1/trips", body) for body in bodies]
    demo.trips[service.key] = [one["trip_id"] for one in made]


async def _send(demo: Demo, roster: Roster) -> None:
    fields: dict[str, Any] = {"kind": roster.kind}
    if roster.drive:
        fields["drive_id"] = demo.drives[roster.drive]
    request = Request(
        "POST",
        "registry",
        "/v1/worker-batches",
        files={"file": (roster.filename, content(roster, demo.today))},
        data=fields,
    )
    answer = await demo.clients[roster.account].send(request)
    demo.batches[roster.name] = answer.json()["batch_id"]


async def _ask(demo: Demo, roster: Roster) -> None:
    client = demo.clients[roster.account]
    path = f"/v1/worker-batches/{demo.batches[roster.name]}/workers"
    guests = [{"worker_id": one["worker_id"]} async for one in client.pages("registry", path)]
    body = {
        "programme": world.PROGRAMME,
        "check_in_on": str(demo.today + timedelta(days=1)),
        "nights": GUEST_NIGHTS,
        "guests": guests,
    }
    await client.post("lodging", "/v1/stay-requests", body)
