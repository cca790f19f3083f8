"""What a subcommand declares."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from handlers.model.attachment import Attachment
from handlers.model.facts import Facts
from handlers.model.finding import Finding
from handlers.model.headline import Headline
from handlers.model.report import Expected, IdentityNote, Observed, Patch
from handlers.model.scope import Scope
from handlers.model.snapshot import AnyPart
from handlers.model.standing import Standing
from handlers.model.table import Table
from handlers.names.grammar import Item, is_nearly_fresh, text_of
from handlers.sentence.tokens import Said


class Role(StrEnum):
    """Who may ask. A role includes those before it."""

    VIEWER = "viewer"
    OPERATOR = "operator"


class Question(Protocol):
    """What is asked. ``str()`` gives the normal form, which the parser reads back as an equal question."""

    def scope(self, so_far: Facts) -> Scope:
        """Return how wide to read, given what is known so far; a field that cannot be told yet is None."""
        ...


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a command makes of the findings; the engine builds the Report around it."""

    headline: Headline
    expected: Expected | None = None
    observed: Observed | None = None
    identities: tuple[IdentityNote, ...] = ()
    patches: tuple[Patch, ...] = ()
    patch_notes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    standing: Standing | None = None


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return problems before doubts before what is fine, heavier ones first within each: the order of a list."""
    return sorted(findings, key=lambda finding: (finding.outcome.order, -finding.weight, finding.text))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sentence may ask of one command. Of all commands' readings the heaviest is taken.

    ``questions`` that are several, or that come with a ``problem``, are for the asker to choose from.
    """

    questions: tuple[Any, ...]
    weight: int
    problem: str = ""
    reads_odd: bool = False
    """Whether the command reads words that mean nothing to others."""

    @property
    def is_sure(self) -> bool:
        """Whether this is the question, and no choice."""
        return len(self.questions) == 1 and not self.problem


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand of ``/cilium`` and of the command line.

    ``parse`` turns the words after the name into a question, every one of them, and raises NotUnderstoodError;
    ``phrases`` are the words by which a plain sentence is about it (``handlers.sentence.phrases`` has their form), and
    what the sentence names besides is parsed; ``phrase`` is for what such words cannot say. ``keep`` is how long an
    answer may be served again. ``conclude`` gets the findings in order.
    """

    name: str
    usage: str
    summary: str
    examples: tuple[str, ...]
    question: type[Any]
    parse: Callable[[str], Any]
    conclude: Callable[[Any, Facts, tuple[Finding, ...]], Conclusion]
    phrases: tuple[str, ...] = ()
    keywords: frozenset[str] = frozenset()
    """Words that ``parse`` reads as they are said in a sentence that has a phrase: ``dropped``, ``dns``."""
    phrase: Callable[[Said], Reading | None] | None = None
    """Says what a plain sentence asks of this command, None when it is not about it."""
    in_words: Callable[[Any], str] = str
    """Says a question as it is shown to who asked it: what their words were read as."""
    follow: Callable[[Any, Said], Reading | None] | None = None
    """Says what a fragment such as "and on 9090?" makes of a question, None where it is no fragment."""
    watch: Callable[[Any], timedelta | None] | None = None
    """Says for how long new flows are waited for, None for a question that is answered once."""
    attach: Callable[[Any, Sequence[Attachment]], Any] | None = None
    """Adds to a question what came with it, or raises NotUnderstoodError; None where nothing can come with it."""
    arrange: Callable[[Iterable[Finding]], list[Finding]] | None = None
    """Order of the findings; None means hop order, worst first within a hop."""
    role: Role = Role.VIEWER
    keep: timedelta = timedelta(seconds=60)
    leave_out: frozenset[AnyPart] = frozenset()
    """Parts that some probe could use and this question does without."""


class NotUnderstoodError(Exception):
    """The words make no question.

    Attributes:
        problem: what is wrong, in words for the asker.
        usage: the line that shows how to ask, empty when no subcommand was recognised.
        suggestions: questions that may have been meant, best first.
    """

    def __init__(self, problem: str, usage: str = "", suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.usage = usage
        self.suggestions = suggestions


class AskBackError(NotUnderstoodError):
    """The words can be read in several ways; the suggestions are all of them, and the asker has to choose."""


def left_over(found: Iterable[Item], usage: str) -> NotUnderstoodError:
    """Return the refusal of words that a command does not understand; it names them."""
    words = " ".join(map(text_of, found))[:80]
    fresh = " Did you mean fresh?" if is_nearly_fresh(words.lower()) else ""
    return NotUnderstoodError(f"I do not understand “{words}” here.{fresh}", usage)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked. ``fresh`` wants an answer that is not from the cache."""

    command: Command
    question: Any
    fresh: bool = False

    def __str__(self) -> str:
        """Return the question in normal form: ``why shop/frontend shop/cart 8080/TCP``."""
        return str(self.question)

    @property
    def watched(self) -> timedelta | None:
        """For how long new flows are waited for, None where the question is answered once."""
        return self.command.watch(self.question) if self.command.watch else None

    @property
    def read_as(self) -> str:
        """What the asker's words were read as: ``shop/frontend → shop/cart 8080/TCP``."""
        return self.command.in_words(self.question)
