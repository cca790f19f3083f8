"""Any report is a message that Slack takes, and nothing in it gets out of its quotes."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from bot.render import blocks
from bot.render.blocks import Message, code, escape, message, say, section, shortened, size
from bot.render.candidates import not_understood
from bot.render.clean import clean, one_line
from bot.render.evidence import evidence_text, file_as_message, patches_file
from bot.render.patches import patches_message
from bot.render.report import report_message
from bot.render.text import markdown, plain
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.report import (
    AlsoOpens,
    Budget,
    Expected,
    GapNote,
    IdentityNote,
    Observed,
    Patch,
    Report,
)
from tests.bot import samples
from tests.sampling import examples
from tools.playground.limits import MAX_BLOCKS_TEXT, MAX_UPDATE_TEXT, block_violations, total_text

NASTY = (
    "<!channel> <!here> <@U123> <https://evil.example|click>",
    "`code` ```fence``` *bold* _it_ ~no~",
    "&amp;&lt;&&<<>>",
    "a" * 5000,
    "👩‍👩‍👧" * 900,
    "&" * 3000,
    "`" * 3001,
    "x\u202egnp.exe\u202c \x1b[31mred\x1b[0m \x00 \u200b \ud800",
    "line\n" * 400,
    "",
    " ",
)
text = some.one_of(some.sampled_from(NASTY), some.text(max_size=40))
name = some.one_of(text, some.sampled_from(["shop/cart", "payments/checkout-api"]))
times = some.integers(0, 2**31).map(lambda second: datetime.fromtimestamp(second, UTC))
sentences = some.builds(
    lambda words, value, count: Sentence(
        words.replace("{", "").replace("}", "") + " {value} {count}", {"value": value, "count": count}
    ),
    text,
    some.one_of(name, some.none(), some.tuples(name, name)),
    some.integers(),
)
evidences = some.builds(Evidence, text, name, text, some.one_of(some.none(), times), text)
findings = some.builds(
    Finding,
    some.just("CODE"),
    some.sampled_from(Outcome),
    sentences,
    some.one_of(some.none(), some.sampled_from(Hop)),
    some.booleans(),
    some.lists(evidences, max_size=6).map(tuple),
    some.lists(text, max_size=2).map(tuple),
    text,
    text,
)
patches = some.builds(
    Patch,
    text,
    name,
    some.booleans(),
    text,
    text,
    text,
    text,
    some.lists(some.builds(AlsoOpens, name, name, text, some.integers(0, 9)), max_size=30).map(tuple),
    some.booleans(),
    text,
    some.lists(text, max_size=4).map(tuple),
)
budgets = some.builds(
    Budget,
    some.lists(name, max_size=20).map(tuple),
    some.lists(name, max_size=20).map(tuple),
    some.one_of(some.none(), times),
    some.one_of(some.none(), times),
    some.one_of(some.none(), times),
    some.integers(0),
    some.integers(0),
    some.booleans(),
)
reports = some.builds(
    Report,
    question=text,
    command=text,
    headline=some.builds(
        Headline,
        sentences,
        place=some.one_of(some.none(), some.sampled_from(Hop)),
        reason=some.one_of(some.none(), sentences),
        mechanism=some.one_of(some.none(), sentences),
        others=some.integers(0, 9),
        seen=text,
        remedy=text,
        more=some.lists(sentences, max_size=3).map(tuple),
        assumed=text,
    ),
    taken_at=times,
    source=text,
    findings=some.lists(findings, max_size=25).map(tuple),
    expected=some.one_of(some.none(), some.sampled_from(Expected)),
    observed=some.one_of(some.none(), some.sampled_from(Observed)),
    identities=some.lists(
        some.builds(
            IdentityNote,
            some.integers(0),
            some.lists(text, max_size=5).map(tuple),
            some.lists(name, max_size=5).map(tuple),
            some.integers(0, 9),
            some.one_of(some.none(), text),
        ),
        max_size=40,
    ).map(tuple),
    gaps=some.lists(some.builds(GapNote, text, some.one_of(some.none(), name), text, text, text), max_size=20).map(
        tuple
    ),
    budget=budgets,
    patches=some.lists(patches, max_size=3).map(tuple),
    notes=some.lists(text, max_size=8).map(tuple),
    candidates=some.lists(text, max_size=15).map(tuple),
)
patiently = settings(max_examples=examples(8), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

LIVE_MARKUP = re.compile(r"<(?!@U0ADA>)")
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def strings(part: Any) -> list[str]:
    match part:
        case dict():
            return [text for item in part.values() for text in strings(item)]
        case list() | tuple():
            return [text for item in part for text in strings(item)]
        case str():
            return [part]
    return []


def check(shown: Message) -> None:
    assert block_violations(list(shown.blocks)) == []
    assert total_text(list(shown.blocks)) <= blocks.MOST_CHARACTERS < MAX_BLOCKS_TEXT
    assert size(shown.text) <= MAX_UPDATE_TEXT
    ids = [element["action_id"] for element in elements(shown.blocks)]
    assert len(ids) == len(set(ids))
    for block in shown.blocks:
        for mrkdwn in texts_of(block):
            assert not LIVE_MARKUP.search(mrkdwn)
            assert not UNSAFE.search(mrkdwn)
            assert mrkdwn.count("`") % 2 == 0
            assert not re.search(r"&(?!(amp|lt|gt);)", mrkdwn)


def texts_of(part: Any) -> list[str]:
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            assert part["verbatim"] is True
            return [part["text"]]
        return [text for item in part.values() for text in texts_of(item)]
    return [text for item in part for text in texts_of(item)] if isinstance(part, list) else []


def elements(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, dict):
        own = [part] if part.get("type") == "button" else []
        return own + [found for item in part.values() for found in elements(item)]
    return [found for item in part for found in elements(item)] if isinstance(part, list | tuple) else []


@patiently
@given(reports, some.one_of(some.none(), some.timedeltas(timedelta(0), timedelta(days=9))))
def test_any_report_is_a_message_that_slack_takes(shown: Report, age: timedelta | None) -> None:
    whole = report_message(shown, report_id="0123", age=age, asked_by="U0ADA")
    check(whole)
    check(shortened(whole))
    assert sum(map(blocks.weight, shortened(whole).blocks)) <= blocks.SHORT


@patiently
@given(reports)
def test_any_report_is_text_without_tricks(shown: Report) -> None:
    for made in (plain(shown), markdown(shown), evidence_text(shown)):
        assert not UNSAFE.search(made)
        made.encode()
    if shown.patches:
        patches_file(shown).encode()
    check(patches_message(shown))


@patiently
@given(text, text, some.lists(text, max_size=12))
def test_any_misunderstanding_is_a_message_that_slack_takes(problem: str, usage: str, suggestions: list[str]) -> None:
    check(not_understood(problem, usage, suggestions))


@patiently
@given(text, some.lists(text, max_size=60).map("\n".join))
def test_any_file_is_a_reply_that_slack_takes(title: str, content: str) -> None:
    check(file_as_message(title, content, "missing_scope"))


def test_a_long_report_says_what_it_leaves_out() -> None:
    filled = [section("x" * 2900) for _ in range(12)]
    shown = message([section("headline"), *filled, section("small print"), section("buttons")], "text")
    said = [texts_of(block)[0] for block in shown.blocks]
    assert said[0] == "headline"
    assert said[-3:] == ["… 8 parts left out here, see Evidence", "small print", "buttons"]
    assert len(shown.blocks) == 8


def test_more_than_fifty_blocks_are_cut_to_fifty() -> None:
    assert len(message([section(str(number)) for number in range(80)], "text").blocks) == 50


def test_a_value_too_long_for_a_button_makes_no_button() -> None:
    assert blocks.button("label", "ask_0", "x" * 2001) is None


ESCAPED = {
    "a broadcast": ("<!channel>", "&lt;!channel&gt;"),
    "a link": ("<https://evil.example|here>", "&lt;https://evil.example|here&gt;"),
    "an entity": ("&lt;", "&amp;lt;"),
    "a back-tick": ("a`b", "a'b"),
    "a change of direction": ("\u202eabc", "\ufffdabc"),
    "a terminal escape": ("\x1b[2J", "\ufffd[2J"),
    "half a character": ("\ud83d", "\ufffd"),
}


@pytest.mark.parametrize("story", ESCAPED)
def test_hostile_text_stays_text(story: str) -> None:
    hostile, shown = ESCAPED[story]
    assert escape(hostile) == shown
    assert code(hostile) == f"`{shown}`"


def test_a_value_cannot_pose_as_another_value() -> None:
    said = say(Sentence("{a} then {b}", {"a": "\ue0001\ue001", "b": "secret"}))
    assert said == "`\ufffd1\ufffd` then `secret`"


QUOTED = {
    "a name is code": ("shop/cart", "`shop/cart`"),
    "a kind and its name is code": ("CiliumNetworkPolicy shop/cart", "`CiliumNetworkPolicy shop/cart`"),
    "a phrase is words": ("14 packets, last at noon", "14 packets, last at noon"),
    "a phrase has no markup of its own": ("all *bold* and ~gone~", "all ∗bold∗ and ∼gone∼"),
    "nothing is nothing": ("", ""),
    "room around a value stays": (" on 8080", " on 8080"),
}


@pytest.mark.parametrize("story", QUOTED)
def test_how_a_value_is_quoted(story: str) -> None:
    value, shown = QUOTED[story]
    assert say(Sentence("[{value}]", {"value": value})) == f"[{shown}]"


def test_cleaning_keeps_lines_and_one_line_does_not() -> None:
    assert clean("a\r\n\tb") == "a\n\tb"
    assert one_line("a\r\n\tb ") == "a b"


def test_rendering_loads_nothing_heavy() -> None:
    heavy = ("slack_sdk", "slack_bolt", "pydantic", "redis", "celery", "lark", "yaml")
    program = (
        "import sys, bot.render.report, bot.render.evidence, bot.render.failure\n"
        f"print([module for module in {heavy} if module in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_sample_of_everything_fits_at_once() -> None:
    check(report_message(samples.blocked_on_both_sides(), report_id="0123", asked_by="U0ADA"))
