"""A route that takes a whole sheet of vacancies, row by row the same command as one by one."""

from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from contracts.recruitment import VacancyPosted
from services.recruitment.api.calls import COORDINATOR, Caller, on_behalf
from services.recruitment.api.vacancies import NewVacancy
from services.recruitment.handlers import drives
from services.recruitment.sheet.issue import issue
from services.recruitment.sheet.rows import Found, Row
from services.recruitment.sheet.template import template_workbook
from services.recruitment.store import drives as stored
from shared.commands import Answer
from shared.http import Call
from shared.problem import FAULTS_MAX, Fault, Problem, refusal
from shared.sheets.issue import Issue, SheetRefused
from shared.sheets.reader import SheetReader
from shared.transaction import Tx

router = APIRouter(tags=["vacancies"])

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FIELDS_MAX: Final = 5
_NAME_MAX: Final = 255
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
_FORM: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "drive_id"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "drive_id": {"type": "string", "format": "uuid"},
                        "enterprise_id": {"type": "string", "format": "uuid"},
                    },
                }
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class _Upload:
    filename: str
    data: bytes
    drive_id: UUID
    enterprise_id: UUID | None


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
        return await _post(await _upload(request), caller)
    finally:
        # The form keeps the file open until then: the command's key is held against it.
        await request.close()


async def _post(upload: _Upload, caller: Call) -> Response:
    enterprise_id = on_behalf(caller.identity, upload.enterprise_id)
    async with caller.house.db.transaction(
        role="api", identity=caller.identity, read_only=True
    ) as tx:
        await stored.get_drive(tx, upload.drive_id)
        today = tx.today
    try:
        found = await caller.resource(SheetReader).read(upload.data, upload.filename, today)
    except SheetRefused as refused:
        raise Problem(refused.status, refused.code, refused.told) from None
    good = [(row, body) for row in found.rows if (body := _checked(row, found, upload))]
    if not good:
        raise _nothing(found)

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
        return Answer(201, _answer(upload.drive_id, found, posted))

    return await caller.command(effect)


def _answer(drive_id: UUID, found: Found, posted: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "drive_id": drive_id,
        "row_count": len(found.rows),
        "posted_count": len(posted),
        "rejected_count": len(found.rows) - len(posted),
        "vacancies": posted,
        "issues": [asdict(i) for i in _issues(found)],
    }


def _issues(found: Found) -> list[Issue]:
    return [*found.notices, *(i for row in found.rows for i in row.issues)]


def _nothing(found: Found) -> Problem:
    detail = "没有可以发布的岗位，请按 errors 修改后重新提交。No row can be posted; see errors."
    errors = [i for row in found.rows for i in row.issues if i.severity == "error"]
    faults = [Fault(f"/rows/{i.row}/{i.field or i.column}", i.code, i.message) for i in errors]
    return Problem(422, "no_valid_rows", detail, faults[:FAULTS_MAX])


def _checked(row: Row, found: Found, upload: _Upload) -> NewVacancy | None:
    """Hold a row against the command that posts one vacancy; its refusals are issues, too."""
    body: NewVacancy | None = None
    try:
        body = NewVacancy.model_validate({**row.fields, "drive_id": upload.drive_id})
    except ValidationError as refused:
        _add_refusals(row, found, refused)
    return None if any(i.severity == "error" for i in row.issues) else body


def _add_refusals(row: Row, found: Found, refused: ValidationError) -> None:
    told = [{**e, "loc": ("body", *e["loc"])} for e in refused.errors()]
    named = {i.field for i in row.issues if i.severity == "error"}
    for fault in refusal(RequestValidationError(told)).errors:
        name = _column_of(fault.pointer, found)
        # What is empty or unreadable has been said already, in better words.
        if name in named:
            continue
        letter, word = found.places.get(name, (None, None))
        column = None if letter is None else _number_of(letter)
        place = (row.row, column, word)
        row.issues.append(issue(fault.code, "error", place, name, fault.detail))


def _column_of(pointer: str, found: Found) -> str:
    parts = [p for p in pointer.split("/") if not p.isdecimal()]
    name = _COLUMNS.get(parts[-1], parts[-1])
    return name if name in found.places else _ELSEWHERE.get(name, name)


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


async def _upload(request: Request) -> _Upload:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        detail = "请以 multipart/form-data 上传文件。Upload the file as multipart/form-data."
        raise Problem(415, "unsupported_type", detail)
    try:
        form = await request.form(max_files=1, max_fields=_FIELDS_MAX)
    except HTTPException:
        raise _invalid("/", "表单无法读取。The form cannot be read.", "wrong_form") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise _invalid("/file", "请选择岗位表。Choose a sheet of vacancies.", "required")
    drive_id = _id(form, "drive_id")
    if drive_id is None:
        raise _invalid("/drive_id", "请注明招聘活动。Name the drive.", "required")
    await file.seek(0)
    data = await file.read()
    filename = (file.filename or "")[-_NAME_MAX:]
    return _Upload(filename, data, drive_id, _id(form, "enterprise_id"))


def _id(form: FormData, name: str) -> UUID | None:
    told = form.get(name)
    text = told.strip() if isinstance(told, str) else ""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise _invalid(f"/{name}", "不是有效的编号。The value is no id.", "wrong_form") from None


def _invalid(pointer: str, detail: str, code: str) -> Problem:
    return Problem(422, "invalid", detail, [Fault(pointer, code, detail)])
