"""Logs as JSON, one object a line, without secrets: whatever a library says passes the same filter."""

import logging
import re
import sys
from collections.abc import MutableMapping
from pathlib import PurePath
from traceback import extract_tb
from types import TracebackType
from typing import Any

import structlog

from bot.followed import fields

_SECRETS = re.compile(
    r"xox[a-z]?(?:\.xox[a-z])?-[\w.-]+"  # tokens: https://docs.slack.dev/authentication/tokens
    r"|xapp-[\w-]+"
    r"|(?<=://)[^/@\s]*:[^/@\s]+(?=@)"  # user and password in an address
    r"|(?<=Bearer )[\w.~+/=-]+"
    r"|(?<=/commands/)[\w/-]+|(?<=/actions/)[\w/-]+|(?<=/response/)[\w/-]+",  # a response_url is a right to post
    re.IGNORECASE,
)
_NOISY = ("slack_sdk", "slack_bolt", "kombu", "amqp", "aiohttp.access")

Event = MutableMapping[str, Any]


def configure_logging(level: str = "INFO") -> None:
    """Send everything, our own and what libraries log, to standard error as JSON."""
    shared: list[Any] = [
        with_ticket,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_trace,
        without_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                without_secrets,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        # Their debug output repeats whole payloads; ours says what matters.
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def with_ticket(_logger: object, _method: str, event: Event) -> Event:
    """Add the ticket that is followed, where the event does not name one itself."""
    for name, value in fields().items():
        event.setdefault(name, value)
    return event


def without_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Replace everything that looks like a secret, in every text of the event."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRETS.sub("(redacted)", value)
    return event


def without_trace(_logger: object, _method: str, event: Event) -> Event:
    """Replace a stack trace by the kind of the error and the line that raised it."""
    trace = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = sys.exc_info()[1] if trace is True else trace[1] if isinstance(trace, tuple) else trace
    if isinstance(error, BaseException):
        event.setdefault("error", type(error).__name__)
        event.setdefault("at", _place_of(error.__traceback__))
    return event


def _place_of(trace: TracebackType | None) -> str:
    frames = extract_tb(trace)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
