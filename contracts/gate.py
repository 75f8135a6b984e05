"""Refuses narrowing: a valid record of a version stays one, for topics keep everything.

A change is narrowing when some record that the frozen schema takes may be refused, or lose a field,
under the new one. Everything that cannot be shown to be harmless counts as narrowing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from contracts.schema import AGGREGATE_WORDS, Schema

_ANNOTATIONS: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "$schema", "$id", "$defs"}
)
_STRUCTURE: Final = frozenset(
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"}
)
_LOWER_BOUNDS: Final = frozenset({"minLength", "minItems", "minimum", "exclusiveMinimum"})
_UPPER_BOUNDS: Final = frozenset({"maxLength", "maxItems", "maximum", "exclusiveMaximum"})


def narrowings(frozen: Schema, new: Schema) -> list[str]:
    """List what a new schema of the same version takes away, each as `place: what`."""
    moved = [
        f"{word}: changed from {frozen.get(word)} to {new.get(word)}"
        for word in AGGREGATE_WORDS
        if frozen.get(word) != new.get(word)
    ]
    return [*moved, *_Comparison(frozen, new).compare(frozen, new, "event")]


class _Comparison:
    """Two schemas side by side; each resolves the references of its own definitions."""

    def __init__(self, frozen: Schema, new: Schema) -> None:
        self._frozen = frozen
        self._new = new

    def compare(self, frozen: Schema, new: Schema, place: str) -> Iterator[str]:
        """Compare two places: each frozen alternative must be taken by a new one."""
        alternatives = _alternatives(new, self._new)
        for one in _alternatives(frozen, self._frozen):
            verdicts = [list(self._compare_one(one, other, place)) for other in alternatives]
            if all(verdicts):
                yield from min(verdicts, key=len)

    def _compare_one(self, frozen: Schema, new: Schema, place: str) -> Iterator[str]:
        yield from _values(frozen, new, place)
        yield from _bounds(frozen, new, place)
        yield from _other_words(frozen, new, place)
        yield from self._fields(frozen, new, place)
        if "items" in new:
            yield from self.compare(frozen.get("items", {}), new["items"], f"{place}[]")

    def _fields(self, frozen: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = frozen.get("properties", {}), new.get("properties", {})
        for name in before.keys() - after.keys():
            yield f"{place}.{name}: the field is removed"
        for name in sorted(set(new.get("required", ())) - set(frozen.get("required", ()))):
            yield f"{place}.{name}: " + ("made required" if name in before else "added as required")
        if new.get("additionalProperties", True) != frozen.get("additionalProperties", True):
            yield f"{place}: unknown fields are no longer ignored"
        for name in sorted(before.keys() & after.keys()):
            yield from self.compare(before[name], after[name], f"{place}.{name}")


def _alternatives(schema: Schema, root: Schema) -> list[Schema]:
    reference = schema.get("$ref")
    if reference is not None:
        return _alternatives(_defined(reference, root), root)
    if "anyOf" in schema:
        return [one for part in schema["anyOf"] for one in _alternatives(part, root)]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def _defined(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _values(frozen: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = frozen.get("type"), new.get("type")
    if after is not None and before != after and (before, after) != ("integer", "number"):
        yield f"{place}: the type changes from {before} to {after}"
    allowed, still_allowed = _listed(frozen), _listed(new)
    if still_allowed is None:
        return
    gone = "the list of values" if allowed is None else sorted(allowed - still_allowed)
    if gone:
        yield f"{place}: the values are narrowed by {gone}"


def _listed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None


def _bounds(frozen: Schema, new: Schema, place: str) -> Iterator[str]:
    for word in sorted(new.keys() & _LOWER_BOUNDS):
        if word not in frozen or new[word] > frozen[word]:
            yield f"{place}: {word} is raised to {new[word]}"
    for word in sorted(new.keys() & _UPPER_BOUNDS):
        if word not in frozen or new[word] < frozen[word]:
            yield f"{place}: {word} is lowered to {new[word]}"


def _other_words(frozen: Schema, new: Mapping[str, Any], place: str) -> Iterator[str]:
    # pattern, format and whatever we don't know: only taking it away is surely harmless.
    harmless = _ANNOTATIONS | _STRUCTURE | _LOWER_BOUNDS | _UPPER_BOUNDS | set(AGGREGATE_WORDS)
    for word in sorted(new.keys() - harmless):
        if frozen.get(word) != new[word]:
            yield f"{place}: {word} is tightened to {new[word]}"
