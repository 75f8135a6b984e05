"""The vault: fields under keys that can be destroyed, and the keyed index that finds a person."""

from services.registry.vault.crypto import (
    BrokenSealError,
    blind_index,
    fingerprint,
    nonces,
    open_sealed,
    seal,
    seal_with,
)
from services.registry.vault.erasure_list import Erased, ErasureList
from services.registry.vault.keys import MasterKeyError, MasterKeys, new_master_key_line
from services.registry.vault.vault import DataKey, Vault

__all__ = [
    "BrokenSealError",
    "DataKey",
    "Erased",
    "ErasureList",
    "MasterKeyError",
    "MasterKeys",
    "Vault",
    "blind_index",
    "fingerprint",
    "new_master_key_line",
    "nonces",
    "open_sealed",
    "seal",
    "seal_with",
]
