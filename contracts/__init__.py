"""The words that services say to each other."""

from contracts import console, lodging, recruitment, registry, transport
from contracts.decode import (
    UPCASTERS,
    BadBodyError,
    DecodeError,
    UnknownTypeError,
    UnknownVersionError,
    decode,
)
from contracts.envelope import BrokenEnvelopeError, Envelope
from contracts.event import EVENTS, OWNER_TENANT_ID, Event, PersonFact

#: The services that speak, each on its own topic `<service>.events`.
SPEAKERS = ("registry", "recruitment", "transport", "lodging", "console")

__all__ = [
    "EVENTS",
    "OWNER_TENANT_ID",
    "SPEAKERS",
    "UPCASTERS",
    "BadBodyError",
    "BrokenEnvelopeError",
    "DecodeError",
    "Envelope",
    "Event",
    "PersonFact",
    "UnknownTypeError",
    "UnknownVersionError",
    "console",
    "decode",
    "lodging",
    "recruitment",
    "registry",
    "transport",
]
