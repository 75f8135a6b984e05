"""Web hooks: a tenant's administrator keeps them, the bureau's any tenant's."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, Field, model_validator

from contracts.fields import Body, Title
from services.console.domain.web_hook import NAMED_BY, URL_LENGTH_MAX, spelt
from services.console.handlers import web_hooks as handlers
from services.console.handlers.hook_secrets import HookSecrets
from services.console.handlers.projection import FEED
from services.console.handlers.web_hooks import Actor, AddHook
from services.console.hook_wire import RefusedUrlError, Wire
from services.console.store.deliveries import Again
from services.console.store.web_hooks import HookChange
from services.console.views import web_hooks as views
from shared.commands import Answer
from shared.http import Call, call
from shared.paging import LIMIT_DEFAULT, LIMIT_MAX, Cursor, Limit
from shared.problem import Forbidden, NotFound
from shared.transaction import Tx

router = APIRouter()
Caller = Annotated[Call, Depends(call)]
Url = Annotated[str, Field(min_length=1, max_length=URL_LENGTH_MAX)]
#: Types of events, with or without their version.
Kinds = Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=LIMIT_MAX)]


class HookBody(Body):
    """A new hook; the bureau's admin names whose."""

    title: Title
    url: Url
    event_types: Kinds
    tenant_id: UUID | None = None


class HookChangeBody(Body):
    """What changes about a hook."""

    title: Title | None = None
    url: Url | None = None
    event_types: Kinds | None = None
    state: Literal["active", "paused"] | None = None


class ReplayBody(Body):
    """Which deliveries are told again: these, or all that failed, of late or ever."""

    event_ids: tuple[UUID, ...] = Field((), max_length=LIMIT_MAX)
    state: Literal["failed"] | None = None
    since: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ReplayBody":
        if bool(self.event_ids) == (self.state is not None):
            raise ValueError("required")
        return self


#: All that failed and is still kept.
EVER: Final = datetime.min.replace(tzinfo=UTC)


@router.post("/v1/web-hooks", status_code=201)
async def post_hook(body: HookBody, caller: Caller) -> Response:
    """Register a hook; its secret is in this answer and in no other, and kept in none."""
    actor = actor_of(caller, body.tenant_id)
    url = await looked_at(caller, body.url)
    command = AddHook(body.title, url, body.event_types)

    async def effect(tx: Tx) -> Answer:
        await tx.as_worker()
        secrets = caller.resource(HookSecrets)
        web_hook_id, secret = await handlers.add_hook(tx, actor, secrets, command)
        told = {"web_hook_id": web_hook_id, "state": "active", "secret": spelt(secret)}
        return Answer(201, told)

    return await caller.command(effect, keep_answer=False)


