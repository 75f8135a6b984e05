"""Makes what the registry needs before anything starts: keys, readers, and the erasures of old."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.registry.handlers.erasing import Eraser, apply_erasure_list
from services.registry.handlers.intake import Intake
from services.registry.handlers.tickers import tickers
from services.registry.roster.child import Readers
from services.registry.settings import RegistrySettings
from services.registry.vault import ErasureList, MasterKeyError, MasterKeys, Vault
from shared.http import House
from shared.problem import AWAY
from shared.settings import stop

RETRY_S: Final = 0.5
_LOG = logging.getLogger("registry")


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    """Provide `Intake` and `Eraser`, and add the tickers that need them.

    Nothing is served before the erasure list is applied: what was erased stays so in a database
    that was restored from a backup.
    """
    settings: RegistrySettings = house.settings
    try:
        master = MasterKeys.read(settings.master_key_file)
    except MasterKeyError as error:
        stop([f"SHANHAI_MASTER_KEY_FILE: {error}"])
    vault = await Vault.open(settings.keys_database_url.get_secret_value(), master)
    intake = Intake(vault, Readers(settings.readers_max), settings.limits)
    eraser = Eraser(vault, ErasureList(settings.erasure_list_file))
    try:
        await _apply(house, eraser)
        house.provide(intake)
        house.provide(eraser)
        house.tickers += tickers(intake, eraser)
        yield
    finally:
        intake.readers.close()
        await vault.close()


async def _apply(house: House, eraser: Eraser) -> None:
    while eraser.erasures.read():
        try:
            await eraser.vault.index_key()
            async with house.db.transaction(role="worker") as tx:
                await apply_erasure_list(tx, eraser)
        except AWAY as error:
            _LOG.warning("waiting for the database: %s", type(error).__name__)
            await asyncio.sleep(RETRY_S)
        else:
            return
