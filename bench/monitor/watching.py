"""Open monitors as browsers keep them: a stream each, and the standing part every few seconds."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import httpx2

from bench.monitor.rig import COOKIE

STANDING_S: Final = 3.0
CHUNK_BYTES: Final = 1 << 16
SLOW_BYTES: Final = 2_048
SLOW_PAUSE_S: Final = 0.5
_IDS: Final = re.compile(rb'\{"id": (\d+)')


@dataclass(frozen=True, slots=True)
class Bundle:
    """The events that came together, by their places in the feed, and when (seconds, UTC)."""

    places: tuple[int, ...]
    at: float


@dataclass
class Monitor:
    """One page that is open; a slow one reads a few kilobytes a second."""

    port: int
    cookie: str
    locale: str
    slow: bool = False
    bundles: list[Bundle] = field(default_factory=list)
    refreshed: int = 0

    async def watch(self, after: int) -> None:
        """Read the stream until cancelled."""
        found = _socket(self.port, slow=self.slow)
        reader, writer = await asyncio.open_connection(sock=found, limit=CHUNK_BYTES)
        writer.write(self._request(f"/monitor/stream?after={after}"))
        try:
            frame = b""
            async for chunk in self._chunks(reader):
                *whole, frame = (frame + chunk).split(b"\n\n")
                for one in whole:
                    self._take(one)
        finally:
            writer.close()

    async def _chunks(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        while chunk := await reader.read(SLOW_BYTES if self.slow else CHUNK_BYTES):
            yield chunk
            if self.slow:
                await asyncio.sleep(SLOW_PAUSE_S)

    def _take(self, frame: bytes) -> None:
        if places := tuple(map(int, _IDS.findall(frame))):
            self.bundles.append(Bundle(places, time.time()))

    def _request(self, path: str) -> bytes:
        headers = f"Host: x\r\nCookie: {COOKIE}={self.cookie}\r\nAccept-Language: {self.locale}"
        return f"GET {path} HTTP/1.0\r\n{headers}\r\n\r\n".encode()

    async def refresh(self) -> None:
        """Ask for the standing part again and again, as the page's script does."""
        headers = {"Cookie": f"{COOKIE}={self.cookie}", "Accept-Language": self.locale}
        url = f"http://127.0.0.1:{self.port}"
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            while True:
                await asyncio.sleep(STANDING_S)
                answer = await http.get("/monitor/standing")
                assert answer.status_code == httpx2.codes.OK, answer.text
                self.refreshed += 1

    @property
    def last(self) -> int:
        """The last place that came."""
        return self.bundles[-1].places[-1] if self.bundles else 0

    def gaps(self, after: int) -> int:
        """Count the places that were left out, came twice or came out of order."""
        wrong, last = 0, after
        for bundle in self.bundles:
            for place in bundle.places:
                wrong += place != last + 1
                last = place
        return wrong


def _socket(port: int, *, slow: bool) -> socket.socket:
    made = socket.socket()
    if slow:
        # A small window: what it does not read stands at the server, not in the kernel here.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BYTES)
    made.connect(("127.0.0.1", port))
    made.setblocking(False)
    return made
