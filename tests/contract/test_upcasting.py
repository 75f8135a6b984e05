"""An old version is read for ever: its upcaster makes the newest of it, at the reader."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from contracts import EVENTS, UPCASTERS, BadBodyError, Event, UnknownVersionError, decode
from contracts.fields import Count
from contracts.samples import envelope_of

KETTLE_ID = UUID("01a3d05c-31c0-7cb3-963b-317baef3ba02")
OLDEST, OLDER = "kitchen.kettle-boiled.v1", "kitchen.kettle-boiled.v2"


def split_the_label(fields: dict[str, Any]) -> dict[str, Any]:
    """v1 said `label: "3 l"`, v2 says `litres`."""
    litres, unit = fields.pop("label").split(" ")
    if unit != "l":
        raise ValueError(unit)
    return fields | {"litres": int(litres)}


def litres_to_millilitres(fields: dict[str, Any]) -> dict[str, Any]:
    """v2 said `litres`, v3 says `millilitres`."""
    return fields | {"millilitres": fields.pop("litres") * 1000}


@pytest.fixture
def kettle(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Event]]:
    """An event in its third version, with upcasters from the two before."""

    class KettleBoiled(Event, service="kitchen", noun="kettle", key="kettle_id", version=3):
        kettle_id: UUID
        millilitres: Count

    monkeypatch.setitem(UPCASTERS, OLDEST, (OLDER, split_the_label))
    monkeypatch.setitem(UPCASTERS, OLDER, (KettleBoiled.wire_type, litres_to_millilitres))
    yield KettleBoiled
    del EVENTS[KettleBoiled.wire_type]


def read(kettle: type[Event], wire_type: str, **fields: object) -> Event:
    newest = kettle(kettle_id=KETTLE_ID, millilitres=0)  # type: ignore[call-arg]
    body = json.dumps({"kettle_id": str(KETTLE_ID), **fields}).encode()
    return decode(envelope_of(newest)._replace(type=wire_type), body)


def test_each_old_version_becomes_the_newest(kettle: type[Event]) -> None:
    newest = kettle(kettle_id=KETTLE_ID, millilitres=3000)  # type: ignore[call-arg]
    assert kettle.wire_type == "kitchen.kettle-boiled.v3"
    assert read(kettle, OLDEST, label="3 l") == newest
    assert read(kettle, OLDER, litres=3) == newest
    assert read(kettle, kettle.wire_type, millilitres=3000) == newest


@pytest.mark.parametrize(
    "fields",
    [{}, {"label": None}, {"label": 3}, {"label": "3"}, {"label": "3 pints"}, {"label": "x l"}],
    ids=repr,
)
def test_a_broken_old_body_is_refused_not_raised(
    kettle: type[Event], fields: dict[str, object]
) -> None:
    with pytest.raises(BadBodyError, match="old version"):
        read(kettle, OLDEST, **fields)


def test_what_an_upcaster_makes_is_checked_like_any_body(kettle: type[Event]) -> None:
    with pytest.raises(BadBodyError, match="millilitres"):
        read(kettle, OLDEST, label="-3 l")
    with pytest.raises(BadBodyError, match="twice"):
        decode(
            envelope_of(kettle(kettle_id=KETTLE_ID, millilitres=0))._replace(type=OLDEST),  # type: ignore[call-arg]
            b'{"label": "3 l", "label": "3 l"}',
        )


def test_without_its_upcaster_an_old_version_is_unknown(
    kettle: type[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(UPCASTERS, OLDEST)
    with pytest.raises(UnknownVersionError):
        read(kettle, OLDEST, label="3 l")
