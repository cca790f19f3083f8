"""How a digest is shown: one line where nothing differs, what opens each line, and nothing of a hostile cluster."""

import json
from pathlib import Path

import pytest

from bot.render.digest import digest_message, missed_message, undone_message
from bot.render.digest_text import markdown, plain
from handlers.digests.compare import compare
from tests.cluster.record import unpacked_dump
from tests.digests.build import dropped, drops, moment, problem, report
from tools.playground.limits import block_violations
from workers.cli.app import run
from workers.digest_chart import in_words
from workers.status import Status

FULL = problem("MAP_NEARLY_FULL", "map {map} on {node} is full", map="ct4", node="worker-1")
EVIL = "<!here> <@U1> *x* `y` \x1b[31m" + "a" * 5_000
CAUSE = "ingress of shop/cart denied by CiliumNetworkPolicy shop/cart-lock"


def test_unchanged_is_one_line_everywhere() -> None:
    now = moment(report("health", FULL))
    digest = compare(now, now)
    words = "Nothing changed since Fri 2026-11-20 08:00 UTC; 1 problem stands"
    assert plain(digest) == words
    assert digest_message(digest).text == words
    assert len(digest_message(digest).blocks) == 1


def test_each_line_opens_the_question_behind_it() -> None:
    blocks = digest_message(compare(None, moment(report("health", FULL)))).blocks
    buttons = [block["accessory"]["value"] for block in blocks if "accessory" in block]
    assert buttons == ["health"]


def test_a_workspace_without_charts_and_tables_has_the_numbers_as_text() -> None:
    before, now = moment(drops(*dropped(CAUSE, 10))), moment(drops(*dropped(CAUSE, 90)))
    message = digest_message(compare(before, now), [before])
    kinds = [{str(block["type"]) for block in form} for form in (message.blocks, *message.plainer)]
    assert [{"data_visualization", "table"} & kind for kind in kinds] == [
        {"data_visualization", "table"},
        {"table"},
        set(),
    ]
    assert "90" in json.dumps(message.plainer[-1])


def test_a_picture_says_what_it_shows() -> None:
    told = in_words("Drops by cause", {"cart-lock": [("Fri", 10.0), ("Mon", 90.0), ("Tue", 40.0)]})
    assert told == "Drops by cause. cart-lock: first 10, at most 90, now 40"


def test_a_hostile_cluster_stays_within_its_quotes_and_slack_within_its_limits() -> None:
    findings = [problem(f"CODE_{number}", "{name} is wrong", name=EVIL, weight=9) for number in range(40)]
    now = moment(report("health", *findings), drops(*dropped(EVIL, 10)))
    for message in (
        digest_message(compare(None, now), [now]),
        missed_message(EVIL, [EVIL] * 9, EVIL),
        undone_message(EVIL, EVIL),
    ):
        for blocks in (message.blocks, *message.plainer):
            assert block_violations(list(blocks)) == []
        # Cells and labels of Slack's own tables and charts are plain text; everything else is markup.
        said = json.dumps([message.text, *(message.plainer[-1] if message.plainer else message.blocks)])
        assert "<!here>" not in said
        assert "<@U1>" not in said
        assert "\\u001b" not in said
    assert "<!here>" not in markdown(compare(None, now))


@pytest.mark.parametrize("words", [["digest", "helth"], ["digest", "--previous", "no-such-file.json"]])
def test_what_is_not_understood_is_said_with_its_own_status(words: list[str]) -> None:
    assert run(words) == Status.USAGE


def test_a_terminal_compares_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--sysdump", str(unpacked_dump("36b-service-selector-typo", tmp_path))]
    assert run(["digest", "services", *place, "--output", "json"]) == Status.PROBLEM
    first = tmp_path / "first.json"
    first.write_text(capsys.readouterr().out)
    (change,) = json.loads(first.read_text())["changes"]
    assert change["kind"] == "new"
    assert "it selects app=catalogue" in change["text"]
    assert "nearest are pods with app=catalog " in change["text"]
    assert run(["digest", "services", *place, "--previous", str(first)]) == Status.FINE
    assert capsys.readouterr().out.startswith("Nothing changed since Sat 2026-11-21 14:32 UTC; 1 problem stands")
