"""Anybody's producer may write garbage: it ends in an event or in a reason, nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import (
    EVENTS,
    BadBodyError,
    BrokenEnvelopeError,
    DecodeError,
    Envelope,
    UnknownTypeError,
    UnknownVersionError,
    decode,
)
from contracts.envelope import SEQUENCE_MAX
from contracts.samples import envelope_of, sample

PLACEMENT = sample(EVENTS["recruitment.placement-confirmed.v1"])
TRIP = sample(EVENTS["transport.trip-scheduled.v1"])
VACANCY = sample(EVENTS["recruitment.vacancy-posted.v1"])
INT4_MAX = 2**31 - 1


def body_with(event: Any, **fields: object) -> bytes:
    return json.dumps(json.loads(event.to_body()) | fields).encode()


def refusal(body: bytes | None, event: Any = PLACEMENT) -> str:
    with pytest.raises(BadBodyError) as caught:
        decode(envelope_of(event), body)
    return str(caught.value)


BROKEN_BODIES = {
    "none": None,
    "empty": b"",
    "no JSON": b"hello",
    "half": PLACEMENT.to_body()[:-5],
    "two values": PLACEMENT.to_body() * 2,
    "an array": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "GB18030": '{"title": "春风"}'.encode("gb18030"),
    "UTF-16": PLACEMENT.to_body().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + PLACEMENT.to_body(),
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": "\\n", "b": -Infinity}',
    "a raw NUL": b'{"a": "\x00"}',
    "a NUL": b'{"a": "\\u0000"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "deep, with an escape": b'{"e": "\\n", "a": ' + b"[" * 200_000,
    "deep and closed": b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a huge integer": b'{"a": ' + b"9" * 100_000 + b"}",
    "a huge integer, with an escape": b'{"a": "\\n", "b": ' + b"9" * 100_000 + b"}",
    "a comment": b"{/* x */}",
    "a trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_broken_body_is_refused(name: str) -> None:
    assert refusal(BROKEN_BODIES[name])


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": "5"},
        {"priority": True},
        {"priority": 2**70},
        {"priority": -1},
        {"nights": 2.5},
        {"needs_bed": "yes"},
        {"needs_bed": 1},
        {"starts_on": 20000},
        {"starts_on": "0001-01-01"},
        {"starts_on": "2027-02-30"},
        {"starts_on": "9999-12-31"},
        {"gender": "unknown"},
        {"gender": None},
        {"placement_id": 7},
        {"placement_id": "x"},
        {"placement_id": None},
        {"site": []},
        {"site": {"name": "x", "division_code": "310114"}},
        {"site": {"name": "a\nb", "division_code": "310114", "town": "t"}},
        {"origin_division_code": "５３０９０２"},
        {"origin_division_code": "530902\n"},
        {"boarding_place_code": "530902"},
    ],
    ids=repr,
)
def test_a_value_of_another_kind_is_refused_with_its_place(fields: dict[str, object]) -> None:
    reason = refusal(body_with(PLACEMENT, **fields))
    assert next(iter(fields)) in reason or "subject" in reason


def test_a_reason_never_echoes_the_body() -> None:
    secret = "13812345678"
    assert secret not in refusal(body_with(PLACEMENT, gender=secret))
    assert secret not in refusal(body_with(PLACEMENT, site={secret: secret}))
    assert secret not in refusal(f'{{"{secret}": 1, "{secret}": 2}}'.encode())
    assert secret not in refusal(f'{{"{secret}'.encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "a" : 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"z": {"a": {"b": 1, "b": 1}}}',
        b'{"z": [1, {"a": 1, "a": 1}]}',
        b'{"z": "\\"", "a": 1, "a": 1}',
        b'{"": 1, "": 2}',
    ],
)
def test_a_key_said_twice_is_refused(body: bytes) -> None:
    assert "twice" in refusal(body)


def test_quotes_colons_and_escapes_in_values_are_no_keys_said_twice() -> None:
    for title in (': "', '\\"', 'a": "b', '"a": 1, "a": 1', "\\u0061", "{", "[]", ":"):
        event = decode(envelope_of(VACANCY), body_with(VACANCY, title=title, unknown=[title]))
        assert event.title == title.strip()  # type: ignore[attr-defined]


def test_fields_that_a_later_version_adds_are_ignored() -> None:
    body = body_with(PLACEMENT, new={"deep": [1, "x", None, {"y": 1.5}]}, other=2**70)
    assert decode(envelope_of(PLACEMENT), body) == PLACEMENT


def test_an_instant_is_brought_to_utc_and_needs_an_offset() -> None:
    stops = [{"place_code": "530902-00", "division_code": "530902"}]
    body = body_with(TRIP, stops=[stops[0] | {"departs_at": "2027-02-26T08:00:00+08:00"}])
    event = decode(envelope_of(TRIP), body)
    assert event.stops[0].departs_at == datetime(2027, 2, 26, tzinfo=UTC)  # type: ignore[attr-defined]
    for bad in ("2027-02-26T08:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 1):
        assert refusal(body_with(TRIP, stops=[stops[0] | {"departs_at": bad}]), TRIP)


def test_the_subject_and_the_source_must_fit_the_body() -> None:
    headers = dict(envelope_of(PLACEMENT).to_headers())
    for name, value in {
        "ce_subject": f"placement/{UUID(int=5)}".encode(),
        "ce_source": b"/registry",
    }.items():
        envelope = Envelope.from_headers((headers | {name: value}).items())
        with pytest.raises(BadBodyError, match=name):
            decode(envelope, PLACEMENT.to_body())
    envelope = Envelope.from_headers(
        (headers | {"ce_subject": headers["ce_subject"].replace(b"placement", b"offer")}).items()
    )
    with pytest.raises(BadBodyError, match="ce_subject"):
        decode(envelope, PLACEMENT.to_body())


@pytest.mark.parametrize(
    ("wire_type", "error"),
    [
        ("recruitment.placement-confirmed.v2", UnknownVersionError),
        ("recruitment.placement-confirmed.v999", UnknownVersionError),
        ("recruitment.placement-painted.v1", UnknownTypeError),
        ("elsewhere.placement-confirmed.v1", UnknownTypeError),
    ],
)
def test_an_unknown_type_and_an_unknown_version_are_told_apart(
    wire_type: str, error: type[DecodeError]
) -> None:
    headers = dict(envelope_of(PLACEMENT).to_headers()) | {"ce_type": wire_type.encode()}
    with pytest.raises(error):
        decode(Envelope.from_headers(headers.items()), PLACEMENT.to_body())


BAD_VALUES = {
    "ce_specversion": (b"0.3", b"2", b"1.0 "),
    "ce_id": (b"7", b"x" * 36, b"1" * 33, "一".encode()),
    "ce_type": (b"x", b"a.b.v0", b"a.b", b"A.b.v1", b"a.b.v1\n", b"a" * 2000 + b".b.v1"),
    "ce_source": (b"registry", b"/", b"/a/b", b"/Registry", b"/a\x00"),
    "ce_subject": (b"placement", b"placement/", b"placement/a b", b"/x", b"p/" + b"x" * 65),
    "ce_sequence": (b"0", b"-1", b"1.0", b"x", b"01", b"9" * 19, b"9" * 5000, "１".encode()),
    "ce_time": (
        b"today",
        b"2027-02-30T00:00:00Z",
        b"2027-02-01T00:00:00",
        b"0001-01-01T00:00+14:00",
    ),
    "ce_tenantid": (b"x",),
    "ce_correlationid": (b"", b"y"),
    "ce_causationid": (b"\xff",),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_broken_header_is_named_and_its_value_is_not_told(name: str) -> None:
    headers = dict(envelope_of(PLACEMENT).to_headers())
    for value in (*BAD_VALUES[name], None, b"", b"\xff\xfe", b"\x00"):
        with pytest.raises(BrokenEnvelopeError) as caught:
            Envelope.from_headers([*(headers | {name: value}).items()])
        assert name in str(caught.value)
        assert len(value or b"") < 4 or repr(value)[2:-1] not in str(caught.value)


def test_a_header_said_twice_is_refused() -> None:
    headers = envelope_of(PLACEMENT).to_headers()
    with pytest.raises(BrokenEnvelopeError, match="ce_id occurs twice"):
        Envelope.from_headers([*headers, ("ce_id", str(UUID(int=1)).encode())])


def test_headers_of_others_are_passed_over_whatever_they_hold() -> None:
    others = [("x", None), ("x", b"\xff"), ("ce_\x00", b"\xff"), ("ce_\x00", None), ("", b"")]
    envelope = envelope_of(PLACEMENT)
    assert Envelope.from_headers([*others, *envelope.to_headers()]) == envelope


def test_a_broken_trace_is_dropped_and_a_good_one_kept() -> None:
    headers = envelope_of(PLACEMENT).to_headers()
    good = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert Envelope.from_headers([*headers, ("traceparent", b"x")]).traceparent is None
    assert Envelope.from_headers([*headers, ("traceparent", None)]).traceparent is None
    assert Envelope.from_headers([*headers, ("traceparent", good)]).traceparent == good.decode()


def test_tenant_journey_and_cause_may_be_absent() -> None:
    absent = {"ce_tenantid", "ce_correlationid", "ce_causationid"}
    headers = [(n, v) for n, v in envelope_of(PLACEMENT).to_headers() if n not in absent]
    envelope = Envelope.from_headers(headers)
    assert (envelope.tenant_id, envelope.correlation_id, envelope.causation_id) == (None,) * 3


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_end_in_an_event_or_a_reason(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(envelope_of(PLACEMENT), body)


@settings(max_examples=400, deadline=None)
@given(data=st.data(), wire_type=st.sampled_from(sorted(EVENTS)))
def test_whatever_decodes_is_what_postgresql_takes(data: st.DataObject, wire_type: str) -> None:
    event = sample(EVENTS[wire_type])
    fields = json.loads(event.to_body())
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(json_values)
    try:
        decoded = decode(envelope_of(event), json.dumps(fields).encode())
    except DecodeError as e:
        reason = str(e)
        _assert_storable(reason)
    else:
        _assert_storable(decoded.model_dump())


@settings(max_examples=300, deadline=None)
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from([n for n, _ in envelope_of(PLACEMENT).to_headers()])
            | st.text(max_size=12),
            st.none() | st.binary(max_size=40) | st.sampled_from([b"1.0", b"1", b"/registry"]),
        ),
        max_size=14,
    )
)
def test_any_headers_end_in_an_envelope_or_a_reason(
    headers: list[tuple[str, bytes | None]],
) -> None:
    known = dict(envelope_of(PLACEMENT).to_headers())
    for candidate in (headers, list((known | dict(headers)).items())):
        try:
            envelope = Envelope.from_headers(candidate)
        except BrokenEnvelopeError as e:
            reason = str(e)
            _assert_storable(reason)
        else:
            assert 1 <= envelope.sequence <= SEQUENCE_MAX
            assert envelope.time.tzinfo is UTC


def _assert_storable(value: object) -> None:
    for leaf in _leaves(value):
        match leaf:
            case str():
                assert "\x00" not in leaf
                leaf.encode()
            case int():
                assert -INT4_MAX - 1 <= leaf <= INT4_MAX
            case datetime():
                assert leaf.tzinfo is UTC
                assert 1900 < leaf.year < 2200


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from (leaf for part in value.values() for leaf in _leaves(part))
    elif isinstance(value, list | tuple):
        yield from (leaf for part in value for leaf in _leaves(part))
    else:
        yield value
