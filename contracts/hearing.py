"""Who hears what: the events that each service consumes, by wire type without its version."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from contracts.event import EVENTS, Event

# From the guide's "Who hears what"; `*` stands for any event.
_HEARS: Final[Mapping[str, tuple[str, ...]]] = {
    "registry": (
        "recruitment.*",
        "transport.trip-*",
        "transport.seat-*",
        "transport.passenger-*",
        "lodging.stay-*",
        "lodging.guest-*",
    ),
    "recruitment": (
        "registry.*",
        "transport.seat-*",
        "transport.passenger-*",
        "lodging.stay-rejected",
        "lodging.guest-missed",
    ),
    "transport": ("recruitment.placement-*", "registry.worker-erased"),
    "lodging": (
        "recruitment.placement-*",
        "transport.seat-*",
        "transport.passenger-*",
        "registry.worker-hired",
        "registry.worker-erased",
    ),
    "console": ("*",),
}
_EVERYBODY: Final = ("console.*",)

#: The services that hear: all of them.
HEARERS: Final = tuple(_HEARS)


def heard_by(service: str) -> tuple[type[Event], ...]:
    """Give the events that a service consumes; its own topic is heard by the console only."""
    patterns = _HEARS[service] + _EVERYBODY
    return tuple(
        event
        for wire_type, event in sorted(EVENTS.items())
        if any(fnmatchcase(wire_type.rpartition(".v")[0], pattern) for pattern in patterns)
    )


def sources_of(service: str) -> tuple[str, ...]:
    """Give the services whose topic a service reads."""
    return tuple(sorted({event.service for event in heard_by(service)}))
