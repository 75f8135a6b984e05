"""Sends web hooks' deliveries: each hook for itself, some at a time, again until it was taken."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge

from services.console.domain import web_hook as domain
from services.console.domain.web_hook import Outcome, judge, signature
from services.console.feed_bell import FeedBell
from services.console.handlers.hook_secrets import HookSecrets
from services.console.hook_wire import Line, Wire
from services.console.store import deliveries as store
from services.console.store import web_hooks as hook_store
from services.console.store.deliveries import Delivery, Sent
from services.console.store.web_hooks import Hook
from shared.clock import real_now
from shared.commands import rendered
from shared.database import Database
from shared.problem import AWAY

HOOKS_AT_ONCE_MAX: Final = 16
POSTS_AT_ONCE_MAX: Final = 4
# So many are in hand at once; one alone while the hook takes nothing.
IN_HAND_MAX: Final = 20
#: The feed may grow many times a second; that often it is looked whether something is due.
LOOK_PAUSE_S: Final = 0.2
LOOK_INTERVAL_S: Final = 2.0
COUNT_INTERVAL_S: Final = 15.0
_LOG: Final = logging.getLogger("hooks")


@dataclass
class Sender:
    """Sends what is due, for ever; several processes may do so at once.

    A delivery is claimed and marked in two short transactions, and none is open in between. Who
    dies in between leaves it claimed: its lease ends, and it is sent again under the same id.
    """

    db: Database
    bell: FeedBell
    secrets: HookSecrets
    wire: Wire
    chance: Callable[[], float] = random.random
    rest_s: Callable[[int], float] = domain.rest_s
    _busy: set[UUID] = field(default_factory=set)

    async def run(self) -> None:
        """Send until cancelled; raises what the database raises when it is away."""
        self._busy.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                rung = self.bell.count
                async with self.db.transaction(role="worker", read_only=True) as tx:
                    due = await hook_store.list_due(tx)
                room = HOOKS_AT_ONCE_MAX - len(self._busy)
                for web_hook_id in [i for i in due if i not in self._busy][:room]:
                    self._busy.add(web_hook_id)
                    group.create_task(self._drain(web_hook_id))
                await asyncio.sleep(LOOK_PAUSE_S)
                await self.bell.rings_after(rung, LOOK_INTERVAL_S)

    async def _drain(self, web_hook_id: UUID) -> None:
        try:
            async with self.wire.line() as line:
                while await self.send_some(line, web_hook_id):
                    pass
        except AWAY as error:
            # The others' messages under way are not broken off; this one's lease ends by itself.
            _LOG.warning("a hook's round was broken off: %s", type(error).__name__)
        finally:
            self._busy.discard(web_hook_id)

    async def send_some(self, line: Line, web_hook_id: UUID) -> bool:
        """Send some of a hook's due deliveries; False when there is nothing more to do for now."""
        async with self.db.transaction(role="worker") as tx:
            hook = await hook_store.find_hook(tx, web_hook_id)
            if hook is None:
                return False
            limit = IN_HAND_MAX if hook.failing_since is None else 1
            mine = await store.claim(tx, web_hook_id, limit, trials=not hook.may_send)
        if not mine:
            return False
        gate = asyncio.Semaphore(POSTS_AT_ONCE_MAX)
        sent = await asyncio.gather(*(self._send(line, gate, hook, one) for one in mine))
        await self._note(hook, sent)
        return any(outcome.good for _, outcome, _ in sent)

    async def _send(
        self, line: Line, gate: asyncio.Semaphore, hook: Hook, delivery: Delivery
    ) -> Sent:
        async with gate:
            outcome = await self._told(line, hook, delivery)
        verdict = judge(outcome, delivery.attempt_count, self.chance(), trial=delivery.trial)
        return delivery, outcome, verdict

    async def _told(self, line: Line, hook: Hook, delivery: Delivery) -> Outcome:
        secrets = self._opened(hook)
        item = trial_item(hook, delivery) if delivery.trial else delivery.item
        if not secrets or item is None:
            return Outcome(error="not_ours" if not secrets else "event_gone")
        body, now = rendered(item), int(real_now().timestamp())
        message_id = str(delivery.event_id)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(secrets, message_id, now, body),
        }
        return await line.post(hook.url, headers, body)

    def _opened(self, hook: Hook) -> list[bytes]:
        """Give the secrets that sign, the newest first."""
        sealed = [s for s in (hook.secret_sealed, hook.previous_sealed) if s is not None]
        opened = [self.secrets.open(hook.web_hook_id, one) for one in sealed]
        return [one for one in opened if one is not None]

    async def _note(self, hook: Hook, sent: list[Sent]) -> None:
        async with self.db.transaction(role="worker") as tx:
            await store.mark(tx, hook.web_hook_id, sent)
            if any(outcome.good for _, outcome, _ in sent):
                await hook_store.note_success(tx, hook.web_hook_id)
            elif any(not delivery.trial for delivery, _, _ in sent):
                rest = timedelta(seconds=self.rest_s(hook.failure_count + 1))
                await hook_store.note_failure(tx, hook, rest, _paused_why(hook, sent))


def _paused_why(hook: Hook, sent: list[Sent]) -> str | None:
    if any(outcome.status == domain.GONE for _, outcome, _ in sent):
        return "gone"
    if hook.failing_since is None:
        return None
    failing_s = (real_now() - hook.failing_since).total_seconds()
    return "failing" if failing_s > domain.PAUSED_AFTER_S else None


def trial_item(hook: Hook, delivery: Delivery) -> dict[str, Any]:
    """Give a trial's item: of an event's form, about nothing that happened."""
    return {
        "feed_id": 0, "event_id": delivery.event_id, "type": delivery.event_type,
        "service": "console", "subject": f"web-hook/{hook.web_hook_id}", "sequence": 1,
        "tenant_id": delivery.tenant_id, "journey_id": None, "causation_id": None,
        "said_at": delivery.made_at, "heard_at": delivery.made_at, "body": {},
    }  # fmt: skip


@dataclass
class Waiting:
    """Tells Prometheus what waits for hooks that aren't paused."""

    registry: CollectorRegistry

    def __post_init__(self) -> None:
        self.count = self._gauge("waiting", "Deliveries not yet taken by their hooks.")
        self.age_s = self._gauge("waiting_age_seconds", "Age of the oldest such delivery.")

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(f"shanhai_hook_deliveries_{name}", documentation, registry=self.registry)

    async def count_for_ever(self, db: Database) -> None:
        """Count now and then."""
        while True:
            async with db.transaction(role="worker", read_only=True) as tx:
                waiting, oldest_s = await store.count_waiting(tx)
            self.count.set(waiting)
            self.age_s.set(oldest_s)
            await asyncio.sleep(COUNT_INTERVAL_S)
