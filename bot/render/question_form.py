"""The form of a question: command, ends, port; and the words that come of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.render.blocks import Block
from bot.render.help import clause_of
from bot.render.inputs import form, line, menu, option, options, suggesting
from handlers.commands.command import Command
from handlers.names.listed import ListedName

FORM = "question"
"""The form's callback id."""
COMMAND, FROM, TO, PORT, MORE = "command", "from", "to", "port", "more"
"""Ids of its blocks, and of the elements in them."""
ENDS = (FROM, TO)
MOST_SUGGESTED = 20
_USUAL = "why"


def question_form(commands: Mapping[str, Command], *, metadata: str) -> dict[str, Any]:
    """Return the form; ``metadata`` comes back with it."""
    choices = options(
        option(one.name, f"{one.name} · {clause_of(one.summary)}") for one in commands.values() if not one.attach
    )
    return form(
        FORM,
        "Ask about the cluster",
        "Ask",
        (
            menu(COMMAND, "Question", choices, _USUAL),
            suggesting(FROM, "From, or what it is about", "shop/frontend", hint="Names come as you type."),
            suggesting(TO, "To", "shop/cart, an address or a host name"),
            line(PORT, "Port", "8080, 53/udp"),
            line(MORE, "More", "since 1h, fresh"),
        ),
        metadata=metadata,
    )


def words_of(values: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a form that was sent asks, as it would be typed."""
    filled = (_filled(values.get(block, {}).get(block)) for block in (COMMAND, FROM, TO, PORT, MORE))
    return " ".join(words for words in filled if words)


def blamed(values: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the block under which a problem is shown: the first end that is empty, else the command."""
    return next((end for end in ENDS if not _filled(values.get(end, {}).get(end))), COMMAND)


def suggestions(typed: str, names: Iterable[ListedName]) -> list[Block]:
    """Return the choices for what was typed: the words as they stand, then the names that fit."""
    words = typed.strip()
    as_typed = option(words, f"“{words}” as typed")
    return options([as_typed, *(option(name.text, description=str(name.kind)) for name in names if name.text != words)])


def _filled(element: Any) -> str:
    if not isinstance(element, Mapping):
        return ""
    chosen = element.get("selected_option")
    found = chosen.get("value") if isinstance(chosen, Mapping) else element.get("value")
    return " ".join(str(found or "").split())
