"""Routes of worker batches: a roster in, its state, what is wrong with it, and who is in it."""

from functools import partial
from typing import Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.registry.api.caller import Caller, acting_tenant, invalid, workbook
from services.registry.api.upload import BoundedRoute, too_large
from services.registry.domain import BatchKind
from services.registry.handlers.intake import Intake
from services.registry.handlers.opening import masked, open_rows
from services.registry.handlers.submitting import SubmitBatch, submit_batch
from services.registry.roster.issue import FileRefused
from services.registry.roster.work import Job
from services.registry.roster.workbook import Mark
from services.registry.store import batches
from services.registry.vault import fingerprint
from services.registry.views import batches as views
from services.registry.views.batches import Page
from services.registry.views.issues import list_issue_kinds, list_issues
from shared.commands import Answer
from shared.http import Call
from shared.paging import LIMIT_DEFAULT, Cursor, Limit, after
from shared.problem import Forbidden, NotFound, Problem
from shared.sheets.upload import Upload, read_upload, upload_form
from shared.transaction import Tx

router = APIRouter(tags=["worker batches"])
_uploads = APIRouter(route_class=BoundedRoute)

BatchState = Literal["received", "validating", "accepted", "partly_accepted", "rejected"]
Severity = Literal["error", "warning", "info"]
_KINDS: dict[str, str] = {"origin_roster": "office", "new_hires": "enterprise"}
_ID = {"type": "string", "format": "uuid"}
_FORM = upload_form(
    {
        "kind": {"type": "string", "enum": list(_KINDS)},
        "drive_id": _ID,
        "office_id": _ID,
        "enterprise_id": _ID,
    }
)


@_uploads.post("/v1/worker-batches", status_code=202, openapi_extra=_FORM)
async def submit(request: Request, caller: Caller) -> Response:
    """Take a roster in; what is wrong with the whole file is answered at once."""
    upload = await read_upload(request, "请选择花名册文件。Choose a roster.")
    tenant_id, kind = _whose(caller, upload)
    intake = caller.resource(Intake)
    limit = intake.limits.file_bytes_max
    if len(upload.data) > limit:
        raise too_large(limit)
    drive_id = upload.uuid("drive_id")
    print_ = fingerprint(
        await intake.vault.index_key(), upload.data, kind, str(drive_id) if drive_id else ""
    )
    job, earlier = await _prepare(caller, tenant_id, kind, upload, print_)
    if earlier:
        return await caller.command(partial(_known, earlier))
    try:
        layout = await intake.readers.look(upload.data, job)
    except FileRefused as refused:
        raise Problem(refused.status, refused.code, refused.told) from None
    command = SubmitBatch(
        tenant_id=tenant_id,
        kind=kind,
        drive_id=drive_id,
        division_code=job.division_code,
        fingerprint=print_,
        file_extension=upload.extension,
        data=upload.data,
        layout=layout,
        submitted_by=caller.identity.account_id,
    )
    return await caller.command(partial(_submit, intake, command))


def _whose(caller: Call, upload: Upload) -> tuple[UUID, BatchKind]:
    office_id, enterprise_id = upload.uuid("office_id"), upload.uuid("enterprise_id")
    tenant_id = acting_tenant(caller, office_id, enterprise_id)
    own = caller.identity.tenant_kind
    tenant_kind = own if own != "bureau" else ("enterprise" if enterprise_id else "office")
    default = "new_hires" if tenant_kind == "enterprise" else "origin_roster"
    kind = upload.fields.get("kind", "").strip() or default
    if kind not in _KINDS:
        raise invalid("/kind", "kind 须为 origin_roster 或 new_hires。Unknown kind.", "wrong_form")
    if tenant_id is None:
        raise invalid(f"/{_KINDS[kind]}_id", "请写明代哪个单位提交。Name the tenant.", "missing")
    if _KINDS[kind] != tenant_kind:
        raise Forbidden
    return tenant_id, cast("BatchKind", kind)


async def _prepare(
    caller: Call, tenant_id: UUID, kind: BatchKind, upload: Upload, print_: bytes
) -> tuple[Job, dict[str, object] | None]:
    """Describe the file to a reader, or find that it is in already."""
    async with caller.house.db.transaction(role="worker", read_only=True) as tx:
        division = await batches.find_division_of_tenant(tx, tenant_id, _KINDS[kind])
        if division is None and caller.identity.tenant_kind != "bureau":
            division = caller.identity.division_code
        if division is None:
            raise NotFound
        job = Job(
            filename=upload.filename,
            kind=kind,
            division_code=division,
            today=tx.today,
            limits=caller.resource(Intake).limits,
            synonyms=await batches.load_synonyms(tx, tenant_id),
        )
        earlier = await batches.find_same_file(tx, tenant_id, print_)
    if earlier is None or earlier.renewable:
        return job, None
    return job, {"batch_id": earlier.batch_id, "state": earlier.state}