@router.get("/v1/web-hooks")
async def list_hooks(
    caller: Caller,
    tenant_id: UUID | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List the tenant's hooks."""
    mine = actor_of(caller, tenant_id).tenant_id
    view = partial(views.list_web_hooks, tenant_id=mine, limit=limit, cursor=cursor)
    return await caller.query(view)


@router.get("/v1/web-hooks/{web_hook_id}")
async def get_hook(web_hook_id: UUID, caller: Caller) -> Response:
    """Give a hook; never its secret."""
    return await caller.query(partial(found_hook, caller, web_hook_id))


@router.patch("/v1/web-hooks/{web_hook_id}")
async def patch_hook(web_hook_id: UUID, body: HookChangeBody, caller: Caller) -> Response:
    """Change a hook, pause it, or set it going again."""
    url = None if body.url is None else await looked_at(caller, body.url)
    why = "by_hand" if body.state == "paused" else None
    change = HookChange(body.title, url, body.event_types, body.state, why)

    async def effect(tx: Tx, actor: Actor) -> Answer:
        await handlers.change_hook(tx, actor, web_hook_id, change)
        tx.wake(FEED)
        return Answer(200, await views.get_web_hook(tx, web_hook_id))

    return await _command(caller, web_hook_id, effect)


@router.delete("/v1/web-hooks/{web_hook_id}")
async def delete_hook(web_hook_id: UUID, caller: Caller) -> Response:
    """Forget a hook, its secret, and what it was to be told."""

    async def effect(tx: Tx, actor: Actor) -> Answer:
        await handlers.delete_hook(tx, actor, web_hook_id)
        return Answer(204)

    return await _command(caller, web_hook_id, effect)


@router.post("/v1/web-hooks/{web_hook_id}/rotate")
async def rotate(web_hook_id: UUID, caller: Caller) -> Response:
    """Give a hook a new secret; until `previous_until` the one before signs, too."""
    secrets = caller.resource(HookSecrets)

    async def effect(tx: Tx, actor: Actor) -> Answer:
        secret, until = await handlers.rotate_secret(tx, actor, secrets, web_hook_id)
        told = {"web_hook_id": web_hook_id, "secret": spelt(secret), "previous_until": until}
        return Answer(200, told)

    return await _command(caller, web_hook_id, effect, keep_answer=False)


@router.post("/v1/web-hooks/{web_hook_id}/test")
async def trial(web_hook_id: UUID, caller: Caller) -> Response:
    """Send a trial, once; what came of it stands among the deliveries."""

    async def effect(tx: Tx, actor: Actor) -> Answer:
        event_id = await handlers.try_hook(tx, actor, web_hook_id)
        tx.wake(FEED)
        return Answer(202, {"event_id": event_id, "state": "waiting"})

    return await _command(caller, web_hook_id, effect)


@router.get("/v1/web-hooks/{web_hook_id}/deliveries")
async def deliveries(
    web_hook_id: UUID,
    caller: Caller,
    state: Annotated[Literal["waiting", "delivered", "failed"] | None, Query()] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List what a hook was or is to be told, newest first."""

    async def view(tx: Tx) -> object:
        await found_hook(caller, web_hook_id, tx)
        return await views.list_deliveries(
            tx, web_hook_id=web_hook_id, state=state, limit=limit, cursor=cursor
        )

    return await caller.query(view)


@router.post("/v1/web-hooks/{web_hook_id}/deliveries/replay")
async def replay(web_hook_id: UUID, body: ReplayBody, caller: Caller) -> Response:
    """Tell deliveries again, under the same ids; who asked and when is noted."""

    async def effect(tx: Tx, actor: Actor) -> Answer:
        since = None if body.state is None else body.since or EVER
        again = Again(body.event_ids, since)
        count = await handlers.replay_deliveries(tx, actor, web_hook_id, again)
        tx.wake(FEED)
        return Answer(202, {"web_hook_id": web_hook_id, "replayed_count": count})

    return await _command(caller, web_hook_id, effect)


Effect = Callable[[Tx, Actor], Awaitable[Answer]]


async def _command(
    caller: Call, web_hook_id: UUID, effect: Effect, *, keep_answer: bool = True
) -> Response:
    """Find the hook as the caller, then do something to it as the service."""

    async def whole(tx: Tx) -> Answer:
        hook = await found_hook(caller, web_hook_id, tx)
        await tx.as_worker()
        return await effect(tx, Actor(caller.identity.account_id, hook["tenant_id"]))

    return await caller.command(whole, keep_answer=keep_answer)


async def found_hook(caller: Call, web_hook_id: UUID, tx: Tx) -> dict[str, Any]:
    """Give a hook that the caller keeps; another's is not found."""
    _require_admin(caller)
    hook = await views.get_web_hook(tx, web_hook_id)
    mine = caller.identity
    # An auditor's row security shows all, and keeps nothing.
    if hook is None or (mine.tenant_kind != "bureau" and hook["tenant_id"] != mine.tenant_id):
        raise NotFound
    return hook


def actor_of(caller: Call, tenant_id: UUID | None) -> Actor:
    """Give who acts for which tenant: the own one, but for the bureau's admin."""
    _require_admin(caller)
    mine = caller.identity
    if tenant_id not in {None, mine.tenant_id} and mine.tenant_kind != "bureau":
        raise NotFound
    return Actor(mine.account_id, tenant_id or mine.tenant_id)


def _require_admin(caller: Call) -> None:
    mine = caller.identity
    if "admin" not in mine.roles or mine.tenant_kind not in {"bureau", *NAMED_BY}:
        raise Forbidden


async def looked_at(caller: Call, url: str) -> str:
    """Give a URL to which something may be sent; raises a `Problem` (422) for any other."""
    url = url.strip()
    try:
        await caller.resource(Wire).aim(url)
    except RefusedUrlError as refused:
        raise handlers.refused_url(refused.code) from None
    return url
