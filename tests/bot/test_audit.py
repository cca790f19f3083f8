"""The audit log: lines of JSON, in Redis bounded by number and age, and wherever lines are collected."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from bot.audit import KEEP, Act, Audit, Entry, Reader, entry_of
from tests.bot import samples
from tests.bot.conftest import Bot

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def test_a_line_says_who_saw_what_of_which_namespace_and_nothing_of_it(redis: Redis, tmp_path: Path) -> None:
    report = samples.blocked_on_both_sides()
    file = tmp_path / "audit.jsonl"
    entry = entry_of(Act.ANSWERED, "why a b", Reader("U1", "T1", "C1"), report, cluster="prod")
    Audit(redis, str(file)).note(entry)
    (line,) = Audit(redis).kept(LONG_AGO)
    assert file.read_text() == f"{line}\n"
    said = json.loads(line)
    assert {key: said[key] for key in ("act", "what", "user", "team", "channel", "cluster", "verdict", "withheld")} == {
        "act": "answered",
        "what": "why a b",
        "user": "U1",
        "team": "T1",
        "channel": "C1",
        "cluster": "prod",
        "verdict": "Blocked at egress",
        "withheld": [],
    }
    assert said["shown"].keys() <= {"shop", "payments", ""}


def test_secrets_in_a_question_are_left_out(redis: Redis) -> None:
    Audit(redis).note(Entry(Act.ORDERED, "why xoxb-1234-abcd a b", "U1", "T1", "C1", NOON))
    (line,) = Audit(redis).kept(LONG_AGO)
    assert json.loads(line)["what"] == "why (redacted) a b"


def test_lines_are_forgotten_after_their_time(redis: Redis) -> None:
    entry = Entry(Act.ORDERED, "mute", "U1", "T1", "C1", NOON)
    Audit(redis).note(entry)
    later = Audit(redis, now=lambda: datetime.now(UTC) + KEEP + timedelta(days=1))
    later.note(entry)
    assert list(later.kept(LONG_AGO)) == []
    assert 0 < redis.ttl("cilium-triage:audit") <= KEEP.total_seconds()


def test_standard_output_has_a_line_each(redis: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    Audit(redis, "stdout").note(Entry(Act.REFUSED, "lint", "U1", "T1", "C1", NOON))
    assert json.loads(capsys.readouterr().out)["act"] == "refused"


def test_a_file_that_cannot_be_written_stops_nobody(redis: Redis, tmp_path: Path) -> None:
    Audit(redis, str(tmp_path)).note(Entry(Act.REFUSED, "lint", "U1", "T1", "C1", NOON))
    assert len(list(Audit(redis).kept(LONG_AGO))) == 1


def test_by_default_there_is_no_audit_log(bot: Bot, redis: Redis) -> None:
    bot.slack.command("ada", "#incident-42", "/cilium", "why shop/frontend shop/cart 8080")
    bot.asked()
    assert redis.exists("cilium-triage:audit") == 0