async def _known(body: dict[str, object], _: Tx) -> Answer:
    return Answer(200, body)


async def _submit(intake: Intake, command: SubmitBatch, tx: Tx) -> Answer:
    await tx.as_worker()
    return await submit_batch(tx, intake, command)


router.include_router(_uploads)


@router.get("/v1/worker-batches")
async def batches_(
    caller: Caller,
    state: BatchState | None = None,
    drive_id: UUID | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List batches, newest first."""
    (last,) = after(cursor, UUID)
    return await caller.query(
        lambda tx: views.list_batches(tx, Page(last, limit), state=state, drive_id=drive_id)
    )


@router.get("/v1/worker-batches/{batch_id}")
async def batch(batch_id: UUID, caller: Caller) -> Response:
    """Show a batch; `checked_count` grows while its rows are being checked."""

    async def view(tx: Tx) -> object:
        found = await views.find_batch(tx, batch_id)
        progress = caller.resource(Intake).progress.get(batch_id)
        if found and progress is not None and found["state"] == "validating":
            found["checked_count"] = progress
        return found

    return await caller.query(view)


@router.get("/v1/worker-batches/{batch_id}/issues")
async def issues(  # noqa: PLR0913 (a filter each)
    batch_id: UUID,
    caller: Caller,
    severity: Severity | None = None,
    code: str | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """List what is wrong with a batch, in the order of its sheet."""
    (last,) = after(cursor, int)
    return await caller.query(
        lambda tx: list_issues(tx, batch_id, Page(last, limit), severity=severity, code=code)
    )


@router.get("/v1/worker-batches/{batch_id}/issue-kinds")
async def issue_kinds(batch_id: UUID, caller: Caller) -> Response:
    """Count what is wrong with a batch by code, the gravest and most frequent first."""

    async def view(tx: Tx) -> dict[str, Any] | None:
        if await views.find_batch(tx, batch_id) is None:
            return None
        return {"items": await list_issue_kinds(tx, batch_id)}

    return await caller.query(view)


@router.get("/v1/worker-batches/{batch_id}/issues.xlsx")
async def issues_xlsx(batch_id: UUID, caller: Caller) -> Response:
    """Give the rows that were left out back, marked, ready to mend and send again."""
    caller.require(tenant_kinds={"office", "enterprise"}, roles={"coordinator"})

    intake, db = caller.resource(Intake), caller.house.db
    async with db.transaction(role="api", identity=caller.identity, read_only=True) as tx:
        found = await views.find_left_out(tx, batch_id)
    if found is None:
        raise NotFound
    # No transaction is open while rows are opened and written.
    rows = await open_rows(intake.vault, found.rows)
    marks: dict[int, list[Mark]] = {}
    for issue in found.issues:
        text = f"{issue['header']}：{issue['message']}" if issue["header"] else issue["message"]
        marks.setdefault(issue["row_number"], []).append(Mark(issue["column_letter"], text))
    headers = found.layout["headers"]
    content = await intake.writer.issues_workbook(headers, rows, marks, found.unlisted)
    return workbook(content, f"issues-{batch_id}.xlsx")


@router.get("/v1/worker-batches/{batch_id}/workers")
async def batch_workers(
    batch_id: UUID, caller: Caller, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List the persons of a batch, masked."""
    (last,) = after(cursor, int)

    async def view(tx: Tx) -> object:
        found = await views.list_batch_workers(tx, batch_id, Page(last, limit))
        if found is None:
            return None
        items = cast("list[dict[str, object]]", found["items"])
        shown = await masked(caller.resource(Intake).vault, items, ("name", "resident_id"))
        return found | {"items": [_masked_worker(i, shown) for i in items]}

    return await caller.query(view)


def _masked_worker(
    item: dict[str, object], shown: dict[UUID, dict[str, str | None]]
) -> dict[str, object]:
    ids = ("worker_id", "nomination_id", "hire_id", "row")
    told = {k: item[k] for k in ids if item[k] is not None}
    empty: dict[str, str | None] = {"name_masked": None, "resident_id_masked": None}
    relation_id = cast("UUID", item["relation_id"])
    return told | shown.get(relation_id, empty)
