"""Writes the AsyncAPI 3 document of the whole system: topics, records, keys, headers, groups."""

from typing import Any, Final

from contracts.envelope import CONTENT_TYPE, SPEC_VERSION
from contracts.event import EVENTS, Event
from contracts.hearing import HEARERS, heard_by, sources_of

Document = dict[str, Any]

_UUID: Final[Document] = {"type": "string", "format": "uuid"}
_HEADERS: Final[dict[str, Document]] = {
    "ce_specversion": {"const": SPEC_VERSION},
    "ce_id": {**_UUID, "description": "The event's id; a repeat after a fault has the same one."},
    "ce_type": {"type": "string", "description": "<service>.<noun>-<participle>.v<N>"},
    "ce_source": {"type": "string", "description": "/<service>"},
    "ce_subject": {"type": "string", "description": "<aggregate noun>/<aggregate id>"},
    "ce_sequence": {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,18}$",
        "description": "1, 2, 3, ... per source and subject, without a gap.",
    },
    "ce_time": {"type": "string", "format": "date-time", "description": "Real time, UTC."},
    "ce_tenantid": {**_UUID, "description": "The tenant that owns the fact."},
    "ce_correlationid": {**_UUID, "description": "The journey."},
    "ce_causationid": {**_UUID, "description": "The event or command that caused this one."},
    "content-type": {"const": CONTENT_TYPE},
    "traceparent": {"type": "string", "description": "W3C trace context; a broken one is dropped."},
}
#: What a parked record's copy has beside the record's own headers.
DEAD_LETTER_HEADERS: Final[dict[str, Document]] = {
    "dead_letter_id": {**_UUID, "description": "The id by which it is replayed or discarded."},
    "dead_letter_service": {"type": "string", "description": "The consumer that parked it."},
    "dead_letter_reason": {"type": "string", "description": "A code."},
    "dead_letter_detail": {"type": "string", "description": "What is wrong; no value of the body."},
    "dead_letter_topic": {"type": "string"},
    "dead_letter_partition": {"type": "string"},
    "dead_letter_offset": {"type": "string"},
    "dead_letter_body": {"const": "sha256", "description": "The value is a digest: it was large."},
}
_PARKED: Final = "parked-record"
_OPTIONAL: Final = frozenset({"traceparent", "content-type"})


def document() -> Document:
    """Give the document; schemas are references to the frozen files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "山海 Shanhai",
            "version": "1.0.0",
            "description": "What the five services say to each other: CloudEvents 1.0 in binary "
            "mode on Kafka. A record that cannot be applied is parked by its consumer and copied "
            "to `<topic>.<service>.dlt`.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "schemas": {"CloudEvent": _headers()},
            "messages": {
                **{wire_type: _message(event) for wire_type, event in _catalogue()},
                _PARKED: _parked(),
            },
        },
    }


def _catalogue() -> list[tuple[str, type[Event]]]:
    return sorted(EVENTS.items())


def _channels() -> Document:
    said: dict[str, Document] = {}
    for wire_type, event in _catalogue():
        topic = f"{event.service}.events"
        channel = said.setdefault(event.service, _channel(topic, f"What {event.service} says."))
        channel["messages"][wire_type] = {"$ref": f"#/components/messages/{wire_type}"}
    parked = {
        f"{source}-parked-by-{service}": _channel(
            f"{source}.events.{service}.dlt", f"What {service} could not apply, and why."
        )
        for service in HEARERS
        for source in sources_of(service)
    }
    for channel in parked.values():
        channel["messages"][_PARKED] = {"$ref": f"#/components/messages/{_PARKED}"}
    return said | parked


def _channel(topic: str, description: str) -> Document:
    return {
        "address": topic,
        "description": description,
        "messages": {},
        "bindings": {"kafka": {"topic": topic}},
    }


def _operations() -> Document:
    says = {
        f"{service}-says": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{service}"},
            "description": "By the relay, from the outbox: acks=all, idempotent, in id order.",
        }
        for service in HEARERS
    }
    hears = {
        f"{service}-hears-{source}": _hears(service, source)
        for service in HEARERS
        for source in sources_of(service)
    }
    return says | hears


def _hears(service: str, source: str) -> Document:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{source}"},
        "description": "Other types of this topic are passed over.",
        "messages": [
            {"$ref": f"#/channels/{source}/messages/{event.wire_type}"}
            for event in heard_by(service)
            if event.service == source
        ],
        "bindings": {"kafka": {"groupId": {"type": "string", "const": service}}},
    }


def _message(event: type[Event]) -> Document:
    return {
        "name": event.wire_type,
        "summary": (event.__doc__ or "").strip().partition("\n")[0],
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": "#/components/schemas/CloudEvent"},
        "payload": {"$ref": f"./schemas/{event.wire_type}.json"},
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {
            "kafka": {"key": {**_UUID, "description": f"The {event.noun}'s id: `{event.key}`."}}
        },
    }


def _parked() -> Document:
    return {
        "name": _PARKED,
        "summary": "A record that a consumer could not apply, as it was, and why.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": DEAD_LETTER_HEADERS},
        "payload": {"description": "The record's value, whatever it was."},
    }


def _headers() -> Document:
    return {
        "type": "object",
        "properties": _HEADERS,
        "required": [name for name in _HEADERS if name not in _OPTIONAL],
    }
