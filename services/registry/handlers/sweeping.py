"""Finds data keys that seal nothing: what was rolled back has left its keys in the key store."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.registry.handlers.submitting import TICKERS
from services.registry.store import batches
from services.registry.vault import Vault
from shared.transaction import Tx

#: Keys are stored before what they seal is committed; nothing but an import takes a minute for it.
AGE_S_MIN: Final = 3_600
_KEYS_MAX: Final = 5_000
_FIRST: Final = UUID(int=0)


@dataclass
class KeySweep:
    """Goes through the key store from end to end, some keys a run, and then again."""

    vault: Vault
    after: UUID = _FIRST

    async def run(self, tx: Tx) -> int:
        """Look at the next keys older than an hour, destroy those of nothing; give how many."""
        # An import may last: while one is at work, the keys of its rows seal nothing yet.
        if not await batches.keep_imports_out(tx, TICKERS[1:]):
            return 0
        found = await self.vault.store.list_key_ids(self.after, AGE_S_MIN, _KEYS_MAX)
        self.after = found[-1] if len(found) == _KEYS_MAX else _FIRST
        used = await batches.find_used_keys(tx, found)
        return await self.vault.destroy([key for key in found if key not in used])
