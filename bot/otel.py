"""Has a process trace, where the extra ``[otel]`` is installed and the ``OTEL_…`` variables name a receiver."""

import os
from collections.abc import Mapping
from importlib.util import find_spec

import structlog

from bot.spans import spans

_RECEIVERS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.get_logger(__name__)


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether the variables of OpenTelemetry name a receiver, and do not switch traces off."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    exporter = environment.get("OTEL_TRACES_EXPORTER", "otlp").lower()
    return not is_off and exporter == "otlp" and any(environment.get(name) for name in _RECEIVERS)


def trace(service: str, *, with_questions: bool = False) -> None:
    """Write spans in this process from now on, if that is wanted and what it takes is installed."""
    if not is_wanted():
        return
    if find_spec("opentelemetry") is None:
        log.warning(
            "not_traced", problem="OTEL_… is set, and the extra is missing: pip install cilium-triage[slack,otel]"
        )
        return
    from bot.tracing import Tracing

    spans.begin(Tracing(service), with_questions=with_questions)
