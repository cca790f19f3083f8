"""Help and App Home, made from the table of commands."""

from collections.abc import Mapping
from typing import Any

from bot.render.blocks import Block, Message, button, code, context, divider, escape, header, message, section
from handlers.commands.command import Command, Role

_FIRST_NUMBER = 200
"""Numbers of these buttons start above those of candidates."""
_ASKING_FOR_HELP = {"", "help", "?", "--help", "-h"}


def help_message(commands: Mapping[str, Command]) -> Message:
    """Return every subcommand: what it answers, how to ask, and an example as a button."""
    blocks = [section("*Ask me what Cilium does to your traffic.*"), *_entries(commands), context(_ways())]
    lines = [f"/cilium {command.usage} — {command.summary}" for command in commands.values()]
    return message(blocks, "\n".join(["Ask me what Cilium does to your traffic.", *lines, "/cilium help — this list"]))


def home_view(commands: Mapping[str, Command]) -> dict[str, Any]:
    """Return the App Home tab (https://docs.slack.dev/surfaces/app-home)."""
    introduction = section(
        "Type the command in any channel I am in, mention me, or write to me here. "
        "I read the cluster and change nothing."
    )
    blocks = [header("Why can't A reach B?"), introduction, divider(), *_entries(commands), context(_ways())]
    return {"type": "home", "blocks": list(message(blocks, "").blocks)}


def _entries(commands: Mapping[str, Command]) -> list[Block]:
    return [_entry(command, index) for index, command in enumerate(commands.values())]


def _entry(command: Command, index: int) -> Block:
    usage = command.usage.removeprefix("/cilium ")
    role = "" if command.role is Role.VIEWER else f" _({command.role}s only)_"
    example = next(iter(command.examples), "").removeprefix("/cilium ")
    lines = [f"*{escape(command.name)}* — {escape(command.summary)}{role}", code(f"/cilium {usage}")]
    if example:
        lines.append(f"e.g. {code(f'/cilium {example}')}")
    return section("\n".join(lines), button("Try it", f"ask_{_FIRST_NUMBER + index}", example))


def _ways() -> str:
    return escape(
        "Plain words do too: why can't shop/frontend reach shop/cart on 8080?  Add fresh to skip the cache."
        "  Say report in a thread for its answers as a file."
    )


def is_help(text: str) -> bool:
    """Say whether the words ask for help, nothing at all included."""
    return text.strip().casefold() in _ASKING_FOR_HELP
