"""`/web-hooks`: an organisation's own programs that are told; its administrator keeps them."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from services.console import views
from services.console.api import web_hooks as api
from services.console.domain.web_hook import HOOKS_MAX, NAMED_BY, kinds_for
from services.console.pages.forms import field, fields, wrong_field
from services.console.pages.notice import Notice
from services.console.pages.visit import PageRoute, Visit, Visitor, data_of
from services.console.views.names import list_tenant_names
from services.console.views.web_hooks import get_delivery, list_log
from shared.paging import Cursor
from shared.problem import NotFound, Problem, refusal

router = APIRouter(route_class=PageRoute)
HERE: Final = "/web-hooks"
PAGE_SIZE: Final = 20
STATES: Final = ("waiting", "failed", "delivered")
#: So long a page waits for what comes of a trial.
TRIAL_WAIT_S: Final = 6.0
TRIAL_LOOK_S: Final = 0.2
_UNTYPED: Final = {"title": "", "url": "", "which": "all", "event_types": ()}
B = TypeVar("B", bound=BaseModel)


@router.get(HERE)
async def hooks(visit: Visitor, tenant: Annotated[str, Query(max_length=36)] = "") -> Response:
    """List the hooks of one's organisation; the bureau's administrator may choose any."""
    return await _list(visit, tenant)


async def _list(visit: Visit, tenant: str, /, **shown: object) -> Response:
    whose = api.actor_of(visit.call, _tenant(visit, tenant)).tenant_id
    found = await visit.read(partial(views.get_tenant, tenant_id=whose))
    if found is None:
        raise NotFound
    kinds = kinds_for(found["kind"])
    hooks = data_of(await api.list_hooks(visit.call, whose, HOOKS_MAX))["items"] if kinds else []
    status = 422 if shown.get("wrong") else 200
    return visit.page(
        "web_hooks.html", status, hooks=hooks, chosen=found, groups=_groups(kinds),
        tenants=await _tenants(visit), full=len(hooks) >= HOOKS_MAX, max=HOOKS_MAX,
        local=visit.house.settings.local_stack,
        **{"wrong": "", "typed": _UNTYPED, **shown},
    )  # fmt: skip


def _tenant(visit: Visit, asked: str) -> UUID | None:
    try:
        return UUID(asked) if asked and visit.kind == "bureau" else None
    except ValueError:
        raise NotFound from None


async def _tenants(visit: Visit) -> list[Any]:
    if visit.kind != "bureau":
        return []
    return await visit.read(lambda tx: list_tenant_names(tx, tuple(NAMED_BY)))


def _groups(kinds: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Give kinds of events by the service that says them."""
    services = dict.fromkeys(kind.partition(".")[0] for kind in kinds)
    return {s: [k for k in kinds if k.startswith(f"{s}.")] for s in services}


@router.post(HERE)
async def register(visit: Visitor) -> Response:
    """Register a hook, and show its secret this once."""
    form = await visit.form()
    tenant = str(form.get("tenant", ""))
    whose = api.actor_of(visit.call, _tenant(visit, tenant)).tenant_id
    try:
        typed = await _typed(visit, form, whose)
        made = data_of(
            await api.post_hook(_body(api.HookBody, **typed, tenant_id=whose), visit.call)
        )
    except Problem as problem:
        wrong = _said(visit, problem)
        typed = {**_UNTYPED, **dict(form), "event_types": form.getlist("event_types")}
        return await _list(visit, tenant, wrong=wrong, typed=typed)
    return await _show(visit, UUID(made["web_hook_id"]), secret=made["secret"])


async def _typed(visit: Visit, form: FormData, tenant_id: UUID) -> dict[str, Any]:
    found = await visit.read(partial(views.get_tenant, tenant_id=tenant_id))
    chosen = fields(form, "event_types", str)
    if found and form.get("which") == "all":
        chosen = list(kinds_for(found["kind"]))
    return {
        "title": str(form.get("title", "")),
        "url": str(form.get("url", "")).strip(),
        "event_types": chosen,
    }


