"""Rosters: taken in for the registry, watched while they are checked, mended and sent again."""

from datetime import date
from typing import Annotated, Any, Final, cast
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData, UploadFile

from services.console.pages.notice import Notice
from services.console.pages.visit import PageRoute, Visit, Visitor
from services.console.views.names import list_tenant_names
from services.console.views.standing import list_drives, load_standings
from shared.paging import Cursor
from shared.problem import Problem
from shared.transaction import Tx

router = APIRouter(route_class=PageRoute)

BATCHES_MAX: Final = 50
ISSUES_MAX: Final = 200
WORKERS_MAX: Final = 100
_SENDERS: Final = frozenset({"office", "enterprise"})
_ROLES: Final = frozenset({"coordinator"})
FINAL: Final = frozenset({"accepted", "partly_accepted", "rejected"})
_COUNTS: Final = ("row_count", "accepted_count", "rejected_count", "duplicate_count")


@router.get("/office")
async def office(visit: Visitor) -> Response:
    """Show an office its rosters, and take in another."""
    return await _office(visit)


async def _office(visit: Visit, refused: Problem | None = None) -> Response:
    visit.require({"office"}, _ROLES)
    batches = await visit.ask("registry", "/v1/worker-batches", limit=BATCHES_MAX)
    return visit.page(
        "office.html", refused.status if refused else 200, batches=batches["items"],
        totals=_totals(batches["items"]), drives=await visit.read(list_drives),
        offices=await _choices(visit, "office"), refused=refused,
    )  # fmt: skip


def _totals(batches: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(b.get(name) or 0 for b in batches) for name in _COUNTS}


async def _choices(visit: Visit, kind: str) -> list[Any]:
    """Give the tenants on whose behalf a coordinator may send a roster."""
    if visit.kind != "bureau":
        return []
    return await visit.read(lambda tx: list_tenant_names(tx, [kind]))


@router.post("/rosters")
async def submit(visit: Visitor) -> Response:
    """Hand a roster to the registry; what is wrong with the file as a whole is said at once."""
    visit.require(_SENDERS, _ROLES)
    form = await visit.form()
    try:
        given = _roster(visit, form)
        batch = await visit.desk.upload("registry", visit.identity, "/v1/worker-batches", given)
    except Problem as problem:
        if visit.kind == "enterprise" or form.get("kind") == "new_hires":
            return visit.go("/enterprise#roster", _sorry(visit, problem))
        return await _office(visit, problem)
    return visit.go(f"/rosters/{batch['batch_id']}")


def _sorry(visit: Visit, problem: Problem) -> Notice:
    return Notice("failed", visit.words.said(problem.detail))


def _roster(visit: Visit, form: FormData) -> dict[str, Any]:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        detail = "请选择花名册文件。Choose a roster file first."
        raise Problem(422, "invalid", detail)
    # It was never written to a disk: the form is read in memory.
    content = cast("Any", file.file).read()
    kind = "new_hires" if visit.kind == "enterprise" else str(form.get("kind") or "origin_roster")
    fields = {n: str(form[n]) for n in ("drive_id", "office_id", "enterprise_id") if form.get(n)}
    return {"file": (file.filename, content), "kind": kind, **fields}


@router.get("/rosters/{batch_id}")
async def batch_page(  # noqa: PLR0913 (a filter each)
    batch_id: UUID,
    visit: Visitor,
    severity: Annotated[str, Query(max_length=10)] = "",
    code: Annotated[str, Query(max_length=40)] = "",
    issue_cursor: Cursor = None,
    worker_cursor: Cursor = None,
) -> Response:
    """Show how a roster fares: counts, what is wrong with which row, and where its people stand."""
    visit.require({*_SENDERS, "auditor"}, _ROLES)
    path = f"/v1/worker-batches/{batch_id}"
    batch = await visit.ask("registry", path)
    severity = severity or ("error" if batch["rejected_count"] and not code else "all")
    asked = severity if severity in {"error", "warning", "info"} else None
    issues = await visit.ask(
        "registry", f"{path}/issues", severity=asked, code=code or None, limit=ISSUES_MAX,
        cursor=issue_cursor,
    )  # fmt: skip
    kinds = await visit.ask("registry", f"{path}/issue-kinds")
    workers = await visit.ask(
        "registry", f"{path}/workers", limit=WORKERS_MAX, cursor=worker_cursor
    )
    return visit.page(
        "roster.html", batch=batch, issues=issues, severity=severity, code=code,
        kinds=kinds["items"], workers=workers,
        standings=await _standings(visit, workers["items"]), is_final=batch["state"] in FINAL,
        programmes=await _programmes(visit, batch), today=await visit.read(_today),
        key=str(visit.house.db.ids.uuid7()),
    )  # fmt: skip


async def _programmes(visit: Visit, batch: dict[str, Any]) -> list[Any]:
    """Give the programmes that beds for these people may be asked for under."""
    if batch["kind"] != "new_hires" or not visit.may({"enterprise"}, _ROLES):
        return []
    found: list[Any] = (await visit.ask("lodging", "/v1/programmes"))["items"]
    return found


async def _today(tx: Tx) -> date:
    return tx.today


async def _standings(visit: Visit, workers: list[dict[str, Any]]) -> dict[str, Any]:
    ids = [UUID(w[n]) for w in workers for n in ("nomination_id", "hire_id") if w.get(n)]
    return await visit.read(lambda tx: load_standings(tx, ids))


@router.get("/rosters/{batch_id}/progress")
async def progress(batch_id: UUID, visit: Visitor) -> Response:
    """Give the part of the page that changes while rows are checked."""
    batch = await visit.ask("registry", f"/v1/worker-batches/{batch_id}")
    return visit.page("roster_progress.html", batch=batch, is_final=batch["state"] in FINAL)


@router.get("/rosters/{batch_id}/issues.xlsx")
async def marked(batch_id: UUID, visit: Visitor) -> Response:
    """Hand out the marked workbook as the registry gives it."""
    return await handed_out(visit, "registry", f"/v1/worker-batches/{batch_id}/issues.xlsx")


@router.get("/roster-template.xlsx")
async def template(visit: Visitor) -> Response:
    """Hand out the form to fill in."""
    return await handed_out(visit, "registry", "/v1/roster-template.xlsx")


async def handed_out(visit: Visit, service: str, path: str) -> Response:
    """Hand a service's file out as it is; it is kept nowhere on the way."""
    found = await visit.desk.fetch(service, visit.identity, path)
    named = found.headers.get("content-disposition", "attachment")
    return Response(
        found.content,
        headers={"Content-Disposition": named},
        media_type=found.headers.get("content-type"),
    )
