"""Dumps that people drop: which thread is about one, and what is read of it."""

from pathlib import Path
from typing import Any

import pytest

from bot.dumps import archive_in, dump_in
from bot.render.dump import about_dump
from bot.render.report import report_message
from bot.slack_client import slack_client
from bot.surfaces.slack import where_of
from bot.ticket import Dump
from handlers.catalogue import CATALOGUE
from tests.bot.conftest import Bot
from workers.answering import DumpError
from workers.dumps import dump_looks

INCIDENTS, ELSEWHERE = "#platform", "#incident-42"
NAME = "cilium-sysdump-20260301-120000.zip"
QUESTION = "why shop/frontend shop/cart 8080"
SAMPLE = Path(__file__).parents[1] / "scenarios" / "06-wrong-port" / "sysdump.zip"


def message(*files: Any) -> dict[str, Any]:
    return {"files": list(files)}


def file(name: str, **more: Any) -> dict[str, Any]:
    return {"id": "F1", "name": name, "url_private": "https://files.slack.com/x", "size": 9, **more}


FILES: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "what cilium sysdump writes": (message(file(NAME)), True, True),
    "packed anew": (message(file("prod-cilium.tar.gz")), True, True),
    "another archive": (message(file("logs.tgz")), True, False),
    "no archive": (message(file("cilium-sysdump.txt")), False, False),
    "an archive without an address": (message(file(NAME, url_private="")), False, False),
    "a second file": (message(file("a.png"), file(NAME)), True, True),
    "nonsense": (message("x", {"name": 7}), False, False),
}


@pytest.mark.parametrize(("sent", "is_archive", "is_dump"), FILES.values(), ids=FILES)
def test_a_dump_is_known_by_its_name(sent: dict[str, Any], is_archive: bool, is_dump: bool) -> None:
    assert (archive_in(sent) is not None, dump_in(sent) is not None) == (is_archive, is_dump)


def test_a_dump_in_an_incident_channel_is_looked_at_and_its_thread_is_about_it(bot: Bot) -> None:
    dropped = bot.slack.say("ada", INCIDENTS, "", files={NAME: b"PK"})
    assert {ticket.text for ticket in bot.asked(2)} == {"health", "drops"}
    bot.slack.say("grace", INCIDENTS, QUESTION, thread_ts=dropped["ts"])
    tickets = bot.asked(3)
    assert {(ticket.dump and ticket.dump.name, where_of(ticket).thread_ts) for ticket in tickets} == {
        (NAME, dropped["ts"])
    }


def test_elsewhere_it_is_looked_at_when_somebody_asks_in_its_thread(bot: Bot) -> None:
    dropped = bot.slack.say("ada", ELSEWHERE, "look", files={NAME: b"PK"})
    bot.slack.say("grace", ELSEWHERE, f"@cilium {QUESTION}", thread_ts=dropped["ts"])
    (ticket,) = bot.asked()
    assert ticket.dump is not None
    assert ticket.dump.name == NAME


def test_what_comes_with_a_question_is_meant_whatever_its_name(bot: Bot) -> None:
    bot.slack.say("ada", ELSEWHERE, f"@cilium {QUESTION}", files={"logs.tgz": b"PK"})
    (ticket,) = bot.asked()
    assert ticket.dump is not None
    assert ticket.dump.name == "logs.tgz"


def test_other_archives_and_other_threads_are_about_the_cluster(bot: Bot) -> None:
    bot.slack.say("ada", INCIDENTS, "", files={"logs.tgz": b"PK"})
    root = bot.slack.say("ada", INCIDENTS, "hm")
    bot.slack.say("grace", INCIDENTS, QUESTION, thread_ts=root["ts"])
    assert [(ticket.text, ticket.dump) for ticket in bot.asked()] == [(QUESTION, None)]


def _dropped(bot: Bot, content: bytes) -> Dump:
    found = archive_in(bot.slack.say("ada", ELSEWHERE, "", files={NAME: content}))
    assert found is not None
    return found


def test_an_answer_says_which_dump_it_is_about(bot: Bot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dump = _dropped(bot, SAMPLE.read_bytes())
    look = dump_looks(_client(bot), budget=10, owned=False)(dump)
    report = look(CATALOGUE.understand("nodes"), lambda _told: None).report
    shown = about_dump(report_message(report), dump.name, report.taken_at)
    lead = f"About the dump {NAME} of 2026-11-20 12:21:36 UTC, not about the cluster as it is now."
    assert (shown.text.splitlines()[0], report.notes[0][:14]) == (lead, "About the dump")
    assert "About the dump" in shown.blocks[0]["elements"][0]["text"]
    assert list(tmp_path.iterdir()) == []


NOT_READ: dict[str, tuple[dict[str, Any], str]] = {
    "no archive at all": ({}, "no dump that I can read"),
    "another host": ({"url": "https://files.example.com/x"}, "outside of Slack"),
    "a file": ({"url": "file:///etc/passwd"}, "outside of Slack"),
    "a host that only looks like Slack": ({"url": "https://slack.com.example.com/x"}, "outside of Slack"),
    "a file that is gone": ({"url_path": "/files-pri/gone"}, "cannot be read"),
    "too large": ({"size": 600 << 20}, "larger than 512 MiB"),
}


@pytest.mark.parametrize(("changes", "said"), NOT_READ.values(), ids=NOT_READ)
def test_what_is_no_dump_is_said(bot: Bot, changes: dict[str, Any], said: str) -> None:
    dump = _dropped(bot, b"no archive")
    url = bot.slack.url + changes["url_path"] if "url_path" in changes else changes.get("url", dump.url)
    other = Dump(dump.id, dump.name, url, changes.get("size", dump.size))
    with pytest.raises(DumpError, match=said):
        dump_looks(_client(bot), budget=1, owned=False)(other)(CATALOGUE.understand("nodes"), lambda _told: None)


def _client(bot: Bot) -> Any:
    return slack_client(bot.slack.settings.bot_token, bot.slack.api_url)
