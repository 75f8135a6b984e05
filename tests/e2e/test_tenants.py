"""Nobody sees what isn't theirs: every list, id and action; and without the rows' guard, much."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from stack.plan import Plan
from stack.status import database_urls
from tests.e2e.audience import KINDS, Audience
from tests.e2e.conftest import Settled
from tests.e2e.walking import Route, Walker, lists, routes_of

TENANTS = (
    "office-lincang", "office-honghe", "office-fuyang", "enterprise-changxing",
    "enterprise-nanxiang", "inn-jiading", "inn-nanxiang",
)  # fmt: skip
REFUSED = {403, 404}
SAMPLES = 2
#: Known to all, or asked for by codes that are no secret.
PUBLIC = {"inn_id", "code"}
FIXED = {"place_code": "530902-00", "period_id": str(uuid.uuid4())}


@pytest_asyncio.fixture(scope="module")
async def routes(stack: Plan) -> AsyncIterator[list[Route]]:
    """All routes of all services."""
    yield await routes_of(stack)


@pytest_asyncio.fixture(scope="module")
async def foreign(settled: Settled, stack: Plan) -> AsyncIterator["Foreign"]:
    """What isn't whose."""
    await settled.world.rest()
    found = Foreign(settled, await Audience.of(stack))
    await found.add_unspoken()
    yield found


class Foreign:
    """Ids that are none of a tenant's business, by kind: from topics, the rest from lists."""

    def __init__(self, settled: Settled, audience: Audience) -> None:
        self.world = settled.world
        self.people = settled.world.people
        self._audience = audience
        self._unspoken: dict[str, dict[str, str]] = {}

    async def add_unspoken(self) -> None:
        """Add ids that no event has: the coordinator's lists say whose they are."""
        for kind, service, path, owner in (
            ("account_id", "console", "/v1/accounts", "tenant_id"),
            ("tenant_id", "console", "/v1/tenants", "tenant_id"),
            ("credit_commitment_id", "lodging", "/v1/credit-commitments", "enterprise_id"),
            ("uscc", "lodging", "/v1/key-enterprises", "uscc"),
        ):
            items = await self.world.all(service, path)
            self._unspoken[kind] = {i[kind]: i[owner] for i in items}

    def of(self, name: str) -> dict[str, set[str]]:
        account = self.people[name].account
        found = self._audience.foreign(account)
        found["journey_id"] = found["nomination_id"] | found["hire_id"]
        own = {account.tenant_id, account.uscc}
        for kind, owners in self._unspoken.items():
            found[kind] = {i for i, owner in owners.items() if owner not in own}
        return found

    def of_anybody(self) -> dict[str, set[str]]:
        found = [self.of(name) for name in TENANTS]
        return {kind: set().union(*(f.get(kind, set()) for f in found)) for kind in found[0]}

    def ids(self, name: str) -> set[str]:
        """Give the foreign ids of facts, whatever their kind."""
        by_kind = self.of(name)
        return set().union(*(by_kind[kind] for kind in KINDS))


def filled(route: Route, ids: dict[str, set[str]]) -> Iterator[dict[str, str]]:
    """Give values for a route's parameters, with some of these ids."""
    kind = route.parameters[0]
    for one in sorted(ids.get(kind, {str(uuid.uuid4())}))[-SAMPLES:]:
        yield FIXED | {kind: one}


def with_ids(routes: list[Route], *methods: str) -> list[Route]:
    return [
        r for r in routes if r.method in methods and r.parameters and r.parameters[0] not in PUBLIC
    ]


async def leaks(foreign: Foreign, routes: list[Route], names: tuple[str, ...]) -> dict[str, int]:
    """Count by list the ids that somebody saw there and should not."""
    found: dict[str, int] = {}
    for name in names:
        seen = await Walker(foreign.people[name]).ids_in_lists(lists(routes))
        strange = foreign.ids(name)
        for route, ids in seen.items():
            if ids & strange:
                found[f"{name} at {route}"] = len(ids & strange)
    return found


async def test_no_list_of_any_service_shows_what_is_not_ones_own(
    foreign: Foreign, routes: list[Route]
) -> None:
    everything = await Walker(foreign.people["coordinator"]).ids_in_lists(lists(routes))
    shown = set().union(*everything.values())
    for name in TENANTS:
        assert len(foreign.ids(name) & shown) > 20, "there is enough that could leak"
    assert await leaks(foreign, routes, TENANTS) == {}


