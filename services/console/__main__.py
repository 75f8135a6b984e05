"""Runs the console: `python -m services.console`."""

from fastapi import APIRouter

from services.console import api, pages
from services.console.consumers import HANDLERS
from services.console.handlers.projection import derive_due
from services.console.set_up import set_up
from services.console.settings import ConsoleSettings
from services.console.store.deliveries import prune
from services.console.views.invariants import INVARIANTS
from shared.service import Service, run
from shared.ticker import Ticker

# A missing seat becomes a task by time alone.
DERIVE_DUE = Ticker("derive-due", interval_s=5.0, run=derive_due)
PRUNE_DELIVERIES = Ticker("prune-hook-deliveries", interval_s=3600.0, run=prune)

ROUTER = APIRouter()
ROUTER.include_router(api.ROUTER)
ROUTER.include_router(pages.ROUTER)

SERVICE = Service(
    "console",
    ConsoleSettings,
    ROUTER,
    HANDLERS,
    [DERIVE_DUE, PRUNE_DELIVERIES],
    set_up,
    invariants=INVARIANTS,
)

if __name__ == "__main__":
    run(SERVICE)
