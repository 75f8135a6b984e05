"""Real servers on a folder of their own, services beside them as processes, and their CPU."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx2
import psutil

from stack.environment import MEMORY
from stack.kafka import Kafka, Ports
from stack.postgres import Postgres
from stack.sockets import free_ports

#: A figure counts only with what is acknowledged on the disk.
SETTINGS: Final = {"synchronous_commit": "on", "fsync": "on"}
POLL_INTERVAL_S: Final = 0.05
READY_TIMEOUT_S: Final = 60.0


class Servers:
    """Kafka and PostgreSQL on one folder, and a port for a service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        broker, controller, database, self.port = free_ports(4)
        self.kafka = Kafka(folder, Ports((broker,), (controller,)))
        self.postgres = Postgres(folder, database, settings=SETTINGS)

    @property
    def url(self) -> str:
        """Where the service is."""
        return f"http://127.0.0.1:{self.port}"

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

    @asynccontextmanager
    async def served(
        self, service: str, environment: Mapping[str, str]
    ) -> AsyncIterator[psutil.Process]:
        """Run a service, whole, as a process of its own; it is ready when this is entered."""
        log = self.folder / f"{service}.log"
        process = subprocess.Popen(  # noqa: ASYNC220, S603 (ourselves, once)
            [sys.executable, "-m", f"services.{service}"],
            env=os.environ
            | {
                f"{service.upper()}_HTTP_PORT": str(self.port),
                "SHANHAI_LOCAL_STACK": "true",
                "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            }
            | MEMORY
            | environment,
            stdout=subprocess.DEVNULL,
            stderr=log.open("ab"),
        )
        try:
            await self._ready(process, log)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)

    async def _ready(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        async with httpx2.AsyncClient(base_url=self.url) as http:
            while True:
                assert process.poll() is None, f"it died, see {log}"
                try:
                    if (await http.get("/readyz")).status_code == httpx2.codes.OK:
                        return
                except httpx2.HTTPError:
                    pass
                assert time.monotonic() < deadline, f"never ready, see {log}"
                await asyncio.sleep(POLL_INTERVAL_S)

    def cpu_s(self, pids: Iterable[int]) -> float:
        """Give the CPU seconds of these and the servers so far, without children that are gone."""
        roots = [*pids, self.postgres.pid or 0, *self.kafka.pids().values()]
        total = 0.0
        for root in map(psutil.Process, roots):
            for process in (root, *root.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system
        return total
