"""What the registry does by itself: imports, expiries, erasures."""

from functools import partial
from typing import Final

from services.registry.handlers.erasing import (
    TICKER,
    Eraser,
    carry_out_erasures,
    destroy_doomed_keys,
)
from services.registry.handlers.importing import import_batch
from services.registry.handlers.intake import Intake
from services.registry.handlers.nominations import expire_nominations
from services.registry.handlers.submitting import TICKERS as INTAKE
from services.registry.handlers.sweeping import KeySweep
from services.registry.store import batches
from shared.ticker import Ticker
from shared.transaction import Tx

#: A file of this size has a few thousand rows: it must not wait behind a hundred thousand.
SMALL_BYTES_MAX: Final = 400_000
_ANY_BYTES: Final = 2**31 - 1
_STARTED_MAX: Final = 100
_EXPIRED_ROWS_MAX: Final = 5_000


def tickers(intake: Intake, eraser: Eraser) -> list[Ticker]:
    """Give the registry's tickers."""
    start, any_size, small = INTAKE
    return [
        Ticker(start, 1.0, start_batches),
        Ticker(any_size, 1.0, partial(import_batch, intake=intake, byte_count_max=_ANY_BYTES)),
        Ticker(small, 1.0, partial(import_batch, intake=intake, byte_count_max=SMALL_BYTES_MAX)),
        Ticker(TICKER, 2.0, partial(carry_out_erasures, eraser=eraser)),
        Ticker("destroy-keys", 60.0, partial(destroy_doomed_keys, vault=eraser.vault)),
        Ticker("sweep-keys", 60.0, KeySweep(eraser.vault).run),
        Ticker("expire-nominations", 30.0, expire_nominations),
        Ticker("expire-rejected-rows", 60.0, expire_rejected_rows),
    ]


async def start_batches(tx: Tx) -> int:
    """Show that received batches are at work, and start the lanes; give how many."""
    started = await batches.start_validating(tx, _STARTED_MAX)
    if started:
        for lane in INTAKE[1:]:
            tx.wake(lane)
    return started


async def expire_rejected_rows(tx: Tx) -> int:
    """Delete rows whose days are over; give how many."""
    return await batches.expire_rejected_rows(tx, _EXPIRED_ROWS_MAX)