@pytest.mark.parametrize("name", TENANTS)
async def test_a_foreign_id_is_answered_as_one_that_does_not_exist(
    foreign: Foreign, routes: list[Route], name: str
) -> None:
    walker, strange = Walker(foreign.people[name]), foreign.of(name)
    tries = [(r, v) for r in with_ids(routes, "GET") for v in filled(r, strange)]
    nobody = [(r, FIXED | {r.parameters[0]: _unknown(r)}) for r, _ in tries]
    answers = await asyncio.gather(*(walker.ask(r, v) for r, v in tries))
    unknown = await asyncio.gather(*(walker.ask(r, v) for r, v in nobody))
    assert len(tries) > 20
    wrong = {
        str(r): (status, other)
        for (r, _), (status, _t), (other, _u) in zip(tries, answers, unknown, strict=True)
        if status not in REFUSED or status != other
    }
    assert wrong == {}


@pytest.mark.parametrize("name", TENANTS)
async def test_no_action_on_a_foreign_id_is_taken(
    foreign: Foreign, routes: list[Route], name: str
) -> None:
    walker, strange = Walker(foreign.people[name]), foreign.of(name)
    actions = with_ids(routes, "POST", "PUT", "PATCH", "DELETE")
    tries = [(r, v) for r in actions for v in filled(r, strange)]
    answers = await asyncio.gather(*(walker.ask(r, v) for r, v in tries))
    assert len(tries) > 30
    wrong = {
        str(r): status
        for (r, _), (status, _t) in zip(tries, answers, strict=True)
        if status not in REFUSED
    }
    assert wrong == {}


async def test_the_coordinator_is_shown_the_same_ids(foreign: Foreign, routes: list[Route]) -> None:
    """The control of the two above: these ids exist, and whoever may see them does."""
    walker, strange = Walker(foreign.people["coordinator"]), foreign.of_anybody()
    seen: set[str] = set()
    for route in with_ids(routes, "GET"):
        answers = [await walker.ask(route, v) for v in filled(route, strange)]
        if any(status == 200 for status, _ in answers):
            seen.add(str(route))
    unseen = {str(r) for r in with_ids(routes, "GET")} - seen
    assert unseen <= {
        # Nothing is parked, no vehicle and no web hook is registered; the others ask for two ids
        # that fit together.
        *(f"{s}: GET /v1/dead-letters/{{dead_letter_id}}" for s in foreign.world.plan.services),
        "transport: GET /v1/vehicles/{vehicle_id}",
        "console: GET /v1/web-hooks/{web_hook_id}",
        "console: GET /v1/web-hooks/{web_hook_id}/deliveries",
        "recruitment: GET /v1/drives/{drive_id}/reserve",
        "registry: GET /v1/worker-batches/{batch_id}/issues.xlsx",
    }


async def test_names_are_revealed_to_nobody_else(foreign: Foreign) -> None:
    world, stranger = foreign.world, foreign.people["office-honghe"]
    workers = sorted(foreign.of("office-honghe")["worker_id"])[:20]
    trip = min(foreign.of("office-honghe")["trip_id"])
    own = str(stranger.account.tenant_id)
    today = str(await world.today())
    for scope in ({"trip_id": trip}, {"enterprise_id": own, "on": today}):
        body = {"worker_ids": workers, "fields": ["name"], "purpose": "manifest", "scope": scope}
        answer = await stranger.post("registry", "/v1/reveals", body)
        assert sorted(answer["withheld"]) == workers


async def test_without_row_security_the_same_walk_finds_leaks_in_every_service(
    foreign: Foreign, routes: list[Route], stack: Plan
) -> None:
    """The negative control: it is the rows' guard that keeps tenants apart."""
    async with without_row_security(stack):
        found = await leaks(foreign, routes, ("office-honghe", "enterprise-nanxiang"))
    leaking = {place.partition(" at ")[2].partition(":")[0] for place in found}
    assert leaking == set(stack.services)
    assert await leaks(foreign, routes, ("office-honghe", "enterprise-nanxiang")) == {}


@asynccontextmanager
async def without_row_security(stack: Plan) -> AsyncIterator[None]:
    """Switch the rows' guard off in all databases, and on again."""
    off: list[tuple[str, str]] = []
    try:
        for url in database_urls(stack).values():
            off += [(url, table) for table in await _guarded(url)]
            await _run(url, "DISABLE", off)
        yield
    finally:
        for url in database_urls(stack).values():
            await _run(url, "ENABLE", off)


async def _guarded(url: str) -> list[str]:
    conn = await asyncpg.connect(url)
    try:
        sql = "SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity"
        return [r["name"] for r in await conn.fetch(sql)]
    finally:
        await conn.close()


async def _run(url: str, what: str, tables: list[tuple[str, str]]) -> None:
    conn = await asyncpg.connect(url)
    try:
        for where, table in tables:
            if where == url:
                await conn.execute(f"ALTER TABLE {table} {what} ROW LEVEL SECURITY")
    finally:
        await conn.close()


def _unknown(route: Route) -> str:
    return "91310000MA1K99999X" if route.parameters[0] == "uscc" else str(uuid.uuid4())
