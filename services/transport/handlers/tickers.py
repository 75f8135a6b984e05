"""What time brings: seats from the pool, no-shows, questions, and trips that never opened."""

from datetime import timedelta
from typing import Final

from services.transport.handlers.boarding import no_shows
from services.transport.handlers.seats import run_seats
from services.transport.handlers.trips import NO_SHOWS, ask, lapse
from services.transport.store.due import SEATS
from shared.ticker import Ticker

SEATS_TICKER: Final = Ticker(SEATS, interval_s=1.0, run=run_seats)
LAPSE_TICKER: Final = Ticker("lapse-trips", interval_s=5.0, run=lapse)


def asking_ticker(ahead: timedelta) -> Ticker:
    """Give the ticker that asks a coordinator so long before a departure below the minimum."""
    return Ticker("ask-coordinator", interval_s=5.0, run=ask(ahead))


def no_show_ticker(grace: timedelta) -> Ticker:
    """Give the ticker that declares no-shows so long after the departure."""
    return Ticker(NO_SHOWS, interval_s=5.0, run=no_shows(grace))
