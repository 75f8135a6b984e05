"""Reads an upload: a file and a few fields, bounded, and never in clear on a disk."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import Message

from services.registry.api.caller import invalid
from shared.problem import Problem

_FIELDS_MAX: Final = 10
_FORM_BYTES: Final = 64 * 1024
_NAME_MAX: Final = 255
# Beyond this an upload is cut off, whatever the setting: it lies in memory while it is read.
UPLOAD_BYTES_MAX: Final = 256 * 1024 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

# The parser writes larger files to a disk, in clear; a roster is held in memory until it is sealed.
MultiPartParser.spool_max_size = UPLOAD_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded roster with the form's fields."""

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
        if not text:
            return None
        try:
            return UUID(text)
        except ValueError:
            raise invalid(f"/{name}", "不是有效的编号。The value is no id.", "wrong_form") from None


class BoundedRoute(APIRoute):
    """A route whose body is refused as soon as it is larger than a roster may be."""

    def get_route_handler(self) -> Handler:
        """Wrap the route's handler."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            limit = request.app.state.house.settings.limits.file_bytes_max
            bounded = Request(request.scope, _counting(request, limit + _FORM_BYTES))
            try:
                return await handle(bounded)
            finally:
                await bounded.close()

        return handle_bounded


def _counting(request: Request, limit: int) -> Callable[[], Coroutine[Any, Any, Message]]:
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large(limit)
        return message

    return receive


def too_large(limit: int) -> Problem:
    """Make the refusal of a file that is larger than `limit` bytes."""
    megabytes = limit >> 20
    detail = (
        f"文件超过 {megabytes} MB，请拆分后分批提交。The file is over {megabytes} MB; split it."
    )
    return Problem(413, "file_too_large", detail)


async def read_upload(request: Request) -> Upload:
    """Read the form. Raises `Problem`: 415 for no multipart form, 422 for one without a file."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        detail = "请以 multipart/form-data 上传文件。Upload the file as multipart/form-data."
        raise Problem(415, "unsupported_type", detail)
    try:
        form = await request.form(max_files=1, max_fields=_FIELDS_MAX)
    except HTTPException:
        raise invalid("/", "表单无法读取。The form cannot be read.", "wrong_form") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise invalid("/file", "请选择花名册文件。Choose a roster.", "missing")
    await file.seek(0)
    data = await file.read()
    await file.seek(0)
    return Upload((file.filename or "")[-_NAME_MAX:], data, _texts(form))


def _texts(form: FormData) -> dict[str, str]:
    return {k: v for k, v in form.multi_items() if isinstance(v, str)}
