"""Everything that can be asked, and everything that is looked at for an answer: one value, found in the packages.

A module declares a command or a probe by holding it; importing the module does nothing else. So a new question is a
file in ``handlers.commands`` and one in ``handlers.probes``, and no line elsewhere.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar

import handlers.commands
import handlers.probes
from handlers.commands.command import Asked, Command, NotUnderstoodError
from handlers.model.attachment import Attachment
from handlers.model.finding import Code
from handlers.model.question import AboutConnection
from handlers.model.snapshot import AnyPart
from handlers.names.decorations import undecorated
from handlers.names.grammar import Fresh, items
from handlers.names.spelling import nearest
from handlers.probes.probe import OF_EVERY_PROBE, Probe

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

    def understand(self, text: str, attached: Sequence[Attachment] = ()) -> Asked:
        """Return what is asked by ``why shop/frontend shop/cart 8080`` or "can shop/frontend reach shop/cart?".

        Slack's decorations are taken off first. The text may be anything. ``attached`` is what came with it.

        Raises:
            NotUnderstoodError: with the usage line, or the nearest subcommands.
        """
        words = undecorated(text)
        first, _, rest = words.partition(" ")
        fresh = any(isinstance(item, Fresh) for item in items(words))
        if command := self.commands.get(first.lower()):
            question = command.parse(rest)
            return Asked(command, command.attach(question, attached) if command.attach else question, fresh)
        for command in self.commands.values():
            question = command.phrase(words) if command.phrase else None
            if question is not None:
                return Asked(command, question, fresh)
        examples = tuple(command.examples[0] for command in self.commands.values())
        if not words:
            raise NotUnderstoodError("Nothing was asked.", suggestions=examples)
        close = nearest(first.lower()[:40], self.commands)
        raise NotUnderstoodError(
            f"“{first[:40]}” is no subcommand, and the sentence names no two ends of a connection.",
            suggestions=tuple(self.commands[name].usage for name in close) or examples,
        )

    def takes_attachments(self, text: str) -> bool:
        """Whether the words begin with a subcommand that something can come with."""
        first, _, _rest = text.strip().partition(" ")
        command = self.commands.get(first.lower())
        return command is not None and command.attach is not None


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
