"""``channel``: what the bot does in a channel by itself, what is set of it and who said so."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from bot.channel_rules import INCIDENT, QUIET, READERS, VERBOSITY, RuleError, Verbosity, checked, checked_target, is_id
from bot.channels import ChannelsFullError
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.blocks import Message
from bot.render.channel import channel_message, everything_message, exported_message, not_kept_message
from bot.where import Via, Where
from handlers.commands.command import NotUnderstoodError
from handlers.model.attachment import Attachment

T = TypeVar("T")

NAME = "channel"
USAGE = (
    "channel [#NAME|inc-*] [show | incident on|off | verbose|normal|quiet | quiet hours 22:00-07:00 Europe/Berlin"
    " | cluster NAME | audience group=NAME | alerts severity=critical | reset | export | import]"
)


class Do(StrEnum):
    """What can be done with the settings of channels."""

    SHOW = "show"
    SET = "set"
    RESET = "reset"
    EXPORT = "export"
    IMPORT = "import"


_LINKED = re.compile(r"<#([A-Z0-9]+)(?:\|[^>]*)?>")
_BY_FIRST_WORD = {name.partition(" ")[0]: name for name in READERS}
_ACTIONS = {Do.SHOW, Do.RESET, Do.EXPORT, Do.IMPORT, *Verbosity, *_BY_FIRST_WORD}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done, to the channel in which it is said where ``target`` is empty.

    ``settings`` are kept: each is a target, empty for that channel, a setting and its words.
    """

    do: Do
    target: str = ""
    settings: tuple[tuple[str, str, str], ...] = ()


def parse(words: str) -> Wanted:
    """Read a channel or a pattern of names, where one is named, and what is to be done.

    Raises:
        NotUnderstoodError: if that cannot be done.
    """
    first, _, rest = words.strip().partition(" ")
    if linked := _LINKED.fullmatch(first):
        return replace(_action(rest), target=linked[1])
    if not first or first.casefold() in _ACTIONS:
        return _action(words)
    if not rest and not re.search(r"[#*?]", first) and not is_id(first):
        raise NotUnderstoodError(
            f"channel does not know what {first[:80]!r} is; a channel is written #{first[:80]}.", USAGE
        )
    return replace(_action(rest), target=_read(lambda: checked_target(first)))


def _action(words: str) -> Wanted:
    first, _, rest = words.strip().partition(" ")
    action, rest = first.casefold() or Do.SHOW, rest.strip()
    if action in (Do.SHOW, Do.RESET, Do.EXPORT, Do.IMPORT):
        if rest:
            raise NotUnderstoodError(f"channel {action} takes no words after it.", USAGE)
        return Wanted(Do(action))
    setting = _BY_FIRST_WORD.get(action)
    if setting == QUIET and rest:
        rest = rest.removeprefix("hours").strip()
    elif action in set(Verbosity) and not rest:
        setting, rest = VERBOSITY, action
    if setting is None:
        raise NotUnderstoodError(f"channel does not know what {first[:80]!r} is.", USAGE)
    return Wanted(Do.SET, settings=(("", setting, _read(lambda: checked(setting, rest))),))


def attach(wanted: Wanted, attached: Sequence[Attachment]) -> Wanted:
    """Read what is to be imported out of the JSON that came with it: a code block, or a file.

    Raises:
        NotUnderstoodError: if nothing came, or nothing that can be set.
    """
    if wanted.do is not Do.IMPORT:
        return wanted
    if len(attached) != 1:
        raise NotUnderstoodError("channel import takes one code block or file, as channel export gives it.", USAGE)
    try:
        document = json.loads(attached[0].content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not all(isinstance(said, dict) for said in document.values()):
        raise NotUnderstoodError('That is no JSON such as {"inc-*": {"incident": "on"}}.', USAGE)
    return replace(wanted, settings=tuple(_read(lambda: list(_settings_in(document)))))


def _settings_in(document: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, str, str]]:
    for target, said in document.items():
        for setting, words in said.items():
            yield checked_target(target), setting, checked(setting, str(words))


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except RuleError as error:
        raise NotUnderstoodError(str(error), USAGE) from error


def carry_out(desk: Desk, where: Where, wanted: Wanted) -> Message | None:
    """Do it, and tell what holds now."""
    target = wanted.target or (where.channel if is_id(where.channel) else "")
    try:
        if wanted.do is Do.IMPORT:
            desk.channels.set(wanted.settings, by=where.user)
            desk.membership.greet_incidents(where.team)
        if wanted.do in (Do.IMPORT, Do.EXPORT):
            return _export(desk, where)
        if not target and wanted.do is Do.SHOW:
            return everything_message(desk.channels.everything())
        if not target:
            return not_kept_message("Here is no channel: name one, such as #incidents or inc-*.")
        if wanted.do is Do.RESET:
            desk.channels.reset(target)
        desk.channels.set([(target, setting, words) for _, setting, words in wanted.settings], by=where.user)
    except (RuleError, ChannelsFullError) as error:
        return not_kept_message(str(error))
    if any(setting == INCIDENT for _, setting, _ in wanted.settings):
        desk.membership.greet_incidents(where.team)
    return _shown(desk, where, target)


def _shown(desk: Desk, where: Where, target: str) -> Message:
    is_private = where.via in (Via.COMMAND, Via.BUTTON)
    if is_id(target):
        unread = desk.channels.rules(target).unread
        return channel_message(target, desk.channels.said_of(target), unread=unread, is_private=is_private)
    said = [one for one in desk.channels.everything() if one.target == target]
    return channel_message(target, said, is_private=is_private)


def _export(desk: Desk, where: Where) -> Message:
    document: dict[str, dict[str, str]] = {}
    for one in desk.channels.everything():
        if one.words:
            document.setdefault(one.target, {})[one.setting] = one.words
    text = json.dumps(document, indent=2, ensure_ascii=False)
    shown = exported_message(text, count=sum(map(len, document.values())))
    if not shown.is_whole:
        desk.intake.publisher.attach(where, name="channels.json", content=text, title="Settings of channels")
    return shown.message


ORDER = Order(
    NAME,
    USAGE,
    "What I do in this channel by myself, and what is set of it.",
    ("channel", "channel inc-* incident on", "channel quiet hours 22:00-07:00 Europe/Berlin"),
    parse,
    carry_out,
    attach=attach,
)
