"""Has a file read by a bounded child process, and hears its rows chunk by chunk."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from services.registry.roster.check import Brief, CheckedRow
from services.registry.roster.frames import FRAME_BYTES_MAX, HEAD, frame, unframed, unpacked
from services.registry.roster.issue import FileRefused
from services.registry.roster.reading import Layout
from services.registry.roster.work import Job, layout_from_dict

_MODULE: Final = "services.registry.roster.nursery"
_STOP_WAIT_S: Final = 5.0
# Beyond its CPU limit a child may wait for us, but not for ever.
_ROWS_WALL_S_MAX: Final = 600


class ReaderDiedError(Exception):
    """The child ended without an answer: killed by a limit, or by what it read."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows as they come: what the decision needs of each, and the whole of them, unread."""

    briefs: list[Brief]
    body: bytes

    @property
    def rows(self) -> list[CheckedRow]:
        """The rows, read."""
        return rows_of(self.body)


def rows_of(body: bytes) -> list[CheckedRow]:
    """Read a chunk's rows. Raises `ReaderDiedError` for what no sound reader sends."""
    try:
        return [CheckedRow.from_list(told) for told in unpacked(body)]
    except (TypeError, ValueError) as broken:
        raise ReaderDiedError from broken


class Readers:
    """The children of one service; at most `children_max` read at the same time."""

    def __init__(self, children_max: int = 4) -> None:
        self._turn = asyncio.Semaphore(children_max)
        self._lock = asyncio.Lock()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    async def look(self, data: bytes, job: Job) -> Layout:
        """Answer for the file as a whole, within the limits' seconds. Raises `FileRefused`."""
        wall_s = job.limits.preflight_s_max
        try:
            async with (
                asyncio.timeout(wall_s),
                self._turn,
                contextlib.aclosing(self._replies("look", data, job, int(wall_s))) as told,
            ):
                return layout_from_dict((await anext(told))["layout"])
        except (ReaderDiedError, TimeoutError) as gone:
            raise FileRefused(
                "too_many_cells", "文件过大或过于复杂，无法读取；请只保留花名册内容后提交。"
            ) from gone

    async def rows(self, data: bytes, job: Job) -> AsyncGenerator[Layout | Chunk, None]:
        """Give the layout, then chunks of checked rows. Raises `FileRefused`, `ReaderDiedError`."""
        async with (
            self._turn,
            contextlib.aclosing(self._replies("rows", data, job, _ROWS_WALL_S_MAX)) as told,
        ):
            async for reply in told:
                if "layout" in reply:
                    yield layout_from_dict(reply["layout"])
                else:
                    yield Chunk([Brief(*r) for r in reply["rows"]], reply["body"])

    def close(self) -> None:
        """End the nursery."""
        if self._control:
            self._control.close()
            self._control = None
        if self._nursery:
            self._nursery.wait(_STOP_WAIT_S)
            self._nursery = None

    async def _replies(
        self, task: str, data: bytes, job: Job, wall_s_max: int
    ) -> AsyncGenerator[dict[str, Any], None]:
        reader, writer = await asyncio.open_connection(sock=await self._child(), limit=1 << 20)
        head = {"task": task, "bytes": len(data), "job": job.as_dict(), "wall_s_max": wall_s_max}
        try:
            writer.write(frame(head) + data)
            while True:
                reply = await _reply(reader)
                if "bytes" in reply:
                    reply["body"] = await _read(reader, reply["bytes"])
                if "refused" in reply:
                    raise FileRefused(*reply["refused"])
                if "done" in reply:
                    return
                yield reply
        finally:
            writer.transport.abort()

    async def _child(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        async with self._lock:
            with theirs:
                try:
                    self._send(theirs)
                except OSError:
                    # The nursery is gone: a new one takes its place.
                    self.close()
                    self._send(theirs)
        return ours

    def _send(self, theirs: socket.socket) -> None:
        if self._nursery and self._nursery.poll() is not None:
            self.close()
        if self._control is None:
            self._nursery, self._control = _started()
        socket.send_fds(self._control, [b"\1"], [theirs.fileno()])


def _started() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", _MODULE, str(theirs.fileno())]
        # It needs no secret of ours, so it gets none.
        environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "LANG": "C.UTF-8"}
        process = subprocess.Popen(  # noqa: S603 (our own module)
            command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL
        )
    return process, ours


async def _reply(reader: asyncio.StreamReader) -> dict[str, Any]:
    (length,) = HEAD.unpack(await _read(reader, HEAD.size))
    try:
        return unframed(await _read(reader, length))
    except ValueError as broken:
        raise ReaderDiedError from broken


async def _read(reader: asyncio.StreamReader, length: int) -> bytes:
    if length > FRAME_BYTES_MAX:
        raise ReaderDiedError
    try:
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError) as gone:
        raise ReaderDiedError from gone
