"""Invented records of every event, the same in every run: golden examples, and food for tests."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from contracts.envelope import Envelope
from contracts.event import OWNER_TENANT_ID, Event
from contracts.schema import Schema, schema_of

#: The moment at which all samples are said.
SAID_AT: Final = datetime(2027, 2, 20, 1, 30, tzinfo=UTC)

# What a field of this name holds; ids follow from their names, the rest from the schema.
_VALUES: Final[dict[str, object]] = {
    "alight_stop": "310114-00",
    "answered_on": "2027-06-03",
    "arrival_division_code": "310114",
    "arrives_at": "2027-02-27T06:30:00Z",
    "at": "2027-02-26T00:05:00Z",
    "available_from": "2027-02-22",
    "before": "2027-02-20T01:29:00Z",
    "birth_year_month": "1999-03",
    "board_stop": "530902-00",
    "boarding_place_code": "530902-00",
    "by": "enterprise",
    "certificate_codes": ["TZZY-11", "TZSB-N1"],
    "changed": ["starts_on"],
    "check_in_on": "2027-02-27",
    "check_out_on": "2027-03-14",
    "closes_on": "2027-03-31",
    "departs_at": "2027-02-26T00:00:00Z",
    "destination_division_code": "310114",
    "division_code": "310114",
    "due_on": "2027-06-01",
    "education_code": "70",
    "ended_on": "2027-08-31",
    "expected_at": "2027-02-27T06:30:00Z",
    "expires_at": "2027-02-20T02:00:00Z",
    "hired_on": "2027-02-20",
    "kind": "job_fair",
    "labour_brand": "nanxiang_dim_sum",
    "licensed_capacity": 49,
    "minimum_load": 20,
    "monthly_pay_max": 7500,
    "monthly_pay_min": 5500,
    "name": "南翔电子装配厂",
    "occupation_code": "6-25-04-07",
    "occupation_codes": ["6-25-04-07", "6-05-01-03"],
    "openings": 40,
    "opens_on": "2027-02-10",
    "origin_division_code": "530902",
    "origins": ["530900"],
    "place_code": "530902-00",
    "preferred_pay_max": 7000,
    "preferred_pay_min": 5000,
    "programme": "YOUJIA",
    "reason": "other",
    "rule": "cap_exceeded",
    "rules": ["pay"],
    "started_on": "2027-03-01",
    "starts_on": "2027-03-01",
    "stop": "530902-00",
    "title": "春风行动专场招聘会",
    "town": "南翔镇",
    "uscc": "91350100M000100Y43",
}
_FALLBACKS: Final[dict[str, object]] = {"date": "2027-03-01", "date-time": "2027-03-01T00:00:00Z"}
_WORD: Final = "example"
_VERSION_4: Final = 4
_VERSION_7: Final = 7


def sample(event: type[Event], *, full: bool = True) -> Event:
    """Give an event with all its fields, or with the required ones only."""
    schema = schema_of(event)
    return event.model_validate_json(json.dumps(_object(schema, schema, full=full)))


def envelope_of(event: Event) -> Envelope:
    """Give the envelope that a sample travels in: the first of its subject."""
    tenant = getattr(event, "office_id", None) or getattr(event, "enterprise_id", None)
    journey = getattr(event, "nomination_id", None) or getattr(event, "hire_id", None)
    return Envelope(
        id=sample_id(event.wire_type),
        type=event.wire_type,
        source=f"/{event.service}",
        subject=event.subject,
        sequence=1,
        tenant_id=cast("UUID | None", tenant) or OWNER_TENANT_ID,
        correlation_id=cast("UUID | None", journey) or UUID(event.aggregate_id),
        causation_id=sample_id("command"),
        time=SAID_AT,
    )


def sample_id(name: str) -> UUID:
    """Give the id that goes by this name in all samples; a worker's is a UUIDv4, others UUIDv7."""
    digest = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    version = _VERSION_4 if name == "worker_id" else _VERSION_7
    if version == _VERSION_7:
        digest[:6] = int(SAID_AT.timestamp() * 1000).to_bytes(6)
    digest[6] = version << 4 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return UUID(bytes=bytes(digest))


def _object(schema: Schema, root: Schema, *, full: bool) -> dict[str, Any]:
    required = schema.get("required", ())
    return {
        name: _value(name, part, root, full=full)
        for name, part in schema.get("properties", {}).items()
        if full or name in required
    }


def _value(name: str, schema: Schema, root: Schema, *, full: bool) -> object:
    if "anyOf" in schema:
        return _value(name, schema["anyOf"][0], root, full=full)
    if "$ref" in schema:
        definition = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return _object(definition, root, full=full)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return str(sample_id(name))
    if name in _VALUES:
        return _VALUES[name]
    return _plain(name, schema, root, full=full)


def _plain(name: str, schema: Schema, root: Schema, *, full: bool) -> object:
    match schema["type"]:
        case "array":
            return [_value(name.removesuffix("s"), schema["items"], root, full=full)]
        case "boolean":
            return True
        case "integer":
            return schema.get("minimum", 0) + 2
        case _:
            return _FALLBACKS.get(schema.get("format", ""), _WORD)
