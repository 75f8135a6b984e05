"""Every event of the catalogue: round trip, frozen schema, golden examples, AsyncAPI."""

import importlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
import yaml

from contracts import EVENTS, SPEAKERS, UPCASTERS, Envelope, Event, decode
from contracts.asyncapi import DEAD_LETTER_HEADERS
from contracts.fields import is_uscc
from contracts.freeze import HERE, Folder, main, refusals, stale
from contracts.hearing import HEARERS, heard_by, sources_of
from contracts.samples import envelope_of, sample
from contracts.schema import schema_of
from shared import dead_letters
from shared.inbox import Record, Trouble
from stack import topics

TYPES = sorted(EVENTS)
GOLDEN = sorted((HERE / "golden").glob("*.json"))
# The guide's catalogue, by the stems that it prints.
CATALOGUE = {
    "console.tenant": "registered changed",
    "console.access": "revoked",
    "registry.worker-batch": "submitted validated rejected",
    "registry.worker": "registered updated nominated hired erased",
    "registry.nomination": "changed ended",
    "recruitment.drive": "announced opened closed",
    "recruitment.vacancy": "posted changed filled withdrawn",
    "recruitment.nomination": "unplaced",
    "recruitment.offer": "made accepted declined expired withdrawn",
    "recruitment.placement": "confirmed changed cancelled started ended",
    "recruitment.retention": "checked",
    "transport.trip": "scheduled opened changed departed delayed arrived cancelled closed",
    "transport.seat": "booked changed waitlisted released",
    "transport.passenger": "boarded missed handed-over",
    "lodging.stay": "requested held confirmed waitlisted rejected changed released",
    "lodging.guest": "checked-in checked-out missed",
    "lodging.enterprise-credit": "changed",
    "lodging.inn-capacity": "changed",
}


def records(file: Path) -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return examples


def test_the_catalogue_is_the_guides() -> None:
    told = {f"{stem}-{word}.v1" for stem, words in CATALOGUE.items() for word in words.split()}
    assert set(EVENTS) == told


@pytest.mark.parametrize("full", [True, False], ids=["all fields", "required fields"])
@pytest.mark.parametrize("wire_type", TYPES)
def test_an_event_comes_back_as_it_was_said(wire_type: str, *, full: bool) -> None:
    said = sample(EVENTS[wire_type], full=full)
    envelope = envelope_of(said)
    assert Envelope.from_headers(envelope.to_headers()) == envelope
    assert decode(envelope, said.to_body()) == said


@pytest.mark.parametrize("wire_type", TYPES)
def test_a_body_without_absent_fields_is_valid_by_its_frozen_schema(wire_type: str) -> None:
    schema = Folder().frozen()[wire_type]
    for full in (True, False):
        body = json.loads(sample(EVENTS[wire_type], full=full).to_body())
        jsonschema.Draft202012Validator(schema).validate(body)
        assert None not in body.values()


def test_what_is_frozen_is_what_the_models_say() -> None:
    assert stale(Folder()) == [], "run `python -m contracts.freeze` and look at its diff"


def test_nothing_frozen_is_narrowed() -> None:
    assert refusals(Folder()) == []


def test_every_version_ever_frozen_is_in_the_catalogue_or_upcast() -> None:
    assert {file.stem for file in GOLDEN} == set(Folder().frozen()) == {*EVENTS, *UPCASTERS}


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_every_golden_record_decodes(file: Path) -> None:
    for record in records(file):
        headers = [(name, value.encode()) for name, value in record["headers"].items()]
        envelope = Envelope.from_headers(headers)
        event = decode(envelope, json.dumps(record["body"]).encode())
        assert event.aggregate_id == record["key"]
        assert envelope.subject == event.subject


