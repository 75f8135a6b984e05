"""Web hooks: nothing is lost, nothing is made twice, and nobody is told what isn't theirs."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from contracts import EVENTS, Event
from contracts.samples import sample
from services.console import views
from services.console.consumers import HANDLERS
from services.console.domain.web_hook import DELAYS_S, kind_of, kinds_for
from services.console.feed_bell import FeedBell
from services.console.handlers.hook_secrets import HookSecrets
from services.console.handlers.web_hooks import Actor, AddHook, add_hook
from services.console.hook_sender import POSTS_AT_ONCE_MAX, Sender
from services.console.hook_wire import Wire
from services.console.store import deliveries as store
from services.console.views.events import EventFilter
from services.console.views.invariants import INVARIANTS
from services.console.views.web_hooks import list_troubled
from shared.commands import rendered
from shared.database import Database
from shared.identity import Identity
from stack.databases import at_database
from stack.postgres import Postgres
from tests.integration.console.test_projection import Way
from tests.support.events import heard, received
from tests.support.flow import DEADLINE_S
from tests.support.http import an_enterprise, an_office
from tests.support.postgres import ServiceDb
from tests.support.receiver import Message, Receiver, a_receiver

SECRETS = HookSecrets(b"k" * 32)
LOCAL = Wire(loopback=True)
PLACED = ("recruitment.placement-confirmed",)


@dataclass
class Town:
    """An enterprise whose hook hears of placements, a stranger with one, and the receiver."""

    db: Database
    enterprise: Identity
    stranger: Identity
    receiver: Receiver
    hook: UUID
    secret: bytes
    strange: UUID
    bell: FeedBell = field(default_factory=FeedBell)

    def sender(self) -> Sender:
        return Sender(self.db, self.bell, SECRETS, LOCAL, chance=lambda: 0.5, rest_s=lambda _: 0.0)

    async def place(self, count: int = 1) -> list[UUID]:
        """Let somebody be placed at the enterprise; give the events' ids."""
        ways = [Way() for _ in range(count)]
        for way in ways:
            way.enterprise_id = self.enterprise.tenant_id
        found = await heard(
            self.db, HANDLERS, [received(w.confirmed(), 1, w.nomination_id) for w in ways]
        )
        return [r.envelope.id for r in found]

    async def send(self, hook: UUID | None = None) -> bool:
        """Let one round be sent to a hook."""
        sender = self.sender()
        async with LOCAL.line() as line:
            return await sender.send_some(line, hook or self.hook)

    async def hasten(self) -> None:
        """Let the pauses and leases be over."""
        await self.run("UPDATE hook_delivery SET due_at = '-infinity' WHERE state = 'waiting'")

    async def run(self, sql: str, *args: object) -> str:
        async with self.db.transaction(role="worker") as tx:
            return await tx.execute(sql, *args)

    async def ask(self, sql: str, *args: object) -> Any:
        async with self.db.transaction(role="worker") as tx:
            return await tx.fetchval(sql, *args)

    async def told(self, hook: UUID | None = None) -> Counter[str]:
        """Count a hook's deliveries by state."""
        async with self.db.transaction(role="worker") as tx:
            rows = await tx.fetch(
                "SELECT state, count(*) AS n FROM hook_delivery WHERE web_hook_id = $1 GROUP BY 1",
                hook or self.hook,
            )
        return Counter({row["state"]: row["n"] for row in rows})


async def registered(
    db: Database, who: Identity, url: str, kinds: tuple[str, ...] = PLACED
) -> tuple[UUID, bytes]:
    async with db.transaction(role="worker") as tx:
        actor = Actor(who.account_id, who.tenant_id)
        return await add_hook(tx, actor, SECRETS, AddHook("我们的系统", url, kinds))


@pytest_asyncio.fixture
async def town(service_db: ServiceDb) -> AsyncIterator[Town]:
    db = await service_db("console")
    ours, stranger = await an_enterprise(db), await an_enterprise(db)
    async with a_receiver() as receiver:
        hook, secret = await registered(db, ours, receiver.url)
        strange, _ = await registered(db, stranger, receiver.url)
        yield Town(db, ours, stranger, receiver, hook, secret, strange)


