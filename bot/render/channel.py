"""What is set of channels, in a message: each setting with who said it of what, and what holds by default."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.channel_rules import DEFAULTS, INCIDENT, VERBOSITY, Said, Verbosity, is_id
from bot.render.blocks import Message, actions, bullets, button, code, code_pages, context, escape, message, section

_MOST_SHOWN = 40
_FIRST_NUMBER = 300
"""Numbers of these buttons start above those of help."""
_SAYS = {
    INCIDENT: "incident channel",
    VERBOSITY: "verbosity",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """The settings as JSON in a message; ``is_whole`` where all of them fit."""

    message: Message
    is_whole: bool


def channel_message(target: str, said: Sequence[Said], *, unread: str = "", is_private: bool = False) -> Message:
    """Return every setting of a channel or a pattern: what holds and where it comes from.

    Mentions of people are made only where a message ``is_private``: there they call nobody.
    """
    by_setting = {one.setting: one for one in said}
    lines = [
        _line(setting, by_setting.get(setting), default, target, is_private=is_private)
        for setting, default in DEFAULTS.items()
        if is_id(target) or setting in by_setting
    ]
    name = _named(target)
    head = f"*{name}*" + ("" if lines else ": nothing is set")
    warning = [context(f"⚠️ I could not read {escape(unread)}: what it may allow is off.")] if unread else []
    makes_more = not is_id(target) and INCIDENT in by_setting and by_setting[INCIDENT].words == "on"
    joins = [context("I join public channels of such names when they are made; invite me into those that are there.")]
    row = actions(_buttons(target, by_setting))
    blocks = [section("\n".join([head, *lines])), *warning, *(joins if makes_more else []), *row]
    return message(blocks, _plain(target, said))


def _line(setting: str, one: Said | None, default: str, target: str, *, is_private: bool) -> str:
    name = escape(_SAYS.get(setting, setting))
    if one is None:
        return f"• {name}: {escape(default)} _by default_"
    words = code(one.words) if one.words else "cannot be read; `reset` it"
    return f"• {name}: {words} _{_origin(one, target, is_private=is_private)}_"


def _origin(one: Said, target: str, *, is_private: bool) -> str:
    of = "" if one.target == target else f"of {_named(one.target)}, "
    if not one.by:
        return f"{of}from the environment" if one.words else of.rstrip(", ") or "here"
    who = f"<@{escape(one.by)}>" if is_private else code(one.by)
    return f"{of}by {who} {_when(one.at)}"


def _when(at: str) -> str:
    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return ""


def _named(target: str) -> str:
    return f"<#{target}>" if is_id(target) else code(target)


def _buttons(target: str, said: dict[str, Said]) -> list[dict[str, object] | None]:
    is_on = INCIDENT in said and said[INCIDENT].words == "on"
    told = said[VERBOSITY].words if VERBOSITY in said else Verbosity.NORMAL
    orders = [("Incident channel: " + ("off" if is_on else "on"), "incident " + ("off" if is_on else "on"))]
    orders += [(level.capitalize(), str(level)) for level in Verbosity if level != told]
    return [
        button(label, f"ask_{_FIRST_NUMBER + index}", f"channel {target} {order}")
        for index, (label, order) in enumerate(orders)
    ]


def _plain(target: str, said: Sequence[Said]) -> str:
    told = ", ".join(f"{one.setting} {one.words or 'cannot be read'}" for one in said) or "nothing is set"
    return f"Channel {target}: {told}"


def everything_message(said: Sequence[Said]) -> Message:
    """Return all channels and patterns of which something is set."""
    listed = bullets(settings_lines(said), most=_MOST_SHOWN, limit=2_800, rest="channel export has all of them")
    plain = "; ".join(f"{target}: {', '.join(settings)}" for target, settings in _by_target(said).items())
    empty = f"Nothing is set of any channel. {code('/cilium channel inc-* incident on')} makes incident channels."
    return message([section(listed or empty)], plain or "Nothing is set of any channel.")


def settings_lines(said: Sequence[Said]) -> tuple[str, ...]:
    """Return a line for each channel and pattern, with what is set of it."""
    return tuple(f"{_named(target)}: {escape(', '.join(settings))}" for target, settings in _by_target(said).items())


def _by_target(said: Sequence[Said]) -> dict[str, list[str]]:
    of: dict[str, list[str]] = {}
    for one in said:
        of.setdefault(one.target, []).append(f"{one.setting} {one.words or 'cannot be read'}")
    return of


def exported_message(document: str, *, count: int) -> Exported:
    """Return the settings as one JSON document."""
    pages = code_pages(document)
    told = f"{count} setting{'s' * (count != 1)} of channels"
    how = f"As {code('CILIUM_TRIAGE_CHANNELS')} it holds from the start; in a code block after {code('channel import')}"
    blocks = [section(f"{told}:"), *pages.blocks, context(f"{how} it is set again.")]
    return Exported(message(blocks, f"{told} as JSON"), pages.whole)


def not_kept_message(problem: str) -> Message:
    """Return why nothing was set."""
    return message([section(f"❓ {escape(problem)}")], problem)
