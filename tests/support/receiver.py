"""A receiver of web hooks on loopback: notes every message, and answers what it was told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True)
class Message:
    """A message as it came over the wire; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answer(message)` gives a status, and what is said beside it; by default all is taken."""

    answer: Callable[[Message], int] = lambda _: 200
    extra: str = ""
    body: bytes = b""
    # So many bytes are announced and never come.
    missing: int = 0
    messages: list[Message] = field(default_factory=list)
    at_once: int = 0
    at_once_max: int = 0
    held: asyncio.Event | None = None
    url: str = ""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (message := await self._read(reader)) is not None:
                await self._answer(message, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Message | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Message(first.split(" ")[1], headers, body)

    async def _answer(self, message: Message, writer: asyncio.StreamWriter) -> None:
        self.messages.append(message)
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            if self.held is not None:
                await self.held.wait()
            status = self.answer(message)
        finally:
            self.at_once -= 1
        phrase = HTTPStatus(status).phrase
        length = f"content-length: {len(self.body) + self.missing}"
        head = f"HTTP/1.1 {status} {phrase}\r\n{self.extra}{length}\r\n\r\n"
        writer.write(head.encode() + self.body)
        await writer.drain()


@asynccontextmanager
async def a_receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listen on a port of loopback; `receiver.url` is where: with TLS at the name `localhost`."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.talk, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"https://localhost:{port}/in" if tls else f"http://127.0.0.1:{port}/in"
    try:
        yield receiver
    finally:
        if receiver.held is not None:
            receiver.held.set()
        server.close()
