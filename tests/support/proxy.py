"""A TCP proxy between a client and a server, whose line can hang or break."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Line:
    """A proxied line that can hang, break, and break just when the server has said something."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._flows = asyncio.Event()
        self._flows.set()
        self._cut_at = b""
        self._hang_at = b""
        self._delay_s = 0.0
        self.cut_count = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; `port` 0 takes any free one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    def hang(self) -> None:
        """Let nothing through any more, in either direction, without closing anything."""
        self._flows.clear()

    def strand(self, for_s: float | None = None) -> None:
        """Let nothing more through on what runs over it now; who connects anew is served.

        After `for_s` seconds both ends notice, as they do when nobody answers their probes.
        """
        self._flows.clear()
        if for_s is not None:
            asyncio.get_running_loop().call_later(for_s, self._abort, set(self._writers))
        self._flows = asyncio.Event()
        self._flows.set()

    def slow(self, delay_s: float) -> None:
        """Hold each piece back for so long."""
        self._delay_s = delay_s

    def reset(self) -> None:
        """Break off everything that runs over it, as a router does that forgot it; listen on."""
        self._abort(self._writers)

    def _abort(self, writers: set[asyncio.StreamWriter]) -> None:
        for writer in writers:
            if not writer.transport.is_closing():
                line = writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def go_on(self) -> None:
        """Let everything through again, without delay."""
        self._delay_s = 0.0
        self._flows.set()

    def hang_at(self, answer: bytes) -> None:
        """Hang as soon as the server has said this, which is not let through either."""
        self._hang_at = answer

    def cut_at(self, answer: bytes) -> None:
        """Swallow the server's next bytes with this answer in them, and close that line."""
        self._cut_at = answer

    async def break_off(self) -> None:
        """Close all lines and stop listening."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, back}
        try:
            there_to_client = self._pump(there, writer, self._is_cut)
            await asyncio.gather(self._pump(reader, back), there_to_client)
        except asyncio.CancelledError:
            pass
        finally:
            self._writers -= {writer, back}
            writer.close()
            back.close()

    def _is_cut(self, chunk: bytes) -> bool:
        if self._hang_at and self._hang_at in chunk:
            self._hang_at = b""
            self.hang()
        if not self._cut_at or self._cut_at not in chunk:
            return False
        self._cut_at = b""
        self._hang_at = b""
        self._delay_s = 0.0
        self.cut_count += 1
        return True

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_cut: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        flows = self._flows
        try:
            while chunk := await reader.read(65_536):
                if is_cut(chunk):
                    return
                await flows.wait()
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def a_line(host: str, port: int) -> AsyncIterator[Line]:
    """Open a proxied line to a server; connect to `127.0.0.1:<line.port>`."""
    line = Line(host, port)
    await line.start()
    yield line
    line.go_on()
    await line.break_off()
