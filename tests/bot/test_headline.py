"""One sentence out of the parts of an answer, and what it says already."""

from bot.render.blocks import say
from bot.render.headline import sentence_of
from bot.render.reading import opening
from bot.render.text import markdown, plain
from handlers.model.finding import Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.report import Expected, Observed, Report
from tests.bot.samples import finding, report

CLAIM = Sentence("{a} reaches {b}", {"a": "shop/frontend", "b": "shop/cart"})
REASON = Sentence("Nothing listens on {port}", {"port": "80/TCP"})
SEEN = "2 packets dropped"


def answered(expected: Expected | None, observed: Observed | None, **parts: object) -> Report:
    headline = Headline(CLAIM, seen=SEEN, **parts)  # type: ignore[arg-type]
    return report(headline=headline, expected=expected, observed=observed)


SENTENCES = {
    "blocked": (
        answered(Expected.BLOCKED, Observed.DROPPED, reason=REASON),
        "shop/frontend reaches shop/cart: nothing listens on 80/TCP",
    ),
    "blocked more than once, in part": (
        answered(
            Expected.BLOCKED,
            Observed.NOTHING,
            reason=REASON,
            others=2,
            more=(Sentence("{port} would pass", {"port": ("81/TCP", "82/TCP")}), Sentence("Packets pass")),
        ),
        "shop/frontend reaches shop/cart: nothing listens on 80/TCP, and 2 more blockers; "
        "81/TCP, 82/TCP would pass; packets pass",
    ),
    "open, and seen": (answered(Expected.OPEN, Observed.FORWARDED), f"shop/frontend reaches shop/cart: {SEEN}"),
    "open, with a but": (
        answered(Expected.OPEN, Observed.AUDITED, reason=REASON),
        "shop/frontend reaches shop/cart, but nothing listens on 80/TCP",
    ),
    "open, assumed, and nobody looked": (
        answered(Expected.OPEN, Observed.NO_DATA, assumed="the default settings"),
        f"shop/frontend reaches shop/cart, but {SEEN} (assuming: the default settings)",
    ),
    "unknown, yet dropped": (
        answered(Expected.UNKNOWN, Observed.DROPPED, reason=REASON),
        f"shop/frontend reaches shop/cart ({SEEN}); the cause cannot be told: nothing listens on 80/TCP",
    ),
    "no question of reachability": (answered(None, None), "shop/frontend reaches shop/cart"),
}


def test_the_parts_make_one_sentence() -> None:
    assert {story: str(sentence_of(shown)) for story, (shown, _) in SENTENCES.items()} == {
        story: words for story, (_, words) in SENTENCES.items()
    }


def test_prose_inside_is_not_quoted_and_its_values_are() -> None:
    shown, _ = SENTENCES["blocked"]
    assert say(sentence_of(shown)) == "`shop/frontend` reaches `shop/cart`: nothing listens on `80/TCP`"


def test_holes_of_one_name_do_not_meet() -> None:
    inner = Sentence("{name} and {other}", {"name": "b", "other": Sentence("{name}", {"name": "{name}"})})
    assert str(Sentence("{name}: {inner}", {"name": "a", "inner": inner})) == "a: b and {name}"


def test_a_value_keeps_its_capitals_wherever_it_stands() -> None:
    inner = Sentence("{policy} denies it", {"policy": "NetworkPolicy shop/cart"})
    assert str(Sentence("Blocked: {why}", {"why": inner})) == "Blocked: NetworkPolicy shop/cart denies it"
    assert str(Sentence("{why}, says {who}", {"why": Sentence("No rule"), "who": "X"})) == "No rule, says X"
    assert str(Sentence("It is so: {why}", {"why": Sentence("DNS fails")})) == "It is so: DNS fails"


def test_what_a_sentence_says_is_a_question_of_values() -> None:
    shown, _ = SENTENCES["blocked"]
    assert sentence_of(shown).says(REASON)
    assert not sentence_of(shown).says(SEEN)
    assert sentence_of(SENTENCES["open, and seen"][0]).says(SEEN)
    assert not sentence_of(shown).says(Sentence("Nothing listens on 80/TCP"))


def test_a_lead_that_the_status_says_is_left_out() -> None:
    doubt = Headline(Sentence("whether it works", lead="Cannot tell"), reason=REASON)
    shown = report(finding("x", Outcome.UNKNOWN), headline=doubt)
    assert str(sentence_of(shown)) == "Cannot tell whether it works: nothing listens on 80/TCP"
    assert plain(shown).startswith("CANNOT TELL whether it works: nothing")
    assert markdown(shown).startswith("## Cannot tell whether it works: nothing")
    listed = report(finding("x", Outcome.UNKNOWN), headline=doubt, expected=None, observed=None)
    status, separator, sentence = opening(listed)
    assert f"{status}{separator}{sentence}".startswith("Cannot tell whether it works")
