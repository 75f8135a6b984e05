"""What a service is, and how one runs: API, consumers, relay, tickers, until told to stop."""

import argparse
import asyncio
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx2
import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI

from contracts.console import TenantRegistered
from shared import ops, telemetry, tenants
from shared.app import build_app
from shared.clock import UnsafeClockError, check_clock
from shared.commands import PRUNE_ANSWERS
from shared.consumer import Consumer
from shared.database import Database
from shared.handlers import Handlers
from shared.http import House, Verifier
from shared.problem import AWAY
from shared.relay import Relay
from shared.settings import EXIT_CONFIG, ServiceSettings, load
from shared.ticker import Ticker, Tickers
from shared.tokens import Access, Keys, Tokens
from shared.watchdog import STALL_S, StalledError, Watchdog

ISSUER_TIMEOUT_S: Final = 2.0
RETRY_DELAY_S: Final = 0.5
RETRY_DELAY_S_MAX: Final = 10.0
# A big decoded batch that stays alive makes Python's collector cost more than the decoding.
GC_THRESHOLD: Final = (50_000, 50, 100)
_LOG = logging.getLogger("service")

Setup = Callable[[House], AbstractAsyncContextManager[None]]
#: Makes a service's consumer; another than `Consumer` only where a test breaks it on purpose.
Hear = Callable[[Database, Handlers, Mapping[str, Any]], Consumer]


@dataclass(frozen=True)
class Service:
    """A service's parts: `Service("lodging", LodgingSettings, router, HANDLERS, TICKERS)`.

    `invariants` are queries by name whose every row is a violation; they are asked now and then.
    `setup(house)` is entered before anything starts and left after everything stopped: it may
    `house.provide` what routes reach by `call.resource`, and add tickers or background tasks.
    """

    name: str
    settings: type[ServiceSettings]
    router: APIRouter
    handlers: Handlers
    tickers: Sequence[Ticker] = ()
    setup: Setup | None = None
    hear: Hear = Consumer
    invariants: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def application(
    service: Service, db: Database, verifier: Verifier, *, settings: ServiceSettings | None = None
) -> AsyncIterator[FastAPI]:
    """Give a service's HTTP application with its resources; nothing of it runs by itself."""
    async with _housed(service, db, verifier, settings) as house:
        yield build_app(house, service.router)


@asynccontextmanager
async def _housed(
    service: Service, db: Database, verifier: Verifier, settings: ServiceSettings | None
) -> AsyncIterator[House]:
    handlers = Handlers(service.name)
    handlers.merge(service.handlers)
    # The console writes its tenants by its own commands; what it says it need not hear.
    if service.name != TenantRegistered.service:
        handlers.merge(tenants.HANDLERS)
    tickers = [*service.tickers, PRUNE_ANSWERS]
    house = House(service.name, db, verifier, settings, handlers, tickers)
    house.tickers.append(ops.checking(house.metrics.invariants, service.invariants))
    if service.setup is None:
        yield house
    else:
        async with service.setup(house):
            yield house


def run(service: Service) -> None:
    """Run a service until SIGTERM or SIGINT; then the process ends: 78 is a wrong setting."""
    roles = argparse.ArgumentParser(prog=f"python -m services.{service.name}")
    roles.add_argument("--role", choices=("all", "api", "worker"), default="all")
    role = roles.parse_args().role
    settings = load(service.settings)
    telemetry.log_json(service.name, settings.log_level)
    telemetry.start_tracing(service.name, to_log=settings.traces == "log")
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_serve(service, settings, role))
    sys.exit(code)


async def _serve(service: Service, settings: ServiceSettings, role: str) -> int:
    url = settings.database_url.get_secret_value()
    size = settings.database_connections_max
    db = await Database.open(url, service=service.name, size=size)
    timeout = httpx2.Timeout(ISSUER_TIMEOUT_S)
    try:
        async with httpx2.AsyncClient(timeout=timeout, trust_env=False) as client:
            verifier = Tokens(settings.issuer, Keys(settings.issuer, client), Access(db))
            async with _housed(service, db, verifier, settings) as house:
                router = APIRouter() if role == "worker" else service.router
                return await Process(house, router, role, service.hear).run()
    finally:
        db.pool.terminate()


class Part(Protocol):
    """What works until it is told to stop, and then ends with what it has in hand."""

    async def run(self) -> None:
        """Work until `stop`."""

    async def stop(self) -> None:
        """Let `run` end soon."""


