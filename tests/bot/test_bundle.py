"""``report``: the answers of a place as files for a ticket; hostile words stay words."""

import io
import json
import zipfile
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from bot.publish import Publisher
from bot.render.bundle import Bundle, bundle_html, bundle_markdown, bundle_zip
from bot.reports import Reports
from bot.surface import Answer
from bot.surfaces.slack import SlackSurface
from bot.where import Via, Where
from handlers.model.finding import Evidence, Outcome
from handlers.model.report import Report
from handlers.model.wire import decode
from tests.bot import samples
from tests.bot.conftest import Bot

MADE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HERE = "#incident-42"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "![x](http://attacker.example/x.png)",
    "</td></tr></table><h1>owned",
    "<http://attacker.example>",
    "`code` **bold** | cell | \x1b[31m \u202e",
)


class _Page(HTMLParser):
    """The elements of a page, with what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.references: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.references += [value for name, value in attrs if name in ("href", "src") or name.startswith("on")]


def _bundle(*reports: Report) -> Bundle:
    return Bundle(reports, MADE, "cilium-triage 1.0")


def test_a_bundle_lists_its_answers_and_then_tells_each() -> None:
    made = bundle_markdown(_bundle(samples.blocked_on_both_sides(), samples.drops()))
    assert made.startswith("# Network triage: 2 answers\n")
    assert "- made: 2026-03-01 12:00:00 UTC by cilium-triage 1.0" in made
    for report in (samples.blocked_on_both_sides(), samples.drops()):
        assert f"`{report.question}`" in made


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_cluster_supplies_stays_text_in_the_page(words: str) -> None:
    evidence = Evidence("hubble", f"Node//{words}", excerpt=words)
    found = samples.finding(words, Outcome.PROBLEM, evidence=(evidence,))
    page, plain = _Page(), _Page()
    page.feed(bundle_html(_bundle(samples.report(found))))
    plain.feed(bundle_html(_bundle(samples.report(samples.finding("x", Outcome.PROBLEM, evidence=(evidence,))))))
    assert page.references == plain.references == []
    assert not {"script", "img", "a", "h4"} & set(page.elements)
    assert "\x1b" not in bundle_html(_bundle(samples.report(found)))


def test_the_zip_has_every_answer_with_its_evidence_and_reads_back() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle_zip(_bundle(samples.drops(), samples.cannot_tell())))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        read_back = decode(Report, json.loads(archive.read("answers/01-drops.json")))
    assert names[:2] == ["report.md", "report.html"]
    assert "answers/02-why.txt" in names
    assert read_back == samples.drops()


def test_a_mention_in_a_thread_bundles_what_was_answered_there(bot: Bot) -> None:
    reports = Reports(bot.web.redis)
    root = bot.slack.say("ada", HERE, "@cilium drops shop")
    (ticket,) = bot.asked()
    surface = SlackSurface(Publisher(bot.web.app.client), reports)
    for made in (samples.drops(), samples.cannot_tell()):
        surface.answer(ticket, Answer(made, reports.save(made)))
    bot.slack.say("grace", HERE, "@cilium report", thread_ts=root["ts"])
    files = dict(bot.slack.wait_for(lambda: found if len(found := bot.slack.files()) == 2 else []))
    assert files.keys() == {"report.md", "report.zip"}
    assert b"# Network triage: 2 answers" in files["report.md"]
    assert len(bot.queue.tickets()) == 1


def test_where_nothing_was_answered_there_is_nothing_to_bundle(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", "report")
    assert "Nothing was answered here" in bot.said_to("ada", HERE)


def test_the_answers_of_a_place_are_the_newest_each_once(bot: Bot) -> None:
    reports = Reports(bot.web.redis, prefix="apart")
    thread, channel = Where("T", "C", "U", Via.MENTION, "1.0"), Where("T", "C", "U", Via.COMMAND)
    first, second = (reports.save(made) for made in (samples.drops(), samples.cannot_tell()))
    for report_id in (first, second, first):
        reports.answered(thread, report_id)
    assert [made.command for made in reports.so_far(thread)] == ["why", "drops"]
    assert reports.so_far(channel) == reports.so_far(thread)
    assert reports.so_far(Where("T", "D", "U", Via.MENTION, "1.0")) == ()
