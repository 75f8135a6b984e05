"""Bounds an upload: nothing larger than a roster, and never in clear on a disk."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.formparsers import MultiPartParser
from starlette.types import Message

from shared.problem import Problem

_FORM_BYTES: Final = 64 * 1024
# Beyond this an upload is cut off, whatever the setting: it lies in memory while it is read.
UPLOAD_BYTES_MAX: Final = 256 * 1024 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

# The parser writes larger files to a disk, in clear; a roster is held in memory until it is sealed.
MultiPartParser.spool_max_size = UPLOAD_BYTES_MAX


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
