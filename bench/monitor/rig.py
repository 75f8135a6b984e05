"""What the measuring needs: real servers, the console as a process, and sessions in it."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2
import psutil

from stack import topics
from stack.accounts import Account, ensure_accounts
from stack.databases import SERVICES, provision
from stack.kafka import Kafka, Ports
from stack.postgres import Postgres
from stack.sockets import free_ports

SETTINGS: Final = {"synchronous_commit": "on", "fsync": "on"}
POLL_INTERVAL_S: Final = 0.05
READY_TIMEOUT_S: Final = 60.0
COOKIE: Final = "shanhai_session"


@dataclass
class Rig:
    """Servers on a folder of their own; `running`, then `prepare`, then `console`."""

    folder: Path
    urls: dict[str, str] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Choose ports."""
        broker, controller, database, self.port = free_ports(4)
        self.kafka = Kafka(self.folder, Ports((broker,), (controller,)))
        self.postgres = Postgres(self.folder, database, settings=SETTINGS)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run both servers."""
        self.postgres.start()
        self.kafka.start()
        try:
            yield
        finally:
            self.kafka.stop()
            self.postgres.stop()

    async def prepare(self) -> None:
        """Make databases, topics and accounts."""
        superuser = self.postgres.superuser_url()
        self.urls = {service: await provision(superuser, service) for service in SERVICES}
        await topics.create(self.kafka.bootstrap_servers, topics.all_topics())
        self.accounts = await asyncio.to_thread(ensure_accounts, self.folder / "accounts.json")

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def console(self) -> AsyncIterator[psutil.Process]:
        """Run the console, whole, as a process of its own; the other services are away."""
        log = self.folder / "console.log"
        process = subprocess.Popen(  # noqa: ASYNC220 (ourselves, once)
            [sys.executable, "-m", "services.console"],
            env=os.environ | self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=log.open("ab"),
        )
        try:
            await self._ready(process, log)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)

    def _environment(self) -> dict[str, str]:
        away = {f"SHANHAI_{s.upper()}_URL": "http://127.0.0.1:9" for s in SERVICES}
        return away | {
            "CONSOLE_DATABASE_URL": self.urls["console"],
            "CONSOLE_HTTP_PORT": str(self.port),
            "CONSOLE_SIGNING_KEY_FILE": str(self.folder / "signing.pem"),
            "CONSOLE_SEED_FILE": str(self.folder / "accounts.json"),
            "SHANHAI_CONSOLE_URL": self.url,
            "SHANHAI_LOCAL_STACK": "true",
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
        }

    async def _ready(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        async with httpx2.AsyncClient(base_url=self.url) as http:
            while True:
                assert process.poll() is None, f"the console died, see {log}"
                try:
                    if (await http.get("/readyz")).status_code == httpx2.codes.OK:
                        return
                except httpx2.HTTPError:
                    pass
                assert time.monotonic() < deadline, "the console is never ready"
                await asyncio.sleep(POLL_INTERVAL_S)

    async def session(self, account: str) -> str:
        """Sign an account in; give the value of its cookie."""
        password = next(a.password for a in self.accounts if a.account == account)
        async with httpx2.AsyncClient(base_url=self.url) as http:
            answer = await http.post("/sign-in", data={"account": account, "password": password})
            return str(answer.cookies[COOKIE])