class Process:
    """A running service: it starts its parts, serves HTTP, and stops everything in good order."""

    def __init__(self, house: House, router: APIRouter, role: str, hear: Hear) -> None:
        self.house, self._hear = house, hear
        self.settings: ServiceSettings = house.settings
        self.app = build_app(house, router, body_bytes_max=self.settings.http_body_bytes_max)
        self.parts: list[Part] = [] if role == "api" else self._parts()
        self.code = 0

    def _parts(self) -> list[Part]:
        """Give what a worker is made of, the relay last."""
        house, kafka = self.house, self.settings.kafka()
        consumer = self._hear(house.db, house.handlers, kafka)
        relay = Relay(house.db, kafka)
        watchdog = Watchdog(house.db, kafka, consumer.topics)
        house.vitals = lambda: {
            "lag": {topic: lag._asdict() for topic, lag in watchdog.lag.items()},
            "still_s": round(watchdog.still_s, 1),
            "stalled": watchdog.still_s > STALL_S,
            "heard_count": consumer.record_count,
            "sent_count": relay.sent_count,
        }
        return [watchdog, Tickers(house.db, house.tickers, self._ran), consumer, relay]

    def _ran(self, ticker: str, result: str) -> None:
        self.house.metrics.ticker_runs.labels(ticker, result).inc()

    async def run(self) -> int:
        """Run until told to stop; give the process's exit code."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.house.stopping.set)
        with _listening(self.settings) as sock:
            server = _Server(uvicorn.Config(
                self.app, lifespan="off", access_log=False, log_config=None, server_header=False,
                timeout_graceful_shutdown=self.settings.shutdown_timeout_s,
            ))  # fmt: skip
            serving = asyncio.create_task(server.serve([sock]))
            working = asyncio.create_task(self._work())
            await self.house.stopping.wait()
            server.should_exit = True
            working.cancel()
            await asyncio.gather(serving, working, return_exceptions=True)
        return self.code

    def end(self, code: int) -> None:
        """Stop the process, in good order, with this exit code."""
        self.code = code
        self.house.stopping.set()

    async def _work(self) -> None:
        """Run the parts and the tasks; when cancelled, stop them."""
        await self._check_clock()
        keep = self._keep_up
        tasks = [asyncio.create_task(keep(n, t)) for n, t in self.house.tasks.items()]
        working = [asyncio.create_task(keep(type(p).__name__, p.run)) for p in self.parts]
        try:
            await asyncio.Future()
        finally:
            # The relay stops last: it brings out what the others still said.
            for stopped in (slice(0, -1), slice(-1, None)):
                for part in self.parts[stopped]:
                    await part.stop()
                if working[stopped]:
                    await asyncio.wait(working[stopped], timeout=self.settings.shutdown_timeout_s)
            for task in (*tasks, *working):
                task.cancel()
            await asyncio.gather(*tasks, *working, return_exceptions=True)

    async def _check_clock(self) -> None:
        while True:
            try:
                async with self.house.db.transaction(role="worker") as tx:
                    await check_clock(tx.conn, local_stack=self.settings.local_stack)
            except UnsafeClockError as error:
                _LOG.critical("SHANHAI_LOCAL_STACK is not set: %s", error)
                self.end(EXIT_CONFIG)
                await asyncio.Future()
            except AWAY as error:
                _LOG.warning("waiting for the database: %s", type(error).__name__)
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                return

    async def _keep_up(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run something to its end, again after each failure, after a growing pause."""
        delay = RETRY_DELAY_S
        while True:
            started = time.monotonic()
            try:
                return await work()
            except StalledError as error:
                _LOG.critical("stalled: %s", error)
                return self.end(1)
            # One part that fails must not take the others with it.
            except Exception as error:  # noqa: BLE001
                _LOG.error("%s failed, again in %s s", name, delay, exc_info=error)
            if time.monotonic() - started > RETRY_DELAY_S_MAX:
                delay = RETRY_DELAY_S
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_DELAY_S_MAX)


class _Server(uvicorn.Server):
    """Uvicorn without hands on our signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listening(settings: ServiceSettings) -> Iterator[socket.socket]:
    """Listen before anything starts, so that a port in use is one clear line."""
    place = (settings.http_host, settings.http_port)
    try:
        sock = socket.create_server(place, reuse_port=False)
    except OSError as error:
        sys.stderr.write(f"端口被占用 cannot listen on {place[0]}:{place[1]}: {error.strerror}\n")
        raise SystemExit(1) from None
    with sock, suppress(OSError):
        yield sock
