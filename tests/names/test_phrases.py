"""Phrases that commands declare: which sentences find them, and what is asked then."""

from dataclasses import dataclass

import pytest

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import AskBackError, Command, Conclusion, NotUnderstoodError
from handlers.commands.typed_connection import typed_connection
from handlers.model.facts import Facts
from handlers.model.finding import Finding, prose
from handlers.model.headline import Headline
from handlers.model.scope import Scope


@dataclass(frozen=True, slots=True)
class Asks:
    """What was typed behind the name of a command."""

    text: str

    def __str__(self) -> str:
        """Return the normal form."""
        return self.text

    def scope(self, so_far: Facts) -> Scope:
        """Read nothing."""
        return Scope()


class Pairs(Asks):
    """Asked about two ends."""


class Names(Asks):
    """Asked about one name or nothing."""


class Nothings(Asks):
    """Asked about nothing."""


def _conclude(_question: Asks, _facts: Facts, _findings: tuple[Finding, ...]) -> Conclusion:
    return Conclusion(Headline(prose("nothing")))


def _pair(text: str) -> Pairs:
    connection, span = typed_connection(text, "pairs A B")
    return Pairs(f"pairs {connection}" + (f" since {int(span.total_seconds())}s" if span else ""))


def _name(text: str) -> Names:
    if len(text.split()) > 1:
        raise NotUnderstoodError("one name", "names [A]")
    return Names(f"names {text}".strip())


def _nothing(text: str) -> Nothings:
    if text:
        raise NotUnderstoodError("nothing is taken", "nothings")
    return Nothings("nothings")


def _command(name: str, asks: type[Asks], parse: object, *phrases: str) -> Command:
    return Command(name, name, "", (), asks, parse, _conclude, phrases=phrases)  # type: ignore[arg-type]


PHRASED = Catalogue.of(
    [
        *(
            command
            for command in CATALOGUE.commands.values()
            if command.name not in ("flows", "changes", "agent", "health")
        ),
        _command("pairs", Pairs, _pair, "show|list flows -dropped"),
        _command("names", Names, _name, "agent* restart*", "identity"),
        _command("nothings", Nothings, _nothing, "what changed"),
    ],
    CATALOGUE.probes,
)

ASKED = {
    "two ends": ("show me flows from shop/a to shop/b", "pairs shop/a shop/b"),
    "the words in another order": ("flows from shop/a to shop/b: list them", "pairs shop/a shop/b"),
    "the direction is that of the sentence": ("show flows to shop/b from shop/a", "pairs shop/a shop/b"),
    "a port and a time": (
        "list flows from shop/a to shop/b on 80/tcp since 1h",
        "pairs shop/a shop/b 80/TCP since 3600s",
    ),
    "a node": ("is the agent on node-2 restarting?", "names node-2"),
    "an endpoint": ("did shop/a's agent restart?", "names shop/a"),
    "nothing named": ("are agents restarting?", "names"),
    "an unwanted word": ("show dropped flows in shop", "drops shop"),
    "no phrase at all": ("can shop/a reach shop/b?", "why shop/a shop/b"),
    "a name is no word of a phrase": ("can shop/show reach shop/flows?", "why shop/show shop/flows"),
    "a command that takes nothing": ("what changed?", "nothings"),
}


@pytest.mark.parametrize(("says", "question"), ASKED.values(), ids=ASKED.keys())
def test_a_sentence_with_the_words_asks_the_command(says: str, question: str) -> None:
    assert str(PHRASED.understand(says)) == question


CHOSEN = {
    "both directions may be meant": (
        "show me flows between shop/a and shop/b",
        {"pairs shop/a shop/b", "pairs shop/b shop/a"},
        "both ways",
    ),
    "two commands have the word": ("identity of shop/a", {"names shop/a", "identity shop/a"}, "several ways"),
    "the command takes no name": ("what changed in shop?", {"nothings"}, "“shop”"),
    "the command takes no time": ("are agents restarting since 1h?", {"names"}, "“since 3600s”"),
    "a word that may matter": ("what changed since the rollout?", {"nothings"}, "“since the rollout”"),
}


@pytest.mark.parametrize(("says", "questions", "problem"), CHOSEN.values(), ids=CHOSEN.keys())
def test_what_is_not_sure_is_asked_back(says: str, questions: set[str], problem: str) -> None:
    with pytest.raises(AskBackError) as caught:
        PHRASED.understand(says)
    assert set(caught.value.suggestions) == questions
    assert problem in caught.value.problem
