"""The pages: what offices, enterprises, inns, coordinators and auditors see in their browser."""

from fastapi import APIRouter

from services.console.pages import (
    account,
    accounts,
    assets,
    doing,
    enterprise,
    exports,
    home,
    inn,
    journeys,
    letters,
    monitor,
    rosters,
    sign_in,
    trips,
    vacancy_sheets,
)
from services.console.pages.visit import PageRoute

ROUTER = APIRouter(include_in_schema=False, route_class=PageRoute)
for part in (
    sign_in,
    account,
    accounts,
    home,
    doing,
    monitor,
    journeys,
    letters,
    rosters,
    trips,
    inn,
    enterprise,
    vacancy_sheets,
    exports,
):
    ROUTER.include_router(part.router)
ROUTER.include_router(assets.router)
