"""Writes spans with OpenTelemetry; loaded where that is installed and wanted alone (``bot.otel``).

A question is a trace whose id is that of its ticket, so that web process and worker write into the same one without
handing anything on, and a line of the log leads to it.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

QUESTION = "question"
"""The span of the whole, from the asking until the asker is told."""
_PATIENCE = 2.0
"""Seconds for one batch where nobody says: a receiver that is away must not hold up the end of a process."""
_PREFIX = "cilium_triage."

_whole: ContextVar[str] = ContextVar("whole", default="")
"""The ticket whose own span is begun."""


class _Ids(RandomIdGenerator):
    """Gives the span of the whole the ids that its parts already name."""

    def generate_trace_id(self) -> int:
        return _trace_id(ticket) if (ticket := _whole.get()) else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return _span_id(ticket) if (ticket := _whole.get()) else super().generate_span_id()


class Tracing:
    """The spans of one process. Without an exporter they go where the variables of OpenTelemetry say, in batches."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service}
        self._provider = TracerProvider(resource=Resource.create(named), id_generator=_Ids())
        if exporter is None:
            patience = None if os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") else _PATIENCE
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=patience)))
        else:
            self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("cilium-triage")

    @contextmanager
    def span(self, name: str, ticket: str) -> Iterator[None]:
        """Write the block as a span of a question; one that raises has the kind of the error, never its words."""
        with self._tracer.start_as_current_span(
            name,
            context=self._inside(ticket),
            attributes={f"{_PREFIX}ticket": ticket},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def spent(self, name: str, ticket: str, since: datetime) -> None:
        """Write a span from a moment until now."""
        attributes = {f"{_PREFIX}ticket": ticket}
        self._tracer.start_span(
            name, context=self._inside(ticket), attributes=attributes, start_time=_nanoseconds(since)
        ).end()

    def whole(self, ticket: str, since: datetime, about: Mapping[str, str]) -> None:
        """Write the span of the whole question, which all others of it are in."""
        attributes = {f"{_PREFIX}{name}": value for name, value in {"ticket": ticket, **about}.items()}
        token = _whole.set(ticket)
        try:
            span = self._tracer.start_span(
                QUESTION, context=Context(), attributes=attributes, start_time=_nanoseconds(since)
            )
        finally:
            _whole.reset(token)
        span.end()

    def close(self) -> None:
        """Send what is written, within the time that the variables allow."""
        self._provider.shutdown()

    def _inside(self, ticket: str) -> Context | None:
        """Return the span that a new one is part of: the one around it, else that of the whole question."""
        if get_current_span().get_span_context().is_valid:
            return None
        # Not every parent is sent: the sampler decides by the id of the trace, which both processes know.
        sampled = self._provider.sampler.should_sample(Context(), _trace_id(ticket), QUESTION).decision
        flags = TraceFlags(TraceFlags.SAMPLED if sampled is Decision.RECORD_AND_SAMPLE else TraceFlags.DEFAULT)
        whole = SpanContext(_trace_id(ticket), _span_id(ticket), is_remote=True, trace_flags=flags)
        return set_span_in_context(NonRecordingSpan(whole), Context())


def _trace_id(ticket: str) -> int:
    is_one = re.fullmatch(r"[0-9a-f]{32}", ticket) and int(ticket, 16)
    return int(ticket if is_one else _digest(ticket)[:32], 16)


def _span_id(ticket: str) -> int:
    return int(_digest(ticket)[-16:], 16) or 1


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode(errors="replace")).hexdigest()


def _nanoseconds(moment: datetime) -> int:
    now = datetime.now(UTC)
    return int(min(moment, now).timestamp() * 1_000_000_000)
