"""Help, made from the tables of commands and orders."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from bot.render.blocks import Block, Message, button, code, context, escape, message, section
from handlers.commands.command import Role

_CLAUSE = re.compile(r"[^.:;,?]+\??")
_FIRST_NUMBER = 200
"""Numbers of these buttons start above those of candidates."""
_ASKING_FOR_HELP = {"", "help", "?", "--help", "-h"}


class Declared(Protocol):
    """What a command and an order have in common."""

    @property
    def name(self) -> str:
        """The word after ``/cilium``."""

    @property
    def usage(self) -> str:
        """How it is said."""

    @property
    def summary(self) -> str:
        """What it is for."""

    @property
    def examples(self) -> tuple[str, ...]:
        """Words that can be said as they stand."""

    @property
    def role(self) -> Role:
        """Who may say it."""


def help_message(commands: Mapping[str, Declared], orders: Sequence[Declared]) -> Message:
    """Return every subcommand and order: what it is for, how to say it, and an example as a button."""
    declared = [*commands.values(), *orders]
    blocks = [section("*Ask me what Cilium does to your traffic.*"), *_entries(declared), context(ways())]
    lines = [f"/cilium {one.usage} — {one.summary}" for one in declared]
    return message(blocks, "\n".join(["Ask me what Cilium does to your traffic.", *lines, "/cilium help — this list"]))


def _entries(declared: Iterable[Declared]) -> list[Block]:
    return [_entry(one, index) for index, one in enumerate(declared)]


def _entry(command: Declared, index: int) -> Block:
    usage = command.usage.removeprefix("/cilium ")
    role = "" if command.role is Role.VIEWER else f" _({command.role}s only)_"
    example = next(iter(command.examples), "").removeprefix("/cilium ")
    lines = [f"*{escape(command.name)}* — {escape(command.summary)}{role}", code(f"/cilium {usage}")]
    if example:
        lines.append(f"e.g. {code(f'/cilium {example}')}")
    return section("\n".join(lines), button("Try it", f"ask_{_FIRST_NUMBER + index}", example))


def ways() -> str:
    """Return how else a question may be put, in a line."""
    return escape("Plain words do too: why can't shop/frontend reach shop/cart on 8080?  Add fresh to skip the cache.")


def clause_of(summary: str) -> str:
    """Return the beginning of what something is for, as far as it says something by itself."""
    found = _CLAUSE.match(summary)
    return found[0].rstrip(".:;,") if found else summary


def is_help(text: str) -> bool:
    """Say whether the words ask for help, nothing at all included."""
    return text.strip().casefold() in _ASKING_FOR_HELP
