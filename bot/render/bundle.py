"""Several answers as one file for a ticket, or for those who make Cilium: Markdown, a page of HTML, and a zip of all.

The page is one file without script and without anything to fetch; what a cluster supplied stands in it as text.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from bot.render import reading
from bot.render.clean import in_markdown, one_line
from bot.render.evidence import evidence_text
from bot.render.text import markdown
from handlers.model.report import Report
from handlers.model.wire import encode

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Content-Security-Policy of the page: it runs nothing and fetches nothing (W3C, CSP Level 3)."""
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-top: 1px solid #8888; padding-top: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid #8888; padding: 0.2rem 0.6rem; text-align: left; }
pre, code { background: #8881; overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } }
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Answers that go together, when they were put together, and which release did."""

    reports: tuple[Report, ...]
    made_at: datetime
    program: str


def bundle_markdown(bundle: Bundle) -> str:
    """Return the bundle as Markdown: what was looked at and what ran, the answers in a list, then each in full."""
    lines = [
        f"# Network triage: {len(bundle.reports)} answer{'s' * (len(bundle.reports) != 1)}",
        "",
        f"- made: {reading.moment(bundle.made_at)} by {in_markdown(bundle.program)}",
        *(f"- looked at: {in_markdown(source)}" for source in _distinct(one.source for one in bundle.reports)),
        *(f"- ran: {in_markdown(said)}" for said in _distinct(said for one in bundle.reports for said in one.versions)),
        "- what looks like a secret was replaced by \\[redacted\\]; names and addresses are those of the cluster",
        "",
        *_contents(bundle.reports),
        "",
    ]
    return "\n".join([*lines, *("\n".join(_answer(one)) for one in bundle.reports)])


def bundle_html(bundle: Bundle) -> str:
    """Return the bundle as one page of HTML, made of its Markdown; HTML in it stays text."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "autolink"])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(f'Network triage, {reading.moment(bundle.made_at)}')}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body.render(bundle_markdown(bundle))}</body>\n</html>\n"
    )


def bundle_zip(bundle: Bundle) -> bytes:
    """Return a zip of both, and of each answer with all its evidence: as text, and as JSON to be read back."""
    files = {"report.md": bundle_markdown(bundle), "report.html": bundle_html(bundle)}
    for number, report in enumerate(bundle.reports, start=1):
        name = f"answers/{number:02}-{report.command}"
        files[f"{name}.txt"] = evidence_text(report)
        files[f"{name}.json"] = json.dumps(encode(report), indent=1) + "\n"
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path, bundle.made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode())
    return written.getvalue()


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_line(text) for text in texts if text))


def _contents(reports: Sequence[Report]) -> Iterator[str]:
    yield "| question | answer |"
    yield "|---|---|"
    for report in reports:
        status, separator, headline = reading.opening(report)
        yield f"| {in_markdown(report.title)} | {in_markdown(f'{status}{separator}{headline}')} |"


def _answer(report: Report) -> Iterator[str]:
    yield markdown(report)
    found = [(finding, item) for finding in report.findings for item in finding.evidence if item.excerpt.strip()]
    if found:
        yield "### Evidence"
        yield ""
    for finding, item in found:
        at = f", {reading.moment(item.at)}" if item.at else ""
        yield f"- {finding.code}: {in_markdown(reading.citation(item))}{at}: {in_markdown(item.excerpt)}"
    yield ""
