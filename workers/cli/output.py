"""The forms of an answer on standard output. Each renderer is loaded only when it is asked for."""

import os
import shutil
from dataclasses import dataclass
from typing import TextIO

from workers.cli.json_text import json_text
from workers.runner import Ran


@dataclass(frozen=True, slots=True)
class Screen:
    """What shows the answer: how many columns it has, 0 for a file or a pipe, and whether it has colours."""

    width: int = 0
    colours: bool = False


def screen_of(stream: TextIO) -> Screen:
    """Return what a stream shows; ``NO_COLOR`` (https://no-color.org) and a dumb terminal go without colours."""
    if not stream.isatty():
        return Screen()
    colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(shutil.get_terminal_size().columns, colours)


def printed(ran: Ran, form: str, screen: Screen) -> str:
    """Return the report as ``text``, ``json``, ``markdown`` or ``slack`` (the message's JSON), ended by a newline."""
    match form:
        case "json":
            from workers.report_json import report_json

            return json_text(report_json(ran.report, ran.cached_at))
        case "markdown":
            from bot.render.text import markdown

            return markdown(ran.report)
        case "slack":
            from bot.render.report import report_message

            message = report_message(ran.report)
            return json_text({"text": message.text, "blocks": message.blocks})
        case _:
            from bot.render.text import plain

            return plain(ran.report, colour=screen.colours, width=screen.width) + "\n"
