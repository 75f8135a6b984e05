"""Runs transport: `python -m services.transport [--role api|worker]`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from services.transport.api import router
from services.transport.consumers import HANDLERS
from services.transport.handlers.tickers import SEATS_TICKER, no_show_ticker
from services.transport.settings import TransportSettings
from shared.http import House
from shared.service import Service, run


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    """Let no-shows be declared as long after the departure as the settings say."""
    settings = house.settings
    known = isinstance(settings, TransportSettings)
    house.tickers.append(no_show_ticker(settings.no_show_grace if known else timedelta(minutes=30)))
    yield


SERVICE = Service("transport", TransportSettings, router, HANDLERS, [SEATS_TICKER], set_up)

if __name__ == "__main__":
    run(SERVICE)
