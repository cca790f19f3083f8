"""The JSON form of a report that ``--output json`` prints, described by ``docs/report-schema.json``.

It is the wire form of the dataclasses with two differences: the headline is a plain sentence, and a finding carries its
``text`` and the ``values`` in it instead of a template.
"""

from datetime import UTC, datetime
from typing import Any

from handlers.model.finding import Finding, Sentence
from handlers.model.report import Report
from handlers.model.wire import encode

Json = dict[str, Any]


def report_json(report: Report, cached_at: datetime | None = None) -> Json:
    """Return the report as plain JSON values. ``cached_at`` is when the answer was kept, if it comes from a cache."""
    body = encode(report)
    body["headline"] = str(report.headline)
    body["findings"] = [_finding_json(finding) for finding in report.findings]
    body["cached_at"] = None if cached_at is None else encode(cached_at.astimezone(UTC))
    first = ("schema", "question", "command", "headline", "expected", "observed")
    return {name: body[name] for name in (*first, *(name for name in body if name not in first))}


def _finding_json(finding: Finding) -> Json:
    body = encode(finding)
    sentence: Sentence = finding.sentence
    del body["sentence"]
    return {**body, "text": str(sentence), "values": encode(sentence.values)}
