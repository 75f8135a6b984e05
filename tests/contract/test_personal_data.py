"""INVARIANT: no event holds a name, number, phone, birth date, address, text or help status."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts import EVENTS
from contracts.console import TenantChanged
from contracts.lodging import InnCapacityChanged
from contracts.recruitment import DriveAnnounced
from contracts.registry import WorkerRegistered
from contracts.samples import sample
from contracts.schema import schema_of

# Words that a field about a person's own data would have in its name.
PERSONAL = re.compile(
    r"(^|_)(phone|mobile|tel|telephone|resident|identity|id_?card|idcard|surname|fullname|birth_?day"
    r"|birth_?date|birth_?on|born|address|residence|email|wechat|contact|emergency|note|notes|remark"
    r"|comment|text|poverty|monitored|help|nation|ethnicity|ethnic|plate|driver|escort|person)(_|$)"
)
# Names that are facts: of a site, an inn's town, a drive, an organisation.
NAMES = {"name", "title", "town"}
OWNERS_OF_NAMES = {"Site", "HireSite", "TenantRegistered", "TenantChanged", "DriveAnnounced"} | {
    "DriveOpened",
    "DriveClosed",
    "VacancyPosted",
    "VacancyChanged",
    "VacancyFilled",
    "VacancyWithdrawn",
    "InnCapacityChanged",
}
# A year and month are enough for age rules; a whole date of birth would find a person.
MONTHS = {"birth_year_month"}


def texts(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give (owner, field, schema) of every field of an event and of its parts."""
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, field in part.get("properties", {}).items():
            for one in (field, *field.get("anyOf", ())):
                yield part["title"], name, one.get("items", one)


def free_text(field: dict[str, Any]) -> bool:
    return field.get("type") == "string" and not field.keys() & {"enum", "pattern", "format"}


def faults(schema: dict[str, Any]) -> list[str]:
    found = []
    for owner, name, field in texts(schema):
        if PERSONAL.search(name) or ("birth" in name and name not in MONTHS):
            found.append(f"{owner}.{name}: is named like a person's own data")
        if free_text(field) and not (name in NAMES and owner in OWNERS_OF_NAMES):
            found.append(f"{owner}.{name}: takes any text")
    return found


@pytest.mark.parametrize("wire_type", sorted(EVENTS))
def test_no_event_has_a_field_for_personal_data(wire_type: str) -> None:
    assert faults(schema_of(EVENTS[wire_type])) == []


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("phone", {"type": "string", "pattern": "^1"}),
        ("resident_id", {"type": "string", "pattern": "^1"}),
        ("emergency_contact", {"type": "string", "format": "uuid"}),
        ("birth_date", {"type": "string", "format": "date"}),
        ("is_poverty_lifted", {"type": "boolean"}),
        ("remark", {"type": "string"}),
        ("name", {"type": "string"}),
        ("wish", {"type": "string"}),
        ("wish", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("wishes", {"type": "array", "items": {"type": "string"}}),
    ],
)
def test_a_field_for_personal_data_would_be_found(name: str, field: dict[str, Any]) -> None:
    # The negative control of the test above: it can fail.
    schema = schema_of(EVENTS["registry.worker-registered.v1"])
    schema["properties"][name] = field
    assert faults(schema)


@pytest.mark.parametrize(
    "text",
    [
        "联系人13812345678",
        "530902199903070015",
        "致电 １３８１２３４５６７８",
        "1234567",
        "٠١٢٣٤٥٦",
    ],
)
@pytest.mark.parametrize(
    ("event", "field"),
    [
        (DriveAnnounced, "title"),
        (TenantChanged, "name"),
        (InnCapacityChanged, "town"),
    ],
)
def test_a_title_takes_no_run_of_seven_digits(event: Any, field: str, text: str) -> None:
    whole = sample(event).model_dump(by_alias=True)
    event.model_validate(whole)
    with pytest.raises(ValidationError, match="personal_data"):
        event.model_validate(whole | {field: text})


def test_a_title_takes_six_digits() -> None:
    whole = sample(DriveAnnounced).model_dump(by_alias=True)
    event = DriveAnnounced.model_validate(whole | {"title": "310114 春风行动 2027 第 123 场"})
    assert event.title.startswith("310114")


@pytest.mark.parametrize("field", ["certificate_codes", "occupation_codes"])
def test_a_code_cannot_smuggle_a_number(field: str) -> None:
    whole = sample(WorkerRegistered).model_dump()
    with pytest.raises(ValidationError, match="personal_data"):
        WorkerRegistered.model_validate(whole | {field: ("13812345678",)})


def test_a_workers_id_tells_no_time_in_the_samples() -> None:
    worker: UUID = sample(WorkerRegistered).worker_id  # type: ignore[attr-defined]
    assert worker.version == 4
