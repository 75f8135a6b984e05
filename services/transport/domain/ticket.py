"""A passenger's ticket: the signed text of the QR code, so that a forged or old one is known."""

import hmac
from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

_KIND: Final = "SH1"
_SIGNATURE_BYTES: Final = 15
_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who may ride which trip from where to where; no name, no number of a person."""

    trip_id: UUID
    booking_id: UUID
    board_stop: str
    alight_stop: str

    def signed(self, key: bytes) -> str:
        """Give the text of the QR code: upper-case letters, digits and full stops only."""
        ids = (self.trip_id.hex.upper(), self.booking_id.hex.upper())
        text = ".".join((_KIND, *ids, self.board_stop, self.alight_stop))
        return f"{text}.{_signature(key, text)}"


def read_ticket(key: bytes, text: str) -> Ticket | None:
    """Read a ticket; None when it isn't one of ours."""
    signed, _, signature = text.rpartition(".")
    parts = text.split(".")
    if len(parts) != _PARTS or parts[0] != _KIND:
        return None
    if not hmac.compare_digest(_signature(key, signed).encode(), signature.encode()):
        return None
    return Ticket(UUID(parts[1]), UUID(parts[2]), parts[3], parts[4])


def _signature(key: bytes, text: str) -> str:
    digest = hmac.new(key, text.encode(), sha256).digest()
    return b32encode(digest[:_SIGNATURE_BYTES]).decode()
