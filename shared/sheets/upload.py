"""Takes an uploaded file in over HTTP: the form's limits, its fields, and what is answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from shared.http import Call
from shared.problem import FAULTS_MAX, Fault, Problem, refusal
from shared.sheets.issue import SheetRefused
from shared.sheets.reader import SheetReader
from shared.sheets.rows import Found

_FIELDS_MAX: Final = 10
_NAME_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file with the form's fields."""

    filename: str
    data: bytes
    fields: dict[str, str]

    @property
    def extension(self) -> str:
        """The file name's extension, in lower case, without its dot."""
        return PurePath(self.filename.replace("\\", "/")).suffix.lower().lstrip(".")

    def uuid(self, name: str) -> UUID | None:
        """Give a field that holds an id; an empty one is none. Raises `Problem` 422."""
        text = self.fields.get(name, "").strip()
        try:
            return UUID(text) if text else None
        except ValueError:
            raise _invalid(
                f"/{name}", "wrong_form", "不是有效的编号。The value is no id."
            ) from None


def upload_form(fields: Mapping[str, Mapping[str, Any]], *required: str) -> dict[str, Any]:
    """Describe a form of a file and these fields, as OpenAPI has it."""
    properties = {"file": {"type": "string", "format": "binary"}, **fields}
    schema = {"type": "object", "required": ["file", *required], "properties": properties}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


async def read_upload(request: Request, wanted: str) -> Upload:
    """Read the form; `wanted` tells which file to choose.

    Raises `Problem`: 415 for no multipart form, 422 for one without a file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        detail = "请以 multipart/form-data 上传文件。Upload the file as multipart/form-data."
        raise Problem(415, "unsupported_type", detail)
    try:
        form = await request.form(max_files=1, max_fields=_FIELDS_MAX)
    except HTTPException:
        raise _invalid("/", "wrong_form", "表单无法读取。The form cannot be read.") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise _invalid("/file", "required", wanted)
    await file.seek(0)
    data = await file.read()
    await file.seek(0)
    fields = {k: v for k, v in form.multi_items() if isinstance(v, str)}
    return Upload((file.filename or "")[-_NAME_MAX:], data, fields)


async def read_sheet(caller: Call, upload: Upload, today: date) -> Found:
    """Have the file read. Raises `Problem` when the whole of it is refused."""
    try:
        return await caller.resource(SheetReader).read(upload.data, upload.filename, today)
    except SheetRefused as refused:
        raise Problem(refused.status, refused.code, refused.told) from None


def faults_of(refused: ValidationError) -> Sequence[Fault]:
    """Give what a command's model has against a row, as if the row had come as a body."""
    located = [{**e, "loc": ("body", *e["loc"])} for e in refused.errors()]
    return refusal(RequestValidationError(located)).errors


def no_valid_rows(found: Found, detail: str) -> Problem:
    """Make the refusal of a sheet without a good row; `errors` say what is wrong with each."""
    errors = [i for row in found.rows for i in row.errors]
    faults = [Fault(f"/rows/{i.row}/{i.field or i.column}", i.code, i.message) for i in errors]
    return Problem(422, "no_valid_rows", detail, faults[:FAULTS_MAX])


def _invalid(pointer: str, code: str, detail: str) -> Problem:
    return Problem(422, "invalid", detail, [Fault(pointer, code, detail)])
