"""The JSON form of a report that ``--output json`` prints, described by ``docs/report-schema.json``.

It is the wire form of the dataclasses with every sentence in plain words: ``headline`` is the whole answer in one,
``answer`` has its parts, and a finding carries its ``text`` and the ``values`` in it.
"""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.render.headline import sentence_of
from handlers.model.finding import Finding, Sentence
from handlers.model.report import Report
from handlers.model.wire import encode

Json = dict[str, Any]


def report_json(report: Report, cached_at: datetime | None = None) -> Json:
    """Return the report as plain JSON values. ``cached_at`` is when the answer was kept, if it comes from a cache."""
    body = _in_words(report)
    body["answer"] = body["headline"]
    body["headline"] = str(sentence_of(report))
    body["cached_at"] = None if cached_at is None else encode(cached_at.astimezone(UTC))
    body.pop("ownership")  # for taking out what a reader may not read, and no part of the answer
    first = ("schema", "question", "command", "headline", "answer", "expected", "observed")
    return {name: body[name] for name in (*first, *(name for name in body if name not in first))}


def _in_words(value: Any) -> Any:
    """Return the wire form with sentences said."""
    match value:
        case Sentence():
            return str(value)
        case Finding():
            body = _fields(value)
            text = body.pop("sentence")
            return {**body, "text": text, "values": _in_words(value.values)}
        case tuple():
            return [_in_words(item) for item in value]
        case Mapping():
            return {name: _in_words(item) for name, item in value.items()}
    return _fields(value) if dataclasses.is_dataclass(value) else encode(value)


def _fields(value: Any) -> Json:
    return {item.name: _in_words(getattr(value, item.name)) for item in dataclasses.fields(value)}
