"""Web hooks: registered, changed, given a new secret, tried, told again, deleted; each is noted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.console.domain.web_hook import (
    HOOKS_MAX,
    TRIAL,
    TRIALS_A_MINUTE_MAX,
    kind_of,
    kinds_for,
)
from services.console.handlers.hook_secrets import HookSecrets
from services.console.store import deliveries
from services.console.store import web_hooks as store
from services.console.store.deliveries import Again
from services.console.store.web_hooks import Done, HookChange, NewHook
from shared.problem import Fault, NotFound, Problem
from shared.transaction import Tx

_SAID: Final = {
    "wrong_url": "网址格式不对。The URL is not of its form.",
    "https_only": "网址须以 https:// 开头。The URL must begin with https://.",
    "port_refused": "只能用 443 端口。Only port 443 is allowed.",
    "not_resolved": "查不到这个域名的地址。The name of the host is not known.",
    "address_refused": "不能是内网或本机地址。Addresses inside a network are refused.",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, to which organisation's hook."""

    account_id: UUID
    tenant_id: UUID


@dataclass(frozen=True, slots=True)
class AddHook:
    """Register a hook; the URL has been looked at."""

    title: str
    url: str
    event_types: Sequence[str]


async def add_hook(
    tx: Tx, actor: Actor, secrets: HookSecrets, command: AddHook
) -> tuple[UUID, bytes]:
    """Register a hook; give its id and its secret, which nobody is ever told again."""
    kind = await store.lock_tenant_kind(tx, actor.tenant_id)
    if kind is None:
        raise NotFound
    kinds = checked_kinds(kind, command.event_types)
    if await store.count_hooks(tx, actor.tenant_id) >= HOOKS_MAX:
        detail = f"最多登记 {HOOKS_MAX} 个推送地址。There are {HOOKS_MAX} hooks already."
        raise Problem(409, "too_many", detail)
    web_hook_id = tx.ids.uuid7()
    secret, sealed = secrets.make(web_hook_id)
    hook = NewHook(web_hook_id, actor.tenant_id, command.title, command.url, kinds, sealed)
    if not await store.insert_hook(tx, hook):
        raise url_taken()
    await _note(tx, actor, web_hook_id, "registered")
    return web_hook_id, secret


def checked_kinds(tenant_kind: str, asked: Sequence[str]) -> list[str]:
    """Give kinds of events that such a tenant may see, each once and without its version."""
    if not kinds_for(tenant_kind):
        detail = "只有人社局和企业可以设置消息推送。Only offices and enterprises have web hooks."
        raise Problem(403, "forbidden", detail)
    known = set(kinds_for(tenant_kind))
    kinds = list(dict.fromkeys(kind_of(one) for one in asked))
    detail = "没有这种事件，或贵单位看不到它。There is no such event, or it is not yours to see."
    faults = [
        Fault(f"/event_types/{n}", "unknown_event_type", detail)
        for n, one in enumerate(kinds)
        if one not in known
    ]
    if not kinds:
        faults = [Fault("/event_types", "required", "请至少选一种事件。Choose at least one kind.")]
    if faults:
        raise Problem(422, "invalid", faults[0].detail, faults)
    return kinds


async def change_hook(tx: Tx, actor: Actor, web_hook_id: UUID, change: HookChange) -> None:
    """Change a hook, pause it, or set it going again: then what waits comes at once."""
    if change.event_types is not None:
        kind = await store.lock_tenant_kind(tx, actor.tenant_id)
        if kind is None:
            raise NotFound
        change = replace(change, event_types=checked_kinds(kind, change.event_types))
    if change.url is not None and await store.is_url_taken(tx, web_hook_id, change.url):
        raise url_taken()
    await store.update_hook(tx, web_hook_id, change)
    if change.state == "active":
        await deliveries.hasten(tx, web_hook_id)
    action = {"active": "resumed", "paused": "paused"}.get(change.state or "", "changed")
    await _note(tx, actor, web_hook_id, action)


async def rotate_secret(
    tx: Tx, actor: Actor, secrets: HookSecrets, web_hook_id: UUID
) -> tuple[bytes, datetime]:
    """Give a hook a new secret; give it, and until when the one before signs, too."""
    secret, sealed = secrets.make(web_hook_id)
    until = await store.rotate_secret(tx, web_hook_id, sealed)
    await _note(tx, actor, web_hook_id, "rotated")
    return secret, until


async def try_hook(tx: Tx, actor: Actor, web_hook_id: UUID) -> UUID:
    """Let a trial be sent to a hook, even to one that is paused; give its id."""
    if await deliveries.count_trials(tx, web_hook_id) >= TRIALS_A_MINUTE_MAX:
        detail = "试推送太频繁，请一分钟后再试。Too many trials; try again in a minute."
        raise Problem(429, "too_many", detail, headers={"Retry-After": "60"})
    event_id = await deliveries.insert_trial(tx, web_hook_id, actor.tenant_id, TRIAL)
    await _note(tx, actor, web_hook_id, "tried", 1)
    return event_id


async def replay_deliveries(tx: Tx, actor: Actor, web_hook_id: UUID, again: Again) -> int:
    """Let deliveries be told again, under the same ids; count them."""
    count = await deliveries.replay(tx, web_hook_id, actor.account_id, again)
    if count:
        await _note(tx, actor, web_hook_id, "replayed", count)
    return count


async def delete_hook(tx: Tx, actor: Actor, web_hook_id: UUID) -> None:
    """Forget a hook; that it was there stays noted."""
    await store.delete_hook(tx, web_hook_id)
    await _note(tx, actor, web_hook_id, "deleted")


async def _note(
    tx: Tx, actor: Actor, web_hook_id: UUID, action: str, delivery_count: int | None = None
) -> None:
    done = Done(web_hook_id, actor.tenant_id, actor.account_id, action, delivery_count)
    await store.insert_log(tx, done)


def url_taken() -> Problem:
    """Give the refusal of a URL that the tenant has a hook for."""
    detail = "这个网址已经登记过。There is a hook for this URL already."
    return Problem(409, "taken", detail, [Fault("/url", "taken", detail)])


def refused_url(code: str) -> Problem:
    """Give the refusal of a URL to which nothing is sent; the URL is not repeated."""
    return Problem(422, "invalid", _SAID[code], [Fault("/url", code, _SAID[code])])
