"""Everything that lodging does by itself, and how often it looks."""

from typing import Final

from services.lodging.handlers.lapses import (
    ask_next_homes,
    cut_off,
    expire_holds,
    lapse_waiting,
    note_overstays,
)
from services.lodging.handlers.settle import settle
from shared.ticker import Ticker

TICKERS: Final = (
    Ticker("settle", interval_s=1.0, run=settle),
    Ticker("expire-holds", interval_s=1.0, run=expire_holds),
    # Within 60 s of the cut-off the next in line has the bed.
    Ticker("cut-off", interval_s=2.0, run=cut_off),
    Ticker("note-overstays", interval_s=30.0, run=note_overstays),
    Ticker("lapse-waiting", interval_s=30.0, run=lapse_waiting),
    Ticker("ask-next-homes", interval_s=30.0, run=ask_next_homes),
)
