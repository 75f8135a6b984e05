"""The JSON Schema of an event: what a record's value must look like, as others may check it."""

from typing import Any, Final

from contracts.event import Event

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
#: What a schema says about its aggregate, beside JSON Schema's own words.
AGGREGATE_WORDS: Final = ("x-service", "x-noun", "x-key")


def schema_of(event: type[Event]) -> Schema:
    """Give an event's schema; field names are those on the wire."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:shanhai:{event.wire_type}",
        "x-service": event.service,
        "x-noun": event.noun,
        "x-key": event.key,
        **event.model_json_schema(by_alias=True, mode="validation"),
    }
