"""The pages: what offices, enterprises, inns, coordinators and auditors see in their browser."""

from fastapi import APIRouter

from services.console.pages import (
    account,
    accounts,
    assets,
    boarding,
    doing,
    enterprise,
    exports,
    front_desk,
    home,
    inn,
    journeys,
    letters,
    monitor,
    offline,
    rosters,
    sign_in,
    trips,
    vacancy_sheets,
    web_hooks,
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
    web_hooks,
    exports,
):
    ROUTER.include_router(part.router)
ROUTER.include_router(boarding.page)
ROUTER.include_router(front_desk.page)
# What scripts ask for: refusals are problem documents there.
for part in (offline, boarding, front_desk, assets):
    ROUTER.include_router(part.router)
