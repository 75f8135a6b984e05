"""What a service is, and how one runs: API, consumers, relay, tickers, until told to stop."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI

from shared.app import build_app
from shared.database import Database
from shared.handlers import Handlers
from shared.http import House, Verifier
from shared.settings import ServiceSettings
from shared.ticker import Ticker

Setup = Callable[[House], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Service:
    """A service's parts: `Service("lodging", LodgingSettings, router, HANDLERS, TICKERS)`.

    `setup(house)` is entered before anything starts and left after everything stopped: it may
    `house.provide` what routes reach by `call.resource`, and add tickers or background tasks.
    """

    name: str
    settings: type[ServiceSettings]
    router: APIRouter
    handlers: Handlers
    tickers: Sequence[Ticker] = ()
    setup: Setup | None = None


@asynccontextmanager
async def application(
    service: Service,
    db: Database,
    verifier: Verifier,
    *,
    settings: Any = None,  # noqa: ANN401
) -> AsyncIterator[FastAPI]:
    """Give a service's HTTP application with its resources; nothing of it runs by itself."""
    house = House(
        service.name, db, verifier, settings, handlers=service.handlers, tickers=[*service.tickers]
    )
    async with _set_up(service, house):
        yield build_app(house, service.router)


@asynccontextmanager
async def _set_up(service: Service, house: House) -> AsyncIterator[None]:
    if service.setup is None:
        yield
    else:
        async with service.setup(house):
            yield
