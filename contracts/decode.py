"""Turns a record's body into an event: the newest version that we know, or a reason why not."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from contracts.envelope import Envelope
from contracts.event import EVENTS, Event

# wire type of an old version -> (wire type it becomes, how its fields become the newer ones).
UPCASTERS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]]] = {}


class DecodeError(Exception):
    """A record that cannot be applied; `str` is a reason that never echoes the body."""


class UnknownTypeError(DecodeError):
    """Nobody has such an event in the catalogue."""


class UnknownVersionError(DecodeError):
    """The event is known, this version is not yet."""


class BadBodyError(DecodeError):
    """The body is no JSON, or not of the event's form."""


def decode(envelope: Envelope, body: bytes | None) -> Event:
    """Give the event of a record, or raise the `DecodeError` that says why there is none."""
    name = envelope.type
    if name not in EVENTS and name not in UPCASTERS:
        raise _unknown(name)
    checked = _checked(body)
    if name in UPCASTERS:
        name, checked = _upcast(name, checked)
    try:
        event = EVENTS[name].model_validate_json(checked, strict=True)
    except ValidationError as e:
        raise BadBodyError(_explained(e)) from None
    if event.subject != envelope.subject:
        raise BadBodyError("ce_subject is not the aggregate of the body")
    if event.service != envelope.service:
        raise BadBodyError("ce_source is not the service of the type")
    return event


def _unknown(name: str) -> DecodeError:
    stem = name.rpartition(".v")[0]
    if any(known.rpartition(".v")[0] == stem for known in EVENTS):
        return UnknownVersionError(
            f"version {name.rpartition('.v')[2]} of {stem} is not known here"
        )
    return UnknownTypeError(f"{name} is not in the catalogue")


def _checked(body: bytes | None) -> bytes:
    if not body:
        raise BadBodyError("the body is empty")
    if b"\\" in body:
        _read_slowly(body)
    elif body.count(b'"') != 2 * _strings((_read(body),)):
        # Without escapes each string has two quotes; a key said twice is lost in reading.
        raise BadBodyError("the body has a key twice")
    return body


def _read(body: bytes) -> dict[str, Any]:
    try:
        parsed = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise BadBodyError("the body is not JSON in UTF-8") from None
    return _an_object(parsed)


def _read_slowly(body: bytes) -> dict[str, Any]:
    # PostgreSQL's text takes no NUL, so no event may bring one.
    if rb"\u0000" in body:
        raise BadBodyError("the body holds a NUL character")
    try:
        return _an_object(json.loads(body.decode(), object_pairs_hook=_unique))
    except RecursionError:
        raise BadBodyError("the body is nested too deeply") from None
    except ValueError:
        raise BadBodyError("the body is not JSON in UTF-8") from None


def _an_object(parsed: object) -> dict[str, Any]:
    if not isinstance(parsed, dict):
        raise BadBodyError("the body is not a JSON object")
    return parsed


def _strings(parts: Iterable[object]) -> int:
    """Count the strings in parts of a body, keys included; their depth is bounded by the reader."""
    count = 0
    for part in parts:
        if isinstance(part, str):
            count += 1
        elif isinstance(part, dict):
            count += len(part) + _strings(part.values())
        elif isinstance(part, list):
            count += _strings(part)
    return count


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadBodyError("the body has a key twice")
    return fields


def _upcast(name: str, body: bytes) -> tuple[str, bytes]:
    """Bring an old version's body to the newest: a chain, as each version knows only the next."""
    fields = _read(body)
    try:
        while name in UPCASTERS:
            name, upcast = UPCASTERS[name]
            fields = upcast(fields)
        return name, json.dumps(fields).encode()
    except (LookupError, TypeError, ValueError, AttributeError):
        raise BadBodyError("the body is not of its old version's form") from None


def _explained(error: ValidationError) -> str:
    places = [
        f"{'.'.join(str(p)[:40] for p in e['loc']) or 'event'}: {e['type']}"
        for e in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return "; ".join(places[:5])
