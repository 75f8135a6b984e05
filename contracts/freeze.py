"""Freezes the contracts: `python -m contracts.freeze` writes schemas, golden examples, AsyncAPI.

A schema that would narrow its version is not written and the exit code is 1; make a new version and
an upcaster instead. `--narrow` writes it all the same and says what it takes away; it is right only
as long as no topic anywhere holds a record of that version. `--check` writes nothing.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from contracts.asyncapi import document
from contracts.decode import UPCASTERS
from contracts.event import EVENTS, Event
from contracts.gate import narrowings
from contracts.samples import envelope_of, sample
from contracts.schema import Schema, schema_of

HERE: Final = Path(__file__).parent
_WIDTH: Final = 110

Example = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the frozen contracts lie."""

    root: Path = HERE

    def schema(self, wire_type: str) -> Path:
        """Give the file of a type's schema."""
        return self.root / "schemas" / f"{wire_type}.json"

    def golden(self, wire_type: str) -> Path:
        """Give the file of a type's golden examples."""
        return self.root / "golden" / f"{wire_type}.json"

    @property
    def asyncapi(self) -> Path:
        """Give the file of the AsyncAPI document."""
        return self.root / "asyncapi.yaml"

    def frozen(self) -> dict[str, Schema]:
        """Read all frozen schemas, by wire type."""
        files = sorted((self.root / "schemas").glob("*.json"))
        return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}

    def examples(self, wire_type: str) -> list[Example]:
        """Read a type's golden examples."""
        file = self.golden(wire_type)
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []


def refusals(folder: Folder) -> list[str]:
    """List everything that the models take away from what is frozen."""
    found = []
    for wire_type, frozen in folder.frozen().items():
        if wire_type in EVENTS:
            gone = narrowings(frozen, schema_of(EVENTS[wire_type]))
            found += [f"{wire_type}: {what}" for what in gone]
        elif wire_type not in UPCASTERS:
            found.append(f"{wire_type}: the version is removed and nothing upcasts it")
    return found


def outputs(folder: Folder) -> Iterator[tuple[Path, str]]:
    """Give every file of the frozen contracts with the text that it should have."""
    for wire_type, event in sorted(EVENTS.items()):
        yield folder.schema(wire_type), _json(schema_of(event))
        yield folder.golden(wire_type), _json(_with_new(folder.examples(wire_type), event))
    yield (
        folder.asyncapi,
        yaml.safe_dump(document(), allow_unicode=True, sort_keys=False, width=_WIDTH),
    )


def stale(folder: Folder) -> list[Path]:
    """List the files that differ from what the models say."""
    return [file for file, text in outputs(folder) if not _holds(file, text)]


def main(arguments: Sequence[str] | None = None, folder: Folder | None = None) -> int:
    """Freeze or check; gives the exit code."""
    parser = argparse.ArgumentParser(prog="contracts.freeze", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if stale")
    parser.add_argument("--narrow", action="store_true", help="write what narrows, too")
    wish = parser.parse_args(arguments)
    where = folder or Folder()
    taken_away = refusals(where)
    for what in taken_away:
        sys.stderr.write(f"收窄 narrows: {what}\n")
    if taken_away and not wish.narrow:
        return 1
    todo = stale(where)
    for file in todo:
        sys.stdout.write(f"{'过期 stale' if wish.check else '写入 written'}: {file.name}\n")
    if wish.check:
        return 1 if todo else 0
    _write(where, set(todo))
    return 0


def _write(folder: Folder, todo: set[Path]) -> None:
    for file, text in list(outputs(folder)):
        if file in todo:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def _with_new(examples: list[Example], event: type[Event]) -> list[Example]:
    """Keep every example that was ever frozen; add one only for fields that none of them shows."""
    kept = list(examples)
    for full in (False, True):
        example = _example(sample(event, full=full))
        shown = {place for one in kept for place in _places(one["body"])}
        if not kept or set(_places(example["body"])) - shown:
            kept.append(example)
    return kept


def _example(event: Event) -> Example:
    return {
        "key": event.aggregate_id,
        "headers": {name: value.decode() for name, value in envelope_of(event).to_headers()},
        "body": json.loads(event.to_body()),
    }


def _places(value: object, at: str = "") -> Iterator[str]:
    yield at
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _places(part, f"{at}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from _places(part, f"{at}[]")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _holds(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
