"""Logs: one JSON object a line, with its trace; long numbers are masked as a last resort."""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Final

import asyncpg

from shared import telemetry

_LONG_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z-])\d{6,}[0-9Xx]?(?![0-9A-Za-z-])")
_OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}
MESSAGE_LENGTH_MAX: Final = 2_000


def masked(text: str) -> str:
    """Mask what may be an ID number or a phone: every run of 7 digits or more that stands alone."""
    return _LONG_NUMBER.sub(lambda m: f"{m[0][0]}***{m[0][-1]}", text)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; `extra` fields stand beside the event.

    An exception is told by its class and frames. PostgreSQL's own words are left out, because they
    quote the values of the row.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "event": masked(record.getMessage()[:MESSAGE_LENGTH_MAX]),
        }
        if trace_id := telemetry.trace_id():
            line["trace_id"] = trace_id
        for name, value in vars(record).items():
            if name not in _OWN_FIELDS:
                line[name] = masked(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[1]:
            line |= _told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def _told(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    told: dict[str, object] = {
        "error": type(error).__name__,
        "stack": [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in frames],
    }
    if not isinstance(error, asyncpg.PostgresError):
        told["reason"] = masked(str(error).partition("\n")[0][:300])
    return told


def configure(service: str, level: str = "INFO") -> None:
    """Send all logs of this process to standard output as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Their lines tell nothing that ours do not; aiokafka repeats itself while Kafka is away.
    for name, quiet in (
        ("uvicorn.access", 100),
        ("uvicorn.error", 30),
        ("aiokafka", 40),
        ("httpx2", 30),
    ):
        logging.getLogger(name).setLevel(quiet)