def test_a_hand_written_record_decodes_by_the_names_of_the_wire() -> None:
    inn = "01a3d05c-31c0-773b-80f8-d7a6675498cb"
    body = f'{{"inn_id": "{inn}", "town": "南翔镇", "beds": 80, "from": "2027-03-01", "new": 1}}'
    envelope = envelope_of(sample(EVENTS["lodging.inn-capacity-changed.v1"]))
    event = decode(envelope, body.encode())
    assert json.loads(event.to_body()) == {
        "inn_id": inn,
        "town": "南翔镇",
        "beds": 80,
        "from": "2027-03-01",
    }


def test_every_aggregate_id_is_a_required_id_of_its_event() -> None:
    for event in EVENTS.values():
        schema = schema_of(event)
        assert event.key in schema["required"]
        assert schema["properties"][event.key]["format"] == "uuid"


def test_everyone_hears_the_console_and_nobody_but_the_console_itself() -> None:
    for service in HEARERS:
        assert "console" in sources_of(service)
        assert service not in sources_of(service) or service == "console"
    assert len(heard_by("console")) == len(EVENTS)
    assert set(HEARERS) == set(SPEAKERS)


def test_the_topics_that_are_made_are_those_that_are_heard() -> None:
    assert {service: set(told) for service, told in topics.HEARS.items()} == {
        service: set(sources_of(service)) for service in HEARERS
    }


def test_every_event_is_heard_by_another_than_the_console_or_is_only_watched() -> None:
    heard = {event for service in HEARERS if service != "console" for event in heard_by(service)}
    watched = {event.wire_type for event in set(EVENTS.values()) - heard}
    assert watched == {"lodging.enterprise-credit-changed.v1", "lodging.inn-capacity-changed.v1"}


def test_the_asyncapi_document_refers_to_what_exists() -> None:
    text = (HERE / "asyncapi.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    for reference in _references(document):
        if reference.startswith("#"):
            found: Any = document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
        else:
            assert (HERE / reference).is_file()
    assert set(document["components"]["messages"]) == {*EVENTS, "parked-record"}
    sent = set(envelope_of(sample(next(iter(EVENTS.values())))).to_headers())
    told = document["components"]["schemas"]["CloudEvent"]
    assert {name for name, _ in sent} <= set(told["properties"])
    assert set(told["required"]) <= {name for name, _ in sent}


def test_freezing_twice_writes_nothing_new(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert main([], folder) == 0
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    assert main([], folder) == 0
    assert main(["--check"], folder) == 0
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.*")} == before


def test_a_catalogue_entry_is_frozen_and_ignores_what_it_does_not_know() -> None:
    for event in EVENTS.values():
        assert issubclass(event, Event)
        assert event.model_config.get("frozen")
        assert event.model_config.get("extra") == "ignore"


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [ref for part in value.values() for ref in _references(part)]
    return [ref for part in value for ref in _references(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("service", [name for name in HEARERS if name != "console"])
def test_a_service_handles_nothing_but_what_it_is_told_to_hear(service: str) -> None:
    handlers = importlib.import_module(f"services.{service}.consumers").HANDLERS
    handled = {wire_type for wire_type in EVENTS if handlers.hears(wire_type)}
    assert handled
    assert handled <= {event.wire_type for event in heard_by(service)}


def test_a_parked_copy_has_the_headers_that_the_document_tells() -> None:
    record = Record("lodging.events", 3, 7, None, (), b"x" * 100_000)
    trouble = Trouble("bad_body", "no JSON")
    row = dead_letters._copy("registry", UUID(int=1), record, trouble)
    assert set(row.headers) == set(DEAD_LETTER_HEADERS)


@pytest.mark.parametrize(("code", "right"), [
    ("91350100M000100Y43", True), ("91350100M000100Y34", False), ("91350100M000100Y4", False),
    ("91350100M000100I43", False), ("", False),
])  # fmt: skip
def test_a_unified_social_credit_code_has_a_check_character(code: str, *, right: bool) -> None:
    assert is_uscc(code) is right
