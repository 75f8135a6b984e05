"""Has a file read by a bounded child process, and hears its rows chunk by chunk."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from services.registry.roster.check import CheckedRow
from services.registry.roster.frames import FRAME_BYTES_MAX, HEAD, frame, unframed, unpacked
from services.registry.roster.issue import FileRefused
from services.registry.roster.reading import Layout
from services.registry.roster.work import Job, layout_from_dict

_MODULE: Final = "services.registry.roster.nursery"
_STOP_WAIT_S: Final = 5.0
# Files that were looked at and wait, open, to be read: each holds its child's memory.
_KEPT_MAX: Final = 2
_GO_ON: Final = b"\1"


class ReaderDiedError(Exception):
    """The child ended without an answer: killed by a limit, or by what it read."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows as they came, unread."""

    body: bytes

    @property
    def rows(self) -> list[CheckedRow]:
        """The rows, read. Raises `ReaderDiedError` for what no sound reader sends."""
        try:
            return [CheckedRow.from_list(told) for told in unpacked(self.body)]
        except (TypeError, ValueError) as broken:
            raise ReaderDiedError from broken


class Readers:
    """The children of one service; at most `children_max` read at the same time."""

    def __init__(self, children_max: int = 4) -> None:
        self._turn = asyncio.Semaphore(children_max)
        self._lock = asyncio.Lock()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._kept: dict[bytes, tuple[Layout, _Child]] = {}

    async def look(self, data: bytes, job: Job) -> Layout:
        """Answer for the file as a whole, within the limits' seconds. Raises `FileRefused`.

        The child waits a while with the file open, for `rows` of the same.
        """
        try:
            async with asyncio.timeout(job.limits.preflight_s_max), self._turn:
                child = await self._begin("look", data, job)
                layout = await child.layout()
        except (ReaderDiedError, TimeoutError) as gone:
            raise FileRefused(
                "too_many_cells", "文件过大或过于复杂，无法读取；请只保留花名册内容后提交。"
            ) from gone
        if len(self._kept) >= _KEPT_MAX:
            self._end_kept(next(iter(self._kept)))
        key = _key(data, job)
        self._end_kept(key)
        self._kept[key] = layout, child
        return layout

    async def rows(self, data: bytes, job: Job) -> AsyncGenerator[Layout | Chunk, None]:
        """Give the layout, then chunks of checked rows. Raises `FileRefused`, `ReaderDiedError`."""
        async with self._turn:
            opened = self._kept.pop(_key(data, job), None)
            reply = await opened[1].go_on() if opened else None
            if opened and reply:
                layout, child = opened
            else:
                child = await self._begin("rows", data, job)
                layout = await child.layout()
                reply = await child.reply()
            # The child has the file: nobody else holds it while its rows come.
            del data
            try:
                yield layout
                while "body" in reply:
                    yield Chunk(reply["body"])
                    reply = await child.reply()
            finally:
                child.end()

    def close(self) -> None:
        """End the nursery and whoever waits."""
        for key in [*self._kept]:
            self._end_kept(key)
        if self._control:
            self._control.close()
            self._control = None
        if self._nursery:
            self._nursery.wait(_STOP_WAIT_S)
            self._nursery = None

    def _end_kept(self, key: bytes) -> None:
        if key in self._kept:
            _, child = self._kept.pop(key)
            child.end()

    async def _begin(self, task: str, data: bytes, job: Job) -> "_Child":
        reader, writer = await asyncio.open_connection(sock=await self._fork(), limit=1 << 20)
        writer.write(frame({"task": task, "bytes": len(data), "job": job.as_dict()}) + data)
        return _Child(reader, writer)

    async def _fork(self) -> socket.socket:
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


@dataclass(frozen=True, slots=True)
class _Child:
    """The line to a child at work; whatever it answers but a reply ends it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def end(self) -> None:
        """Hang up: the child ends by that."""
        self.writer.transport.abort()

    async def layout(self) -> Layout:
        """Hear the layout, which comes first. Raises `FileRefused`, `ReaderDiedError`."""
        return layout_from_dict((await self.reply())["layout"])

    async def go_on(self) -> dict[str, Any] | None:
        """Have a child that waits read on: its first reply, None when it is gone meanwhile."""
        self.writer.write(_GO_ON)
        try:
            return await self.reply()
        except ReaderDiedError:
            return None

    async def reply(self) -> dict[str, Any]:
        """Hear the next reply; a chunk has its `body`. Raises `FileRefused`, `ReaderDiedError`."""
        try:
            reply = await self._reply()
        except BaseException:
            self.end()
            raise
        if "refused" in reply:
            self.end()
            raise FileRefused(*reply["refused"])
        return reply

    async def _reply(self) -> dict[str, Any]:
        (length,) = HEAD.unpack(await self._read(HEAD.size))
        try:
            reply = unframed(await self._read(length))
        except ValueError as broken:
            raise ReaderDiedError from broken
        if "bytes" in reply:
            reply["body"] = await self._read(reply["bytes"])
        return reply

    async def _read(self, length: int) -> bytes:
        if length > FRAME_BYTES_MAX:
            raise ReaderDiedError
        try:
            return await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            raise ReaderDiedError from gone


def _key(data: bytes, job: Job) -> bytes:
    """Name a file and how it is read; of its name only the ending counts."""
    ending = job.filename.rpartition(".")[2].lower()
    told = repr(replace(job, filename=ending).as_dict()).encode()
    return sha256(sha256(data).digest() + told).digest()


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
