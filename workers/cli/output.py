"""The forms of an answer on standard output. Each renderer is loaded only when it is asked for."""

import json

from workers.runner import Ran


def printed(ran: Ran, form: str, *, colours: bool) -> str:
    """Return the report as ``text``, ``json``, ``markdown`` or ``slack`` (the message's JSON), ended by a newline."""
    match form:
        case "json":
            from workers.report_json import report_json

            return json.dumps(report_json(ran.report, ran.cached_at), indent=2, ensure_ascii=False) + "\n"
        case "markdown":
            from bot.render.text import markdown

            return markdown(ran.report)
        case "slack":
            from bot.render.report import report_message

            message = report_message(ran.report)
            return json.dumps({"text": message.text, "blocks": message.blocks}, indent=2, ensure_ascii=False) + "\n"
        case _:
            from bot.render.text import plain

            return plain(ran.report, colour=colours) + "\n"
