"""The gate against narrowing: each mutation of a schema is refused or let through, as it should."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts import EVENTS
from contracts.freeze import Folder, main, refusals
from contracts.gate import narrowings
from contracts.schema import schema_of

Mutation = Callable[[dict[str, Any]], object]
VACANCY = schema_of(EVENTS["recruitment.vacancy-posted.v1"])
TRIP = schema_of(EVENTS["transport.trip-scheduled.v1"])


def fields(schema: dict[str, Any], part: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = (schema["$defs"][part] if part else schema)["properties"]
    return found


NARROWING: dict[str, tuple[dict[str, Any], Mutation]] = {
    "a field removed": (VACANCY, lambda s: fields(s).pop("nights")),
    "a required field removed": (VACANCY, lambda s: fields(s).pop("title")),
    "a field of a part removed": (VACANCY, lambda s: fields(s, "Site").pop("town")),
    "a field made required": (VACANCY, lambda s: s["required"].append("nights")),
    "a field added as required": (
        VACANCY,
        lambda s: (fields(s).update(shift={"type": "string"}), s["required"].append("shift")),
    ),
    "a part's field made required": (
        VACANCY,
        lambda s: s["$defs"]["Requirements"].update(required=["gender"]),
    ),
    "a type changed": (VACANCY, lambda s: fields(s)["openings"].update(type="string")),
    "null no longer allowed": (VACANCY, lambda s: fields(s)["nights"]["anyOf"].pop()),
    "a value of an enum removed": (TRIP, lambda s: fields(s, "Vehicle")["kind"]["enum"].pop()),
    "an enum put on a free text": (VACANCY, lambda s: fields(s)["title"].update(enum=["x"])),
    "a constant put on a number": (VACANCY, lambda s: fields(s)["openings"].update(const=1)),
    "a pattern tightened": (
        VACANCY,
        lambda s: fields(s)["occupation_code"].update(pattern="^[0-9]-"),
    ),
    "a pattern added": (VACANCY, lambda s: fields(s)["title"].update(pattern="^.")),
    "a format added": (VACANCY, lambda s: fields(s)["title"].update(format="uuid")),
    "a maximum lowered": (VACANCY, lambda s: fields(s)["openings"].update(maximum=9)),
    "a minimum raised": (VACANCY, lambda s: fields(s)["openings"].update(minimum=1)),
    "a length limited": (VACANCY, lambda s: fields(s)["title"].update(maxLength=10)),
    "a list limited": (TRIP, lambda s: fields(s)["stops"].update(minItems=2)),
    "a list's items narrowed": (
        TRIP,
        lambda s: fields(s, "Stop")["place_code"].update(maxLength=6),
    ),
    "a list's items typed": (TRIP, lambda s: fields(s)["stops"].update(items={"type": "string"})),
    "unknown fields refused": (VACANCY, lambda s: s.update(additionalProperties=False)),
    "a word that nobody knows": (VACANCY, lambda s: fields(s)["title"].update(contentEncoding="x")),
    "another aggregate": (VACANCY, lambda s: s.update({"x-key": "drive_id"})),
    "another noun": (VACANCY, lambda s: s.update({"x-noun": "post"})),
    "another speaker": (VACANCY, lambda s: s.update({"x-service": "registry"})),
}
HARMLESS: dict[str, tuple[dict[str, Any], Mutation]] = {
    "nothing": (VACANCY, lambda _: None),
    "an optional field added": (VACANCY, lambda s: fields(s).update(shift={"type": "string"})),
    "a required field made optional": (VACANCY, lambda s: s["required"].remove("title")),
    "a value of an enum added": (
        TRIP,
        lambda s: fields(s, "Vehicle")["kind"]["enum"].append("ferry"),
    ),
    "a maximum raised": (VACANCY, lambda s: fields(s)["openings"].update(maximum=2**40)),
    "a pattern taken away": (VACANCY, lambda s: fields(s)["occupation_code"].pop("pattern")),
    "null allowed": (
        VACANCY,
        lambda s: fields(s).update(title={"anyOf": [fields(s)["title"], {"type": "null"}]}),
    ),
    "an integer made a number": (VACANCY, lambda s: fields(s)["openings"].update(type="number")),
    "another description": (VACANCY, lambda s: s.update(description="A post.")),
    "a definition renamed": (
        VACANCY,
        lambda s: (
            s["$defs"].update(Workplace=s["$defs"].pop("Site")),
            fields(s).update(site={"$ref": "#/$defs/Workplace"}),
        ),
    ),
}


def mutated(schema: dict[str, Any], mutation: Mutation) -> dict[str, Any]:
    new = copy.deepcopy(schema)
    mutation(new)
    return new


@pytest.mark.parametrize("name", NARROWING)
def test_the_gate_refuses(name: str) -> None:
    schema, mutation = NARROWING[name]
    assert narrowings(schema, mutated(schema, mutation))


@pytest.mark.parametrize("name", HARMLESS)
def test_the_gate_lets_through(name: str) -> None:
    schema, mutation = HARMLESS[name]
    assert narrowings(schema, mutated(schema, mutation)) == []


def test_a_refusal_names_the_place() -> None:
    schema, mutation = NARROWING["a value of an enum removed"]
    (what,) = narrowings(schema, mutated(schema, mutation))
    assert what.startswith("event.vehicle.kind: ")
    assert "flight" in what


@pytest.fixture
def frozen_wider(tmp_path: Path) -> Folder:
    """Give frozen contracts in which a vacancy once had one field more."""
    folder = Folder(tmp_path)
    assert main([], folder) == 0
    file = folder.schema("recruitment.vacancy-posted.v1")
    schema = json.loads(file.read_text(encoding="utf-8"))
    schema["properties"]["shift"] = {"type": "string"}
    file.write_text(json.dumps(schema), encoding="utf-8")
    return folder


def test_freezing_refuses_to_narrow(
    frozen_wider: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = frozen_wider.schema("recruitment.vacancy-posted.v1").read_bytes()
    assert main([], frozen_wider) == 1
    assert frozen_wider.schema("recruitment.vacancy-posted.v1").read_bytes() == before
    assert "event.shift: the field is removed" in capsys.readouterr().err


def test_freezing_narrows_when_told_so_and_says_it(
    frozen_wider: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--narrow"], frozen_wider) == 0
    assert "event.shift" in capsys.readouterr().err
    assert refusals(frozen_wider) == []


def test_a_version_that_nobody_upcasts_cannot_go(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert main([], folder) == 0
    orphan = folder.schema("recruitment.vacancy-painted.v1")
    orphan.write_text(json.dumps(VACANCY), encoding="utf-8")
    assert main([], folder) == 1


def test_a_golden_example_is_never_rewritten(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert main([], folder) == 0
    file = folder.golden("registry.worker-erased.v1")
    (example,) = json.loads(file.read_text(encoding="utf-8"))
    example["headers"]["ce_sequence"] = "7"
    file.write_text(json.dumps([example], ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    assert main([], folder) == 0
    assert json.loads(file.read_text(encoding="utf-8")) == [example]
