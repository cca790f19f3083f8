"""Everything that can be asked, and everything that is looked at for an answer: one value, found in the packages.

A module declares a command or a probe by holding it; importing the module does nothing else. So a new question is a
file in ``handlers.commands`` and one in ``handlers.probes``, and no line elsewhere.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar

import handlers.commands
import handlers.probes
from handlers.commands.command import AskBackError, Asked, Command, NotUnderstoodError, Reading
from handlers.commands.phrased import phrased
from handlers.model.attachment import Attachment
from handlers.model.finding import Code
from handlers.model.question import AboutConnection
from handlers.model.snapshot import AnyPart
from handlers.names.clock import with_spans
from handlers.names.decorations import MAX_TEXT, undecorated
from handlers.names.grammar import POLITE, Fresh, items
from handlers.names.lexicon import is_known
from handlers.names.spelling import nearest
from handlers.probes.probe import OF_EVERY_PROBE, Probe
from handlers.sentence.clauses import halves, is_typed
from handlers.sentence.fragment import without_lead
from handlers.sentence.pronouns import with_names
from handlers.sentence.read import sentence_of

Declaration = TypeVar("Declaration")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Commands by name, in the order in which a plain sentence is offered to them, and probes; made by ``of``."""

    commands: Mapping[str, Command]
    probes: tuple[Probe, ...]
    codes: Mapping[str, Code]
    """Every code that a finding of these probes may carry."""

    @classmethod
    def of(cls, commands: Iterable[Command], probes: Iterable[Probe]) -> "Catalogue":
        """Make a catalogue.

        Raises:
            ValueError: if two commands, or two codes that differ, have one name.
        """
        probes = tuple(probes)
        codes = dict.fromkeys([*OF_EVERY_PROBE, *(code for probe in probes for code in probe.codes)])
        return cls(_by_name(commands), probes, _by_name(codes))

    def command_of(self, question: Any) -> Command:
        """Return the command whose question this is.

        Raises:
            LookupError: if no command declares the type.
        """
        for command in self.commands.values():
            if isinstance(question, command.question):
                return command
        raise LookupError(f"no command asks a {type(question).__name__}")

    def probes_for(self, question: Any) -> tuple[Probe, ...]:
        """Return the probes that answer this type of question, on the hops that it is about."""
        hops = question.hops if isinstance(question, AboutConnection) else None
        return tuple(
            probe
            for probe in self.probes
            if isinstance(question, probe.answers) and (hops is None or probe.hop is None or probe.hop in hops)
        )

    def wanted(self, question: Any) -> Set[AnyPart]:
        """Return every part that some probe of the question declares, less those that its command leaves out."""
        declared = {part for probe in self.probes_for(question) for part in probe.parts}
        return declared - self.command_of(question).leave_out

    def understand(
        self, text: str, attached: Sequence[Attachment] = (), earlier: str = "", now: datetime | None = None
    ) -> Asked:
        """Return what is asked by ``why shop/frontend shop/cart 8080`` or "can shop/frontend reach shop/cart?".

        Slack's decorations are taken off first. The text may be anything. ``attached`` is what came with it.
        ``earlier`` is the question above it in a conversation, in normal form, from which "and on 9090?" is read.
        ``now`` is the asker's time, from which "since 14:05" is read; None where the question is about another time.

        Raises:
            AskBackError: where the words can be read in several ways; the asker has to choose.
            NotUnderstoodError: where they cannot be read.
        """
        if len(text) > MAX_TEXT:
            problem = f"That is longer than {MAX_TEXT} characters; a question is shorter. Give a text as a code block."
            raise NotUnderstoodError(problem, suggestions=self._without_names())
        text = with_spans(text, now) if now else text
        words = self._without_politeness(undecorated(text))
        if not words:
            raise NotUnderstoodError("Nothing was asked.", suggestions=self._without_names())
        first, _, rest = words.partition(" ")
        command = self.commands.get(first.lower())
        if command is not None:
            try:
                return self._asked(command.parse(rest), words, attached)
            except AskBackError:
                raise
            except NotUnderstoodError as refusal:
                if is_typed(rest):
                    raise
                return self._said(text, words, attached, refusal)
        if earlier and (changed := self._follow_up(words, earlier) or self._about_it(text, earlier)):
            return self._asked(self._chosen(changed), words, attached)
        return self._said(text, words, attached, self._unknown(words))

    def _without_politeness(self, words: str) -> str:
        """Return "please lint shop" without its first word; a sentence keeps all of them."""
        polite, _, rest = words.partition(" ")
        name, _, about = rest.partition(" ")
        is_typed_command = name.lower() in self.commands and (not about or is_typed(about))
        return rest if polite.lower() in POLITE and is_typed_command else words

    def _said(self, text: str, words: str, attached: Sequence[Attachment], refusal: NotUnderstoodError) -> Asked:
        """Weigh what a sentence can mean to each command."""
        parts = [found for found in map(self._read, halves(text)) if found.is_sure]
        questions = _distinct(question for part in parts for question in part.questions)
        if len(questions) > 1:
            raise _ask_back(questions, "That is two questions at once; choose one.")
        found = self._read(text)
        is_nearly_a_command = bool(set(refusal.suggestions) - set(self._without_names()))
        if (not found.questions and not found.problem) or (found.weight <= 1 and is_nearly_a_command):
            raise refusal
        return self._asked(self._chosen(found), words, attached)

    def _read(self, text: str) -> Reading:
        """Return the heaviest reading of a sentence; those that weigh the same, together."""
        sentence = sentence_of(text)
        readings = [reading for command in self.commands.values() if (reading := phrased(command, text, sentence))]
        weight = max((reading.weight for reading in readings), default=0)
        heaviest = [reading for reading in readings if reading.weight == weight]
        questions = _distinct(question for reading in heaviest for question in reading.questions)
        problem = next((reading.problem for reading in heaviest if reading.problem), "")
        if sentence.odd and not any(reading.reads_odd for reading in heaviest):
            problem = f"I do not understand “{'”, “'.join(sentence.odd)[:80]}”."
        elif len(questions) > 1 and not problem:
            problem = "I can read that in several ways; choose one."
        return Reading(questions, weight, problem)

    def _chosen(self, found: Reading) -> Any:
        if found.is_sure:
            return found.questions[0]
        if questions := tuple(filter(self._reads_back, found.questions)):
            raise _ask_back(questions, found.problem)
        problem = found.problem or "I can read no question in the words."
        raise NotUnderstoodError(problem, suggestions=self._without_names())

    def _asked(self, question: Any, words: str, attached: Sequence[Attachment]) -> Asked:
        """Return the question, with what came with it; one that its own normal form does not ask again is refused."""
        command = self.command_of(question)
        if not self._reads_back(question):
            raise NotUnderstoodError("A name or a path in it has letters that I cannot read.", command.usage)
        fresh = any(isinstance(item, Fresh) for item in items(words))
        return Asked(command, command.attach(question, attached) if command.attach else question, fresh)

    def _reads_back(self, question: Any) -> bool:
        """Whether the normal form of a question asks the same again."""
        command = self.command_of(question)
        name, _, rest = str(question).partition(" ")
        try:
            return name == command.name and bool(command.parse(rest) == question)
        except NotUnderstoodError:
            return False

    def _follow_up(self, words: str, earlier: str) -> Reading | None:
        """Return what a fragment makes of the question above it, None where it is no fragment."""
        name, _, rest = earlier.partition(" ")
        command, fragment = self.commands.get(name), without_lead(words)
        fragment = f"port {fragment}" if fragment.isdigit() and command and command.follow else fragment
        if command is None or not fragment:
            return None
        if command.follow is not None:
            return command.follow(command.parse(rest), sentence_of(fragment))
        sentence = sentence_of(fragment)
        is_time_alone = sentence.span is not None and not (sentence.ends or sentence.bare or sentence.namespaces)
        for text in (f"{rest} {fragment}",) if is_time_alone else (fragment, _last_word(fragment)):
            if fragment != words and not is_known(text) and self._normal(f"{name} {text}"):
                return Reading((command.parse(text),), 3)
        return None

    def _about_it(self, text: str, earlier: str) -> Reading | None:
        """Return what a sentence asks whose "it" is an end of the question above it, None where it has none."""
        found = [reading for said in with_names(text, earlier) if (reading := self._read(said)).is_sure]
        questions = _distinct(reading.questions[0] for reading in found)
        problem = "Which end do you mean? Choose one." if len(questions) > 1 else ""
        return Reading(questions, 3, problem) if questions else None

    def _unknown(self, words: str) -> NotUnderstoodError:
        first, _, rest = words.partition(" ")
        meant = [f"{name} {rest}".strip() for name in nearest(first.lower()[:40], self.commands, cutoff=0.7)]
        suggestions = tuple(filter(None, map(self._normal, meant)))
        problem = "I can read no question in the words: name who connects to whom, or start with a subcommand."
        if suggestions:
            problem = f"“{first[:40]}” is no subcommand."
        return NotUnderstoodError(problem, suggestions=suggestions or self._without_names())

    def _normal(self, text: str) -> str:
        """Return a typed question in normal form, nothing where it is none by itself."""
        name, _, rest = text.partition(" ")
        command = self.commands[name]
        try:
            question = command.parse(rest)
            question = command.attach(question, ()) if command.attach else question
        except NotUnderstoodError:
            return ""
        return str(question) if self._reads_back(question) else ""

    def _without_names(self) -> tuple[str, ...]:
        """Return the questions that can be asked of any cluster: those that need no names."""
        return tuple(name for name, command in self.commands.items() if command.attach is None and self._normal(name))

    def takes_attachments(self, text: str) -> bool:
        """Whether the words begin with a subcommand that something can come with."""
        first, _, _rest = text.strip().partition(" ")
        command = self.commands.get(first.lower())
        return command is not None and command.attach is not None


