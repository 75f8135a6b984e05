"""A log line is JSON, knows its trace, and hides what may be an ID number or a phone."""

import json
import logging
import sys
from contextlib import suppress

import asyncpg
import pytest

from shared import telemetry
from shared.telemetry import JsonLines, masked


def fail(error: Exception | None) -> None:
    if error:
        raise error


def line(message: str, *, error: Exception | None = None, **extra: object) -> dict[str, object]:
    info = None
    with suppress(Exception):
        try:
            fail(error)
        except Exception:
            info = sys.exc_info()
            raise
    record = logging.LogRecord("http", 30, __file__, 1, message, None, info)  # type: ignore[arg-type]
    vars(record).update(extra)
    text = JsonLines("lodging").format(record)
    assert "\n" not in text
    return dict(json.loads(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("证号 53090220000303011X 。", "证号 5***X 。"),
        ("电话13800138000", "电话1***0"),
        ("id 01890000-0000-7000-8000-000000000001", "id 01890000-0000-7000-8000-000000000001"),
        ("tel13800138000x", "tel1***x"),
        ("took 123456 ms", "took 123456 ms"),
    ],
)
def test_long_numbers_are_masked_and_ids_are_not(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_line_has_its_service_level_event_and_fields() -> None:
    found = line("parked", topic="lodging.events", phone="13800138000")
    assert (found["service"], found["level"], found["event"]) == ("lodging", "warning", "parked")
    assert (found["topic"], found["phone"]) == ("lodging.events", "1***0")


def test_a_line_within_a_span_names_the_trace() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with telemetry.span("test", parent):
        assert line("x")["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace_id" not in line("x")


def test_an_error_is_told_by_its_kind_and_place_and_postgresql_s_words_are_left_out() -> None:
    quoting = asyncpg.UniqueViolationError("Key (name)=(张三) already exists")
    told = line("failed", error=quoting)
    assert told["error"] == "UniqueViolationError"
    assert "张三" not in json.dumps(told, ensure_ascii=False)
    assert "fail" in str(told["stack"])
    assert line("failed", error=ValueError("at 13800138000"))["reason"] == "at 1***0"
