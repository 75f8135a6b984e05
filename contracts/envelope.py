"""The envelope of an event: CloudEvents 1.0 in binary mode, every attribute a Kafka header."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

SPEC_VERSION: Final = "1.0"
CONTENT_TYPE: Final = "application/json"
SEQUENCE_MAX: Final = 2**62

_TYPE: Final = re.compile(r"[a-z]{1,30}\.[a-z][a-z0-9-]{0,60}\.v[1-9][0-9]{0,3}")
_SOURCE: Final = re.compile(r"/[a-z]{1,30}")
_SUBJECT: Final = re.compile(r"[a-z][a-z-]{0,30}/[A-Za-z0-9._-]{1,64}")
_SEQUENCE: Final = re.compile(r"[1-9][0-9]{0,18}")
_TRACE: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

# Reads a UUID some six times as fast as its constructor, and there are four in every record.
_UUIDS: Final = TypeAdapter(UUID)
_NAMES: Final = frozenset(
    {
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_subject",
        "ce_sequence",
        "ce_time",
        "ce_tenantid",
        "ce_correlationid",
        "ce_causationid",
        "traceparent",
    }
)

Headers = Iterable[tuple[str, bytes | None]]


class BrokenEnvelopeError(Exception):
    """A record whose headers are no valid envelope; `str` says which header, never its value."""


class Envelope(NamedTuple):
    """Who says what about whom, in which order, and because of what.

    `source` is `/<service>`, `subject` `<noun>/<id>`; `sequence` counts 1, 2, 3, ... per source and
    subject. `tenant_id` owns the fact, `correlation_id` is the journey, `causation_id` the event or
    command that caused this one; `time` is real time, UTC.
    """

    id: UUID
    type: str
    source: str
    subject: str
    sequence: int
    tenant_id: UUID | None
    correlation_id: UUID | None
    causation_id: UUID | None
    time: datetime
    traceparent: str | None = None

    @property
    def service(self) -> str:
        """The service that speaks."""
        return self.source.removeprefix("/")

    def to_headers(self) -> list[tuple[str, bytes]]:
        """Give the record's headers."""
        return [(name, value.encode("ascii")) for name, value in self.to_texts().items()]

    def to_texts(self) -> dict[str, str]:
        """Give the record's headers as texts, without the absent ones."""
        texts = {
            "ce_specversion": SPEC_VERSION,
            "ce_id": str(self.id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_subject": self.subject,
            "ce_sequence": str(self.sequence),
            "ce_time": self.time.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z",
            "content-type": CONTENT_TYPE,
        }
        for name, value in (
            ("ce_tenantid", self.tenant_id),
            ("ce_correlationid", self.correlation_id),
            ("ce_causationid", self.causation_id),
            ("traceparent", self.traceparent),
        ):
            if value is not None:
                texts[name] = str(value)
        return texts

    @classmethod
    def from_headers(cls, headers: Headers) -> "Envelope":
        """Read a record's headers; raises `BrokenEnvelopeError`."""
        found = _decoded(headers)
        if found.get("ce_specversion") != SPEC_VERSION:
            raise BrokenEnvelopeError("ce_specversion is not 1.0")
        return cls(
            id=_uuid(found, "ce_id"),
            type=_matched(found, "ce_type", _TYPE),
            source=_matched(found, "ce_source", _SOURCE),
            subject=_matched(found, "ce_subject", _SUBJECT),
            sequence=_sequence(found),
            tenant_id=_uuid_or_none(found, "ce_tenantid"),
            correlation_id=_uuid_or_none(found, "ce_correlationid"),
            causation_id=_uuid_or_none(found, "ce_causationid"),
            time=_instant(found),
            traceparent=_trace(found.get("traceparent")),
        )


def _decoded(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if name not in _NAMES:
            continue
        if name in found:
            raise BrokenEnvelopeError(f"{name} occurs twice")
        try:
            found[name] = value.decode("ascii") if value is not None else ""
        except UnicodeDecodeError:
            raise BrokenEnvelopeError(f"{name} is not ASCII") from None
    return found


def _uuid(found: dict[str, str], name: str) -> UUID:
    try:
        return _UUIDS.validate_python(found.get(name, ""))
    except ValidationError:
        raise BrokenEnvelopeError(f"{name} is missing or no UUID") from None


def _uuid_or_none(found: dict[str, str], name: str) -> UUID | None:
    return _uuid(found, name) if name in found else None


def _matched(found: dict[str, str], name: str, form: re.Pattern[str]) -> str:
    value = found.get(name, "")
    if not form.fullmatch(value):
        raise BrokenEnvelopeError(f"{name} is missing or not of its form")
    return value


def _sequence(found: dict[str, str]) -> int:
    value = int(_matched(found, "ce_sequence", _SEQUENCE))
    if value > SEQUENCE_MAX:
        raise BrokenEnvelopeError("ce_sequence is too large")
    return value


def _instant(found: dict[str, str]) -> datetime:
    try:
        instant = datetime.fromisoformat(found.get("ce_time", ""))
        if instant.tzinfo is None:
            raise BrokenEnvelopeError("ce_time has no offset")
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BrokenEnvelopeError("ce_time is missing or no RFC 3339 instant") from None


def _trace(value: str | None) -> str | None:
    # A trace is a convenience: a broken one is dropped, not an error of the event.
    return value if value and _TRACE.fullmatch(value) else None