def is_signed(message: Message, secret: bytes) -> bool:
    """Check a message as its receiver does, by the standard's words alone."""
    signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.body
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return f"v1,{mac}" in message.headers["webhook-signature"].split(" ")


async def test_a_hook_is_told_what_v1_events_tells_its_tenant_signed_and_in_the_same_form(
    town: Town,
) -> None:
    (event_id,) = await town.place()
    assert await town.send()
    (message,) = town.receiver.messages
    assert message.id == str(event_id)
    assert is_signed(message, town.secret)
    assert not is_signed(message, b"x" * 32)
    assert abs(int(message.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    async with town.db.transaction(role="api", identity=town.enterprise) as tx:
        found: Any = await views.list_events(tx, wanted=EventFilter(), limit=5, cursor=None)
    assert json.loads(message.body) == json.loads(rendered(found["items"][0]))
    assert await town.told() == {"delivered": 1}
    # Nobody else was told.
    assert await town.told(town.strange) == {}


async def test_a_receiver_that_fails_twice_is_told_again_under_one_id_and_has_one_effect(
    town: Town,
) -> None:
    answers = iter([500, 500, 200])
    effects: set[str] = set()

    def answer(message: Message) -> int:
        status = next(answers)
        if status == 200:
            effects.add(message.id)
        return status

    town.receiver.answer = answer
    (event_id,) = await town.place()
    for state in ("waiting", "waiting", "delivered"):
        await town.send()
        assert await town.told() == {state: 1}
        # Before its pause is over nothing is sent.
        assert not await town.send()
        await town.hasten()
    assert [m.id for m in town.receiver.messages] == [str(event_id)] * 3
    assert effects == {str(event_id)}
    # Each attempt has a time, and so a signature, of its own.
    assert all(is_signed(m, town.secret) for m in town.receiver.messages)


async def test_what_a_sender_took_and_died_with_is_sent_again_under_the_same_id(
    town: Town,
) -> None:
    """INVARIANT: a death between the post and the note of it loses nothing, and is recognisable."""
    (event_id,) = await town.place()
    town.receiver.held = asyncio.Event()
    dying = asyncio.create_task(town.send())
    await until(lambda: len(town.receiver.messages) == 1)
    dying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await dying
    town.receiver.held.set()
    # Nobody else takes it before the lease is over.
    assert not await town.send()
    await town.hasten()
    assert await town.send()
    assert [m.id for m in town.receiver.messages] == [str(event_id)] * 2
    assert await town.told() == {"delivered": 1}


@pytest.mark.parametrize("once", [True, False])
async def test_a_part_of_the_feed_that_is_told_twice_makes_one_delivery(
    town: Town, postgres: Postgres, *, once: bool
) -> None:
    """INVARIANT: one delivery for a hook and an event. Without the key there would be two."""
    await town.place()
    if not once:
        sql = "ALTER TABLE hook_delivery DROP CONSTRAINT hook_delivery_once"
        await as_owner(town, postgres.superuser_url(), sql)
    async with town.db.transaction(role="worker") as tx:
        last = await views.last_feed_id(tx)
        await store.insert_deliveries(tx, 1, last)
    assert await town.told() == {"waiting": 1 if once else 2}


async def as_owner(town: Town, superuser_url: str, sql: str) -> None:
    """Change the schema, as a migration does."""
    name = await town.ask("SELECT current_database()")
    conn = await asyncpg.connect(at_database(superuser_url, name))
    try:
        await conn.execute(f"SET ROLE console_owner; {sql}")
    finally:
        await conn.close()


async def test_several_senders_send_each_delivery_once(town: Town) -> None:
    ids = await town.place(60)
    await asyncio.gather(*(drained(town) for _ in range(3)))
    assert Counter(m.id for m in town.receiver.messages) == Counter(map(str, ids))
    assert await town.told() == {"delivered": 60}


async def drained(town: Town) -> None:
    while await town.send():
        pass


async def test_a_hook_gets_no_more_at_once_than_it_is_meant_to(town: Town) -> None:
    await town.place(12)
    town.receiver.held = asyncio.Event()
    sending = asyncio.create_task(town.send())
    await until(lambda: town.receiver.at_once == POSTS_AT_ONCE_MAX)
    town.receiver.held.set()
    await sending
    assert town.receiver.at_once_max == POSTS_AT_ONCE_MAX
    assert len(town.receiver.messages) == 12


async def test_a_hook_that_stands_still_keeps_nobody_waiting(town: Town) -> None:
    async with a_receiver() as slow:
        slow.held = asyncio.Event()
        other, _ = await registered(town.db, town.enterprise, slow.url)
        await town.place(5)
        running = asyncio.create_task(town.sender().run())
        try:
            await until(lambda: len(town.receiver.messages) == 5)
            assert await town.told(other) == {"waiting": 5}
            slow.held.set()
            await until_told(town, other, {"delivered": 5})
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_redirect_is_followed_nowhere(town: Town) -> None:
    async with a_receiver() as elsewhere:
        town.receiver.extra = f"location: {elsewhere.url}\r\n"
        town.receiver.answer = lambda _: 307
        await town.place()
        await town.send()
        assert elsewhere.messages == []
    assert await town.ask("SELECT status FROM hook_delivery") == 307


async def test_after_its_last_attempt_a_delivery_has_failed_and_is_told_again_when_asked(
    town: Town,
) -> None:
    town.receiver.answer = lambda _: 503
    (event_id,) = await town.place()
    for _ in range(len(DELAYS_S) + 1):
        await town.send()
        await town.hasten()
    assert await town.told() == {"failed": 1}
    assert len(town.receiver.messages) == len(DELAYS_S) + 1
    town.receiver.answer = lambda _: 200
    who = town.enterprise.account_id
    async with town.db.transaction(role="worker") as tx:
        assert await store.replay(tx, town.strange, who, store.Again([event_id])) == 0
        assert await store.replay(tx, town.hook, who, store.Again([event_id])) == 1
    await town.send()
    assert {m.id for m in town.receiver.messages} == {str(event_id)}
    assert await town.told() == {"delivered": 1}
    assert await town.ask("SELECT replayed_by FROM hook_delivery") == who


async def test_a_hook_that_takes_nothing_for_days_is_paused_keeps_all_and_goes_on_when_asked(
    town: Town,
) -> None:
    town.receiver.answer = lambda _: 500
    await town.place(3)
    await town.send()
    # One after the other is tried now, not all of them.
    assert len(town.receiver.messages) == 3
    await town.hasten()
    await town.send()
    assert len(town.receiver.messages) == 4
    await town.run("UPDATE web_hook SET failing_since = now() - interval '4 days'")
    await town.hasten()
    await town.send()
    assert await town.ask("SELECT paused_why FROM web_hook WHERE web_hook_id = $1", town.hook) == (
        "failing"
    )
    async with town.db.transaction(role="api", identity=admin(town.enterprise)) as tx:
        assert [h["web_hook_id"] for h in await list_troubled(tx, town.enterprise.tenant_id)] == [
            town.hook
        ]
    await town.place()
    await town.hasten()
    assert not await town.send()
    assert await town.told() == {"waiting": 4}


def admin(who: Identity) -> Identity:
    return replace(who, roles=frozenset({"admin"}))


async def test_who_is_gone_is_paused_at_once(town: Town) -> None:
    town.receiver.answer = lambda _: 410
    await town.place(2)
    await town.send()
    assert await town.ask("SELECT paused_why FROM web_hook WHERE web_hook_id = $1", town.hook) == (
        "gone"
    )


async def test_deliveries_are_forgotten_after_a_month_and_not_before(town: Town) -> None:
    await town.place(2)
    old = "made_at = now() - interval '31 days'"
    await town.run(
        f"UPDATE hook_delivery SET {old} WHERE event_id = (SELECT max(event_id::text)::uuid"
        " FROM hook_delivery)"
    )
    async with town.db.transaction(role="worker") as tx:
        assert await store.prune(tx) == 1
    assert await town.told() == {"waiting": 1}


async def test_a_tenant_that_takes_part_no_longer_is_told_nothing(town: Town) -> None:
    await town.place()
    await town.run("UPDATE tenant SET active = false")
    await town.place()
    assert not await town.send()
    assert town.receiver.messages == []
    assert await town.told() == {"waiting": 1}


async def test_whoever_sees_an_event_is_told_of_it_and_nobody_else(town: Town) -> None:
    """INVARIANT: for every type, deliveries are those of `/v1/events` under row security."""
    db, way = town.db, Way()
    way.enterprise_id = town.enterprise.tenant_id
    near = await an_office(db, tenant_id=way.office_id)
    far = await an_office(db, division_code="341200")
    everybody = {
        near: (await registered(db, near, town.receiver.url, kinds_for("office")))[0],
        far: (await registered(db, far, town.receiver.url, kinds_for("office")))[0],
    }
    for who in (town.enterprise, town.stranger):
        url = town.receiver.url + "?all"
        everybody[who] = (await registered(db, who, url, kinds_for("enterprise")))[0]
    events = [variant(model, way) for model in EVENTS.values()]
    events += [sample(model) for model in EVENTS.values()]
    await heard(db, HANDLERS, [received(e, n) for n, e in enumerate(events, 1)])
    for who, hook in everybody.items():
        async with db.transaction(role="api", identity=who) as tx:
            found: Any = await views.list_events(tx, wanted=EventFilter(), limit=200, cursor=None)
            seen = {e["event_id"] for e in found["items"]}
            kinds = {kind_of(e["type"]) for e in found["items"]}
        told = await told_ids(db, hook)
        assert told == seen, who.tenant_kind
        assert kinds <= set(kinds_for(who.tenant_kind))
    assert await told_ids(db, everybody[near])
    assert await told_ids(db, everybody[town.enterprise])


def variant(model: type[Event], way: Way) -> Event:
    """Give an event about this person's way, as far as it is about anybody's."""
    fields = dict(sample(model, full=True))
    known = {**way.ids, "enterprise_id": way.enterprise_id, "trip_id": way.trip_id}
    known |= {"origins": ("530902",), "enterprises": (way.enterprise_id,)}
    return model.model_validate(fields | {k: v for k, v in known.items() if k in fields})


async def told_ids(db: Database, hook: UUID) -> set[UUID]:
    async with db.transaction(role="worker") as tx:
        rows = await tx.fetch("SELECT event_id FROM hook_delivery WHERE web_hook_id = $1", hook)
    return {row["event_id"] for row in rows}


async def test_a_delivery_of_what_is_another_s_would_be_found(town: Town) -> None:
    sql = INVARIANTS["a web hook is told of what names its tenant"]
    await town.place()
    assert await town.ask(sql) is None
    await town.run("UPDATE hook_delivery SET tenant_id = $1", town.stranger.tenant_id)
    assert await town.ask(sql) is not None


async def test_row_security_shows_a_tenant_s_hooks_to_its_own_administrators_only(
    town: Town,
) -> None:
    await town.place()

    async def count(who: Identity, table: str) -> int:
        async with town.db.transaction(role="api", identity=who) as tx:
            return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))

    for table, n in (("web_hook", 1), ("hook_delivery", 1), ("web_hook_log", 1)):
        assert await count(admin(town.enterprise), table) == n
        assert await count(town.enterprise, table) == 0
    assert await count(admin(town.stranger), "hook_delivery") == 0


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def until_told(town: Town, hook: UUID, states: dict[str, int]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if await town.told(hook) == states:
                return
            await asyncio.sleep(0.05)
