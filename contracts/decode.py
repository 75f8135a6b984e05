"""Turns a record's body into an event: the newest version that we know, or a reason why not."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

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
    model = EVENTS.get(name)
    if model is None and name not in UPCASTERS:
        raise _unknown(name)
    fields = _parsed(body)
    while name in UPCASTERS:
        name, upcast = UPCASTERS[name]
        fields = _upcast(upcast, fields)
    model = EVENTS[name]
    try:
        event = model.model_validate(fields)
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


def _parsed(body: bytes | None) -> dict[str, Any]:
    if body is None:
        raise BadBodyError("the body is empty")
    # PostgreSQL's text takes no NUL, so no event may bring one.
    if rb"\u0000" in body:
        raise BadBodyError("the body holds a NUL character")
    try:
        parsed = json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except DecodeError:
        raise
    except RecursionError:
        raise BadBodyError("the body is nested too deeply") from None
    except (ValueError, UnicodeDecodeError):
        raise BadBodyError("the body is not JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise BadBodyError("the body is not a JSON object")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadBodyError("the body has a key twice")
    return fields


def _refuse_constant(_: str) -> Any:  # noqa: ANN401 (json's own signature)
    raise BadBodyError("the body holds NaN or Infinity")


def _upcast(
    upcast: Callable[[dict[str, Any]], dict[str, Any]], fields: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        return upcast(dict(fields))
    except (KeyError, TypeError, ValueError):
        raise BadBodyError("the body is not of its old version's form") from None


def _explained(error: ValidationError) -> str:
    places = [
        f"{'.'.join(str(p)[:40] for p in e['loc']) or 'event'}: {e['type']}"
        for e in error.errors(include_input=False)
    ]
    return "; ".join(places[:5])
