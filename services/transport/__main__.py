"""Runs transport: `python -m services.transport [--role api|worker]`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2

from services.transport.api import router
from services.transport.consumers import HANDLERS
from services.transport.handlers.tickers import (
    LAPSE_TICKER,
    SEATS_TICKER,
    asking_ticker,
    no_show_ticker,
)
from services.transport.planning import Planner
from services.transport.printing.names import TIMEOUT_S, Names
from services.transport.settings import ASK_HOURS, NO_SHOW_GRACE_MINUTES, TransportSettings
from services.transport.views import INVARIANTS
from shared.http import House
from shared.service import Service, run


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    """Let tickers be as early and late as the settings say, and names be asked for."""
    settings = house.settings
    known = isinstance(settings, TransportSettings)
    grace = settings.no_show_grace if known else timedelta(minutes=NO_SHOW_GRACE_MINUTES)
    ahead = settings.asked_ahead if known else timedelta(hours=ASK_HOURS)
    house.tickers += [no_show_ticker(grace), asking_ticker(ahead)]
    url = settings.registry_url if known else "http://127.0.0.1:8101"
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT_S) as http:
        house.provide(Names(http))
        planner = Planner()
        house.provide(planner)
        try:
            yield
        finally:
            planner.close()


TICKERS = [SEATS_TICKER, LAPSE_TICKER]
SERVICE = Service(
    "transport", TransportSettings, router, HANDLERS, TICKERS, set_up, invariants=INVARIANTS
)

if __name__ == "__main__":
    run(SERVICE)
