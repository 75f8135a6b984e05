"""A route that takes a whole sheet of vacancies, row by row the same command as one by one."""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from contracts.recruitment import VacancyPosted
from services.recruitment.api.calls import COORDINATOR, Caller, on_behalf
from services.recruitment.api.vacancies import NewVacancy
from services.recruitment.handlers import drives
from services.recruitment.sheet.issue import SENTENCES
from services.recruitment.sheet.template import template_workbook
from services.recruitment.store import drives as stored
from shared.commands import Answer
from shared.http import Call
from shared.problem import Fault, Problem
from shared.sheets.rows import Found, Row
from shared.sheets.upload import (
    Upload,
    faults_of,
    no_valid_rows,
    read_sheet,
    read_upload,
    upload_form,
)
from shared.transaction import Tx

router = APIRouter(tags=["vacancies"])

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The sheet's columns where the command's fields come from, when they have another name there.
_COLUMNS: Final = {
    "name": "site_name",
    "division_code": "division",
    "occupation_code": "occupation",
    "monthly_pay_min": "pay_min",
    "monthly_pay_max": "pay_max",
    "education_code": "education",
    "certificate_codes": "certificates",
    "age_min": "age",
    "age_max": "age",
    "requirements": "age",
}
#: Where a field is looked for when its own column isn't there.
_ELSEWHERE: Final = {"pay_min": "pay", "pay_max": "pay", "occupation": "title"}
_ID: Final = {"type": "string", "format": "uuid"}
_FORM: Final = upload_form({"drive_id": _ID, "enterprise_id": _ID}, "drive_id")
_WANTED: Final = "请选择岗位表。Choose a sheet of vacancies."
_NO_DRIVE: Final = "请注明招聘活动。Name the drive."
_NOTHING: Final = (
    "没有可以发布的岗位，请按 errors 修改后重新提交。No row can be posted; see errors."
)


@router.get("/v1/vacancy-template.xlsx")
async def template(caller: Caller) -> Response:
    """Give the sheet of vacancies to fill in."""
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    named = {"Content-Disposition": 'attachment; filename="vacancies.xlsx"'}
    return Response(template_workbook(), media_type=_XLSX, headers=named)


@router.post("/v1/vacancy-sheets", status_code=201, openapi_extra=_FORM)
async def post_sheet(request: Request, caller: Caller) -> Response:
    """Post the good rows of a sheet in one commit, and list all faults of all the others.

    422 `no_valid_rows` when there is none, with the faults in `errors`.
    """
    caller.require(tenant_kinds={"enterprise"}, roles=COORDINATOR)
    try:
        return await _post(await read_upload(request, _WANTED), caller)
    finally:
        # The form keeps the file open until then: the command's key is held against it.
        await request.close()


async def _post(upload: Upload, caller: Call) -> Response:
    drive_id = upload.uuid("drive_id")
    if drive_id is None:
        raise Problem(422, "invalid", _NO_DRIVE, [Fault("/drive_id", "required", _NO_DRIVE)])
    enterprise_id = on_behalf(caller.identity, upload.uuid("enterprise_id"))
    async with caller.house.db.transaction(
        role="api", identity=caller.identity, read_only=True
    ) as tx:
        await stored.get_drive(tx, drive_id)
        today = tx.today
    found = await read_sheet(caller, upload, today)
    good = [(row, body) for row in found.rows if (body := _checked(row, found, drive_id))]
    if not good:
        raise no_valid_rows(found, _NOTHING)

    async def effect(tx: Tx) -> Answer:
        events = [
            VacancyPosted(
                vacancy_id=tx.ids.uuid7(), **{**body.model_dump(), "enterprise_id": enterprise_id}
            )
            for _, body in good
        ]
        await tx.as_worker()
        await drives.post_vacancies(tx, events)
        rows = [row.row for row, _ in good]
        posted = [
            {"row": n, "vacancy_id": e.vacancy_id, "state": "posted"}
            for n, e in zip(rows, events, strict=True)
        ]
        return Answer(201, _answer(drive_id, found, posted))

    return await caller.command(effect)


def _answer(drive_id: UUID, found: Found, posted: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "drive_id": drive_id,
        "row_count": len(found.rows),
        "posted_count": len(posted),
        "rejected_count": len(found.rows) - len(posted),
        "vacancies": posted,
        "issues": [asdict(i) for i in found.issues],
    }


def _checked(row: Row, found: Found, drive_id: UUID) -> NewVacancy | None:
    """Hold a row against the command that posts one vacancy; its refusals are issues, too."""
    body: NewVacancy | None = None
    try:
        body = NewVacancy.model_validate({**row.fields, "drive_id": drive_id})
    except ValidationError as refused:
        _add_refusals(row, found, refused)
    return None if row.errors else body


def _add_refusals(row: Row, found: Found, refused: ValidationError) -> None:
    named = {i.field for i in row.errors}
    for fault in faults_of(refused):
        name = _column_of(fault.pointer, found)
        # What is empty or unreadable has been said already, in better words.
        if name not in named:
            place = found.place(row, name)
            row.issues.append(SENTENCES.issue(fault.code, "error", place, name, fault.detail))


def _column_of(pointer: str, found: Found) -> str:
    parts = [p for p in pointer.split("/") if not p.isdecimal()]
    name = _COLUMNS.get(parts[-1], parts[-1])
    return name if name in found.places else _ELSEWHERE.get(name, name)