def _body(kind: type[B], **given: object) -> B:
    """Make the body of a route; raises a `Problem` (422) for a wrong one."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        faults = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise refusal(RequestValidationError(faults)) from None


def _said(visit: Visit, problem: Problem) -> str:
    detail = problem.errors[0].detail if problem.errors else problem.detail
    return visit.words.said(detail)


@router.get("/web-hooks/{web_hook_id}")
async def hook(
    web_hook_id: UUID,
    visit: Visitor,
    state: Annotated[str, Query(max_length=20)] = "",
    cursor: Cursor = None,
) -> Response:
    """Show a hook: what it was told, what waits, and what can be done about it."""
    return await _show(visit, web_hook_id, state if state in STATES else None, cursor)


async def _show(
    visit: Visit, web_hook_id: UUID, state: str | None = None, cursor: str | None = None, /,
    **shown: object,
) -> Response:  # fmt: skip
    found = data_of(await api.get_hook(web_hook_id, visit.call))
    told = data_of(
        await api.deliveries(web_hook_id, visit.call, state, PAGE_SIZE, cursor)  # type: ignore[arg-type]
    )
    tenant = await visit.read(partial(views.get_tenant, tenant_id=UUID(found["tenant_id"])))
    kinds = kinds_for(tenant["kind"]) if tenant else ()
    status = 422 if shown.get("wrong") else 200
    return visit.page(
        "web_hook.html", status, hook=found, tenant=tenant, groups=_groups(kinds),
        deliveries=told["items"], next_cursor=told["next_cursor"], state=state, states=STATES,
        every=set(kinds) <= set(found["event_types"]),
        log=await visit.read(partial(list_log, web_hook_id=web_hook_id)),
        **{"secret": "", "wrong": "", **shown},
    )  # fmt: skip


@router.post("/web-hooks/{web_hook_id}")
async def change(web_hook_id: UUID, visit: Visitor) -> Response:
    """Do something to a hook."""
    form = await visit.form()
    do = field(form, "do", str)
    try:
        match do:
            case "rotate":
                turned = data_of(await api.rotate(web_hook_id, visit.call))
                return await _show(visit, web_hook_id, secret=turned["secret"])
            case "delete":
                return await _delete(visit, web_hook_id)
            case _:
                notice = await _done(visit, web_hook_id, do, form)
    except Problem as problem:
        if problem.status in {403, 404}:
            raise
        return await _show(visit, web_hook_id, wrong=_said(visit, problem))
    return visit.go(f"{HERE}/{web_hook_id}", notice)


async def _delete(visit: Visit, web_hook_id: UUID) -> Response:
    found = data_of(await api.get_hook(web_hook_id, visit.call))
    await api.delete_hook(web_hook_id, visit.call)
    said = visit.words("hook.done_delete", title=found["title"])
    tenant = found["tenant_id"] if visit.kind == "bureau" else ""
    return visit.go(visit.link(HERE, tenant=tenant), Notice("done", said))


async def _done(visit: Visit, web_hook_id: UUID, do: str | None, form: FormData) -> Notice:
    match do:
        case "test":
            return await _try(visit, web_hook_id)
        case "replay" | "replay_failed":
            return await _replay(visit, web_hook_id, do, form)
        case "pause" | "resume":
            state: Any = {"pause": "paused", "resume": "active"}[do]
            body = api.HookChangeBody(state=state)
        case "change":
            found = data_of(await api.get_hook(web_hook_id, visit.call))
            typed = await _typed(visit, form, UUID(found["tenant_id"]))
            if typed["url"] == found["url"]:
                # What stays as it is needs no second look, which might fail just now.
                del typed["url"]
            body = _body(api.HookChangeBody, **typed)
        case _:
            raise wrong_field("do")
    await api.patch_hook(web_hook_id, body, visit.call)
    return Notice("done", visit.words(f"hook.done_{do}"))


async def _replay(visit: Visit, web_hook_id: UUID, do: str, form: FormData) -> Notice:
    ids = fields(form, "id", UUID)[:PAGE_SIZE]
    if do == "replay" and not ids:
        return Notice("failed", visit.words("hook.choose"))
    body = (
        api.ReplayBody(state="failed")
        if do == "replay_failed"
        else api.ReplayBody(event_ids=tuple(ids))
    )
    told = data_of(await api.replay(web_hook_id, body, visit.call))
    count = told["replayed_count"]
    said = visit.words("hook.done_replay", n=count)
    return Notice("done" if count else "failed", said)


async def _try(visit: Visit, web_hook_id: UUID) -> Notice:
    """Send a trial, and wait a little for what comes of it."""
    tried = data_of(await api.trial(web_hook_id, visit.call))
    told = None
    with_deadline = asyncio.get_running_loop().time() + TRIAL_WAIT_S
    while asyncio.get_running_loop().time() < with_deadline:
        told = await visit.read(
            partial(get_delivery, web_hook_id=web_hook_id, event_id=UUID(tried["event_id"]))
        )
        if told is None or told["state"] != "waiting":
            break
        await asyncio.sleep(TRIAL_LOOK_S)
    if told is None or told["state"] == "waiting":
        return Notice("done", visit.words("hook.tried"))
    if told["state"] == "delivered":
        return Notice("done", visit.words("hook.tried_good", status=told["status"]))
    return Notice("failed", visit.words("hook.tried_bad", why=why(visit, told)))


def why(visit: Visit, told: Mapping[str, Any]) -> str:
    """Say why an attempt came to nothing."""
    if told["status"] is not None:
        return visit.words("hook.answered", status=told["status"])
    return visit.words.code("hook_error", told["error"])
