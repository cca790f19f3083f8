"""App Home: what was answered, how the cluster is, what is subscribed to and set, and what can be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.render.blocks import (
    Block,
    actions,
    bullets,
    button,
    clip,
    code,
    context,
    divider,
    escape,
    header,
    message,
    section,
)
from bot.render.help import Declared, clause_of, ways
from bot.render.report import verdict
from handlers.commands.command import Role
from handlers.model.report import Report

MOST_ANSWERS = 5
MOST_LINES = 8
_FIRST_NUMBER = 400
"""Numbers of these buttons start above those of channels."""
_ANSWER = 300
_LINES = 1_000
_PAGE = 2_400
_NOT_READ = "❓ It could not be read: Redis does not answer."


@dataclass(frozen=True, slots=True)
class Recent:
    """An answer, when and where it was given, and the address of its message where Slack told one."""

    report: Report
    report_id: str
    channel: str
    at: datetime
    link: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page: its title, its lines, and what stands there where there are none."""

    title: str
    lines: Sequence[str]
    """In Slack's markup, escaped by who made them."""
    none: str
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """Everything on the page of one person. ``answers`` and ``health`` are None where they could not be read."""

    answers: Sequence[Recent] | None
    health: Sequence[Recent] | None = ()
    """The newest answer about the health of the cluster, whoever asked."""
    parts: Sequence[Part] = ()
    objection: str = ""
    """Why this person may not ask, empty where they may."""
    drawn_at: datetime | None = None


def home_view(home: Home, commands: Mapping[str, Declared], orders: Sequence[Declared], ask: str) -> dict[str, Any]:
    """Return the App Home tab (https://docs.slack.dev/surfaces/app-home). ``ask`` opens the form of a question."""
    blocks = [header("Why can't A reach B?")]
    if home.objection:
        blocks.append(section(f"🚫 {escape(home.objection)}"))
    else:
        row = [
            button("Ask …", ask, ask, primary=True),
            button("Health", f"ask_{_FIRST_NUMBER}", "health"),
            button("Drops", f"ask_{_FIRST_NUMBER + 1}", "drops"),
        ]
        blocks += [section("I read the cluster and change nothing."), *actions(row), divider()]
        blocks += [*_health(home), *_answers(home), divider()]
        for part in home.parts:
            blocks += _part(part)
    blocks += [*([divider()] if home.parts else []), *_asked([*commands.values(), *orders]), context(ways())]
    if home.drawn_at is not None:
        blocks.append(context(f"As of {_date(home.drawn_at)}; drawn again when it is opened."))
    return {"type": "home", "blocks": list(message(blocks, "").blocks)}


def _health(home: Home) -> list[Block]:
    if home.health is None:
        return [section(f"*Health at a glance*\n{_NOT_READ}")]
    if not home.health:
        return [section("*Health at a glance*\nNothing to show of the last day: ask for it.")]
    newest = home.health[0]
    return [section(f"*Health at a glance*\n{clip(verdict(newest.report), _ANSWER)}"), _where(newest)]


def _answers(home: Home) -> list[Block]:
    if home.answers is None:
        return [section(f"*Your answers*\n{_NOT_READ}")]
    if not home.answers:
        return [section("*Your answers*\nNone within the day.")]
    blocks = [section("*Your answers*")]
    for index, one in enumerate(home.answers[:MOST_ANSWERS]):
        again = button("Ask again", f"ask_{_FIRST_NUMBER + 2 + index}", one.report.asking(one.report.question))
        words = f"{code(one.report.title)}\n{clip(verdict(one.report), _ANSWER)}"
        blocks += [section(words, again), _where(one)]
    return blocks


def _where(one: Recent) -> Block:
    place = f"<#{one.channel}>" if one.channel[:1] in ("C", "G") else "in a direct message"
    return context(f"{_date(one.at, one.link)} · {place}")


def _part(part: Part) -> list[Block]:
    title = f"*{escape(part.title)}*"
    if part.is_unread:
        return [section(f"{title}\n{_NOT_READ}")]
    listed = bullets(part.lines, most=MOST_LINES, limit=_LINES, rest="the command lists them all")
    return [section(f"{title}\n{listed or part.none}")]


def _asked(declared: Sequence[Declared]) -> list[Block]:
    lines = [_line(one) for one in declared]
    blocks, page = [section(f"*What I can be asked*\n{code('/cilium help')} shows each with an example.")], ""
    for line in lines:
        if len(page) + len(line) > _PAGE:
            blocks.append(section(page.rstrip()))
            page = ""
        page += f"{line}\n"
    return [*blocks, section(page.rstrip())] if page else blocks


def _line(one: Declared) -> str:
    role = "" if one.role is Role.VIEWER else f" _({one.role}s only)_"
    return f"• {code(one.name)} {escape(clause_of(one.summary))}{role}"


def _date(at: datetime, link: str = "") -> str:
    # Slack shows it in the reader's own time zone: https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    target = f"^{link}" if link.startswith("https://") and not set(link) & set("<>|^ ") else ""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}{target}|{at:%Y-%m-%d %H:%M} UTC>"
