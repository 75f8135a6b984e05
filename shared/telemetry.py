"""Traces that go through the outbox, and metrics for Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_LATENCY_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def start_tracing(service: str) -> None:
    """Make this process's spans real; where they go is the operator's choice, by OpenTelemetry."""
    trace.set_tracer_provider(TracerProvider(resource=Resource({"service.name": service})))


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
        self.lag = Gauge(
            "shanhai_consumer_lag", "Records not yet read.", ("topic",), registry=self.registry
        )
        self.ticker_runs = Counter(
            "shanhai_ticker_runs", "Runs of a ticker.", ("ticker", "result"), registry=self.registry
        )

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(f"shanhai_{name}", documentation, registry=self.registry)
