"""What a process tells about itself: JSON logs, traces that go through the outbox, metrics."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import asyncpg
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_LATENCY_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Ids hold long runs of digits, too: an id is matched first, and kept.
_LONG_NUMBER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(\d{7,}[Xx]?)")
_OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}
MESSAGE_LENGTH_MAX: Final = 2_000


def start_tracing(service: str, *, to_log: bool) -> None:
    """Make this process's spans real, and write each as a line of JSON if asked to."""
    provider = TracerProvider(resource=Resource({"service.name": service}))
    if to_log:
        lines = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
        provider.add_span_processor(BatchSpanProcessor(lines))
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, parent: str | None = None) -> Iterator[trace.Span]:
    """Open a span; `parent` is a `traceparent` from a request or an event that was heard."""
    context = _PROPAGATOR.extract({"traceparent": parent}) if parent else None
    tracer = trace.get_tracer("shanhai")
    with tracer.start_as_current_span(name, context, record_exception=False) as opened:
        yield opened


def traceparent() -> str | None:
    """Give the current span as a `traceparent`, for the outbox; None outside of any trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """Give the current trace's id, 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


class Metrics:
    """What a process counts; in a registry of its own, so that several fit into one test."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.http_seconds = Histogram(
            "shanhai_http_request_seconds",
            "Time to answer, by route template.",
            ("method", "route", "status"),
            buckets=_LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        self.outbox_pending = self._gauge("outbox_pending", "Events not yet in Kafka.")
        self.outbox_age_s = self._gauge("outbox_age_seconds", "Age of the oldest such event.")
        self.parked = self._gauge("dead_letters", "Records that are parked.")
        self.lag = self._gauge("consumer_lag", "Records not yet heard.", "topic")
        self.lag_age_s = self._gauge("consumer_lag_age_seconds", "Age of the oldest.", "topic")
        self.invariants = self._gauge(
            "invariant_violations", "How often an invariant is broken.", "invariant"
        )
        self.ticker_runs = Counter(
            "shanhai_ticker_runs", "Runs of a ticker.", ("ticker", "result"), registry=self.registry
        )

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"shanhai_{name}", documentation, labels, registry=self.registry)


def masked(text: str) -> str:
    """Mask what may be an ID number or a phone: every run of 7 digits or more that is no id's."""
    return _LONG_NUMBER.sub(lambda m: f"{m[0][0]}***{m[0][-1]}" if m[1] else m[0], text)


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
        if current := trace_id():
            line["trace_id"] = current
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


def log_json(service: str, level: str = "INFO") -> None:
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
