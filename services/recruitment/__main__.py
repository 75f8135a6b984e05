"""Runs recruitment: `python -m services.recruitment [--role api|worker]`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.recruitment.api import router
from services.recruitment.consumers import HANDLERS
from services.recruitment.handlers.houserules import DEFAULT
from services.recruitment.handlers.tickers import tickers
from services.recruitment.settings import RecruitmentSettings
from services.recruitment.views import INVARIANTS
from shared.http import House
from shared.service import Service, run
from shared.sheets.reader import SheetReader


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    """Give routes and tickers the house rules that the settings name."""
    told = house.settings
    house_rules = told.house_rules() if isinstance(told, RecruitmentSettings) else DEFAULT
    house.provide(house_rules)
    house.provide(SheetReader("services.recruitment.sheet.child"))
    house.tickers.extend(tickers(house_rules))
    yield


SERVICE = Service(
    "recruitment", RecruitmentSettings, router, HANDLERS, setup=set_up, invariants=INVARIANTS
)

if __name__ == "__main__":
    run(SERVICE)
