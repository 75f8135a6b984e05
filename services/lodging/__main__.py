"""Runs lodging: `python -m services.lodging [--role api|worker]`."""

from services.lodging.api import router
from services.lodging.consumers import HANDLERS
from services.lodging.handlers.tickers import TICKERS
from services.lodging.settings import LodgingSettings
from services.lodging.views.invariants import INVARIANTS
from shared.service import Service, run

SERVICE = Service("lodging", LodgingSettings, router, HANDLERS, TICKERS, invariants=INVARIANTS)

if __name__ == "__main__":
    run(SERVICE)
