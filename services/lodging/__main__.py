"""Runs lodging: `python -m services.lodging [--role api|worker]`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.lodging.api import router
from services.lodging.consumers import HANDLERS
from services.lodging.handlers.tickers import TICKERS
from services.lodging.settings import LodgingSettings
from services.lodging.views.invariants import INVARIANTS
from shared.http import House
from shared.service import Service, run
from shared.sheets.reader import SheetReader


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    """Give routes the reader of sheets."""
    house.provide(SheetReader("services.lodging.sheet.child"))
    yield


SERVICE = Service(
    "lodging", LodgingSettings, router, HANDLERS, TICKERS, setup=set_up, invariants=INVARIANTS
)

if __name__ == "__main__":
    run(SERVICE)