def _last_word(text: str) -> str:
    """Return the name behind a preposition: in payments, of shop/cart."""
    return text.split()[-1] if len(text.split()) == 2 else text


def _distinct(questions: Iterable[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    for question in questions:
        if question not in found:
            found.append(question)
    return tuple(found)


def _ask_back(questions: Sequence[Any], problem: str) -> AskBackError:
    return AskBackError(problem, suggestions=tuple(map(str, questions)))


Named = TypeVar("Named", Command, Code)


def _by_name(declared: Iterable[Named]) -> Mapping[str, Named]:
    by_name: dict[str, Named] = {}
    for one in declared:
        if one.name in by_name:
            raise ValueError(f"{type(one).__name__.lower()} {one.name} is declared twice")
        by_name[one.name] = one
    return MappingProxyType(by_name)


def declared(package: ModuleType, kind: type[Declaration]) -> tuple[Declaration, ...]:
    """Return every declaration of a kind that the modules of a package hold, by the modules' names."""
    return tuple(dict.fromkeys(_held(package, kind)))


def _held(package: ModuleType, kind: type[Declaration]) -> Iterator[Declaration]:
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        yield from (value for value in vars(module).values() if isinstance(value, kind))


CATALOGUE = Catalogue.of(declared(handlers.commands, Command), declared(handlers.probes, Probe))
"""What the program knows to answer."""

understand = CATALOGUE.understand
