"""What a person does in Slack: type, run a command, click, submit a modal, react, invite, open the Home tab."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from tools.playground import membership, payloads, typed_text
from tools.playground.delivery import Failure, Kind, Receipt
from tools.playground.impossible import NotPossible
from tools.playground.limits import ACTION_ELEMENTS, MAX_TEXT, option_violations
from tools.playground.methods import views
from tools.playground.methods.reactions import react as toggle_reaction
from tools.playground.response_targets import Refused
from tools.playground.response_url import respond
from tools.playground.settings import SlashCommand
from tools.playground.stand_in import StandIn
from tools.playground.web_api import SlackError
from tools.playground.workspace import (
    BOT_USER_ID,
    SLACKBOT_ID,
    Change,
    ChangeKind,
    Channel,
    ChannelKind,
    Json,
    Message,
    User,
    View,
)


def find_user(stand_in: StandIn, reference: str) -> User:
    """Return a human user by id or name."""
    found = stand_in.workspace.user(reference)
    if found is None or found.is_bot:
        raise NotPossible(f"no such user: {reference[:80]}")
    return found


def find_channel(stand_in: StandIn, reference: str, user: User) -> Channel:
    """Return a channel by id or name; ``@cilium`` is the user's direct message with the app."""
    if reference in ("@cilium", "dm"):
        reference = user.id
    found = stand_in.workspace.channel(reference)
    if found is None or (found.kind is not ChannelKind.PUBLIC and user.id not in found.members):
        raise NotPossible(f"no such channel: {reference[:80]}")
    return found


def find_message(stand_in: StandIn, channel: Channel, ts: str, user: User) -> Message:
    """Return a message that the user can see."""
    found = stand_in.workspace.find_message(channel.id, ts)
    if found is None or found.only_for not in (None, user.id):
        raise NotPossible("no such message")
    return found


# -- typing ---------------------------------------------------------------------------------------------------------


def say(
    stand_in: StandIn,
    user: User,
    channel: Channel,
    typed: str,
    *,
    thread_ts: str | None = None,
    smart_quotes: bool = False,
    files: Sequence[Json] = (),
) -> Message:
    """Post what the user typed, as Slack writes it, with file objects beside it, and send the events."""
    typed = typed.strip()[:MAX_TEXT]
    if not typed and not files:
        raise NotPossible("nothing was typed")
    if smart_quotes:
        typed = typed_text.curl_quotes(typed)
    workspace = stand_in.workspace
    found = typed_text.pieces(typed, workspace.users.values(), workspace.channels.values())
    if thread_ts is not None:
        parent = find_message(stand_in, channel, thread_ts, user)
        thread_ts = parent.thread_ts or parent.ts
    message = stand_in.publish(
        Message(
            channel=channel.id,
            ts=workspace.next_ts(),
            user=user.id,
            text=typed_text.as_message_text(found),
            blocks=[typed_text.as_rich_text(found, uuid.uuid4().hex[:5])],
            thread_ts=thread_ts,
            client_msg_id=str(uuid.uuid4()),
            subtype="file_share" if files else None,
            files=list(files),
        )
    )
    for file in files:
        if stand_in.app_sees(channel.id):
            event_ts = workspace.next_ts()
            stand_in.emit(payloads.file_shared_event(str(file["id"]), user.id, channel.id, event_ts=event_ts))
    named = any(piece.kind is typed_text.PieceKind.USER and piece.target == BOT_USER_ID for piece in found)
    if named and channel.kind is not ChannelKind.DIRECT:
        if stand_in.app_sees(channel.id):
            stand_in.emit(payloads.mention_event(message, channel))
        else:
            hint = (
                f"You mentioned <@{BOT_USER_ID}>, but they're not in this channel. Type `/invite @cilium` to add them."
            )
            slackbot(stand_in, channel, user, hint, thread_ts)
    return message


def slackbot(stand_in: StandIn, channel: Channel, user: User, text: str, thread_ts: str | None = None) -> Message:
    """Let Slackbot tell one person something."""
    return stand_in.workspace.post(
        Message(
            channel=channel.id,
            ts=stand_in.workspace.next_ts(),
            user=SLACKBOT_ID,
            text=text,
            thread_ts=thread_ts,
            only_for=user.id,
        )
    )


async def compose(
    stand_in: StandIn,
    user: User,
    channel: Channel,
    typed: str,
    *,
    thread_ts: str | None = None,
    smart_quotes: bool = False,
) -> None:
    """Do what pressing Enter does: run a slash command, or post a message."""
    typed = typed.strip()
    word, _, rest = typed.partition(" ")
    if not word.startswith("/") or "/" in word[1:]:
        say(stand_in, user, channel, typed, thread_ts=thread_ts, smart_quotes=smart_quotes)
    elif word in ("/invite", "/remove"):
        change = membership.invite if word == "/invite" else membership.remove
        for name in membership.unknown(stand_in, channel, user, rest.split(), change):
            slackbot(stand_in, channel, user, f"There is nobody called {typed_text.escape(name[:80])} here.")
    elif word == "/rename":
        if not membership.rename(stand_in, channel, rest):
            slackbot(stand_in, channel, user, "A channel needs a name of lower-case letters, digits and hyphens.")
    elif thread_ts is not None:
        slackbot(stand_in, channel, user, f"`{word}` is not supported in threads. Sorry!", thread_ts)
    else:
        rest = typed_text.curl_quotes(rest) if smart_quotes else rest
        await command(stand_in, user, channel, word, rest)


async def command(stand_in: StandIn, user: User, channel: Channel, name: str, typed: str) -> Receipt:
    """Run a slash command; when the app does not acknowledge it, Slackbot says so."""
    known = {item.command: item for item in stand_in.settings.commands}
    declared: SlashCommand | None = known.get(name)
    if declared is None:
        names = ", ".join(f"`{item}`" for item in known)
        shown = typed_text.escape(name[:80])
        slackbot(stand_in, channel, user, f"`{shown}` is not a valid command. This workspace knows {names}.")
        return Receipt(acknowledged=False, failure=Failure.NOBODY, reason="unknown command")
    workspace = stand_in.workspace
    found = typed_text.pieces(typed.strip()[:MAX_TEXT], workspace.users.values(), workspace.channels.values())
    text = typed_text.as_command_text(typed.strip()[:MAX_TEXT], found, should_escape=declared.should_escape)
    target = stand_in.response_target(channel.id, user.id)
    payload = payloads.slash_command(
        name,
        text,
        user,
        channel,
        trigger_id=stand_in.new_trigger(user.id),
        response_url=stand_in.response_url(target),
        verification_token=stand_in.settings.verification_token,
    )
    receipt = await stand_in.delivery.send(Kind.COMMAND, payload)
    if not receipt.acknowledged:
        slackbot(stand_in, channel, user, f'{name} failed with the error "{receipt.failure.value}"')
    elif receipt.payload and (receipt.payload.get("text") or receipt.payload.get("blocks")):
        try:
            respond(stand_in, target, receipt.payload)
        except Refused as refused:
            slackbot(stand_in, channel, user, f'{name} failed with the error "{refused.error}"')
    return receipt


# -- clicking -------------------------------------------------------------------------------------------------------


def elements(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """Yield each element that can be acted on, with the id of its block."""
    for block in blocks:
        block_id = str(block.get("block_id", ""))
        candidates = [block.get("accessory"), block.get("element"), *_list(block.get("elements"))]
        for candidate in candidates:
            if isinstance(candidate, dict) and candidate.get("type") in ACTION_ELEMENTS:
                yield block_id, candidate


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def all_blocks(message: Message) -> list[Json]:
    """Return the blocks of a message, those of its attachments included."""
    nested = [block for attachment in message.attachments for block in _list(attachment.get("blocks"))]
    return [*message.blocks, *nested]


async def act(
    stand_in: StandIn,
    user: User,
    message: Message,
    action_id: str,
    *,
    block_id: str | None = None,
    chosen: str | None = None,
    state: Json | None = None,
) -> Receipt:
    """Click a button or choose from a menu of a message; ``chosen`` is the value of the option taken."""
    block, element = _element(all_blocks(message), action_id, block_id)
    channel = stand_in.workspace.channels[message.channel]
    target = stand_in.response_target(channel.id, user.id, message)
    place = payloads.message_place(message, channel, state or {"values": {}}, stand_in.response_url(target))
    receipt = await _interact(stand_in, user, block, element, _choice(element, chosen), place)
    if not receipt.acknowledged:
        words = "This app is not responding right now: it did not acknowledge the click"
        slackbot(stand_in, channel, user, f"{words} ({receipt.failure.value}).", message.thread_ts)
    return receipt


async def act_in_view(
    stand_in: StandIn,
    user: User,
    view: View,
    action_id: str,
    *,
    block_id: str | None = None,
    chosen: str | None = None,
) -> Receipt:
    """Click a button or choose from a menu of a modal or Home tab."""
    block, element = _element(view.definition["blocks"], action_id, block_id)
    return await _interact(stand_in, user, block, element, _choice(element, chosen), payloads.view_place(view))


async def _interact(stand_in: StandIn, user: User, block_id: str, element: Json, chosen: Json, place: Json) -> Receipt:
    payload = payloads.interaction(
        "block_actions",
        user,
        trigger_id=stand_in.new_trigger(user.id),
        verification_token=stand_in.settings.verification_token,
    )
    action_ts = stand_in.workspace.next_ts()
    payload |= place | {"actions": [payloads.action(element, block_id, chosen, action_ts=action_ts)]}
    return await stand_in.delivery.send(Kind.INTERACTION, payload)


def _element(blocks: list[Json], action_id: str, block_id: str | None) -> tuple[str, Json]:
    for block, element in elements(blocks):
        if element.get("action_id") == action_id and block_id in (None, block):
            return block, element
    raise NotPossible(f"nothing to click has the action_id {action_id[:255]}")


def _choice(element: Json, chosen: str | None, offered: Sequence[Json] = ()) -> Json:
    kind = str(element["type"])
    if kind in ("static_select", "overflow", "radio_buttons"):
        return {"selected_option": _option(element, chosen)}
    if kind == "external_select":
        return {"selected_option": _offered(element, chosen, offered)}
    if kind in ("multi_static_select", "checkboxes"):
        return {"selected_options": [_option(element, value) for value in (chosen or "").split(",") if value]}
    names = {
        "users_select": "selected_user",
        "conversations_select": "selected_conversation",
        "channels_select": "selected_channel",
        "datepicker": "selected_date",
        "timepicker": "selected_time",
    }
    return {names[kind]: chosen} if kind in names else {}


def _offered(element: Json, chosen: str | None, offered: Sequence[Json]) -> Json:
    for option in (*offered, element.get("initial_option")):
        if isinstance(option, dict) and option.get("value") == chosen:
            return {key: option[key] for key in ("text", "value") if key in option}
    raise NotPossible("the app did not suggest that")


def _option(element: Json, chosen: str | None) -> Json:
    groups = [element, *_list(element.get("option_groups"))]
    for option in (item for group in groups for item in _list(group.get("options"))):
        if isinstance(option, dict) and option.get("value") == chosen:
            return {key: option[key] for key in ("text", "value") if key in option}
    raise NotPossible("no such option")


# -- modals and Home ------------------------------------------------------------------------------------------------


def find_view(stand_in: StandIn, user: User, view_id: str) -> View:
    """Return a view of this user."""
    found = stand_in.workspace.views.get(view_id)
    if found is None or found.user != user.id:
        raise NotPossible("no such view")
    return found


async def submit(stand_in: StandIn, user: User, view: View, values: Json) -> Json | None:
    """Submit the modal on top; returns the errors by block id if the app rejects the input."""
    view.state = {"values": _typed_state(view, values)}
    payload = payloads.interaction(
        "view_submission",
        user,
        trigger_id=stand_in.new_trigger(user.id),
        verification_token=stand_in.settings.verification_token,
    )
    receipt = await stand_in.delivery.send(Kind.INTERACTION, payload | payloads.view_submission(view))
    if not receipt.acknowledged:
        return {"": "We had some trouble connecting. Try again?"}
    answer = receipt.payload or {}
    kind = answer.get("response_action")
    if kind == "errors":
        return {str(key): str(value) for key, value in (answer.get("errors") or {}).items()}
    try:
        if kind in ("update", "push"):
            views.check_definition(answer.get("view"), "modal")
    except SlackError:
        return {"": "We had some trouble connecting. Try again?"}
    if kind == "update":
        views.replace(stand_in, view, answer["view"])
    elif kind == "push":
        views.push(stand_in, user.id, answer["view"])
    else:
        _close(stand_in, user, everything=kind == "clear")
    return None


async def close_view(stand_in: StandIn, user: User, view: View, *, everything: bool) -> None:
    """Dismiss the modal on top, or all of them."""
    if view.id not in stand_in.workspace.open_views.get(user.id, []):
        raise NotPossible("that modal is not open")
    _close(stand_in, user, everything=everything)
    if view.definition.get("notify_on_close"):
        payload = payloads.interaction(
            "view_closed",
            user,
            trigger_id=stand_in.new_trigger(user.id),
            verification_token=stand_in.settings.verification_token,
        )
        payload |= payloads.view_closed(view, cleared=everything)
        await stand_in.delivery.send(Kind.INTERACTION, payload)


def _close(stand_in: StandIn, user: User, *, everything: bool) -> None:
    stack = stand_in.workspace.open_views.get(user.id, [])
    if everything:
        stack.clear()
    elif stack:
        stack.pop()
    stand_in.workspace.announce(Change(kind=ChangeKind.VIEWS, user=user.id))


def _typed_state(view: View, values: Json) -> Json:
    state: Json = {}
    for block in view.definition["blocks"]:
        element = block.get("element")
        if block.get("type") != "input" or not isinstance(element, dict):
            continue
        given = values.get(block["block_id"], _initial(element))
        kind = str(element["type"])
        entry: Json = {"type": kind}
        if kind.endswith("_input"):
            entry["value"] = None if given in (None, "") else str(given)[:MAX_TEXT]
        elif given not in (None, ""):
            entry |= _choice(element, str(given), view.offered.get(element["action_id"], ()))
        state[block["block_id"]] = {element["action_id"]: entry}
    return state


def _initial(element: Json) -> Any:
    option = element.get("initial_option")
    return option.get("value") if isinstance(option, dict) else element.get("initial_value")


async def suggestions(stand_in: StandIn, user: User, view: View, action_id: str, typed: str) -> list[Json]:
    """Type into a menu whose options the app suggests; returns them, and keeps them for the choice.

    Nobody is asked before ``min_query_length`` characters (3 where nothing is said); 100 options are shown at most.
    """
    for block in view.definition["blocks"]:
        element = block.get("element") or block.get("accessory")
        if isinstance(element, dict) and element.get("action_id") == action_id:
            break
    else:
        raise NotPossible(f"no menu has the action_id {action_id[:255]}")
    if element["type"] != "external_select" or len(typed) < element.get("min_query_length", 3):
        return []
    payload = payloads.interaction("block_suggestion", user, verification_token=stand_in.settings.verification_token)
    payload |= payloads.view_place(view) | payloads.suggestion(element, str(block["block_id"]), typed[:MAX_TEXT])
    receipt = await stand_in.delivery.send(Kind.INTERACTION, payload)
    answer = receipt.payload or {}
    grouped = [option for group in _list(answer.get("option_groups")) for option in _list(group.get("options"))]
    options = [*_list(answer.get("options")), *grouped]
    if option_violations(options):
        raise NotPossible("Slack would refuse these suggestions")
    view.offered[action_id] = options
    return options


def open_home(stand_in: StandIn, user: User, tab: str) -> None:
    """Open the app's Home or Messages tab."""
    channel = stand_in.workspace.direct_channel(user.id)
    if channel is None:
        raise NotPossible("no conversation with the app")
    home = stand_in.workspace.views.get(stand_in.workspace.homes.get(user.id, ""))
    view = home.to_slack() if home is not None and tab == "home" else None
    event_ts = stand_in.workspace.next_ts()
    stand_in.emit(payloads.home_opened_event(user.id, channel.id, tab, view, event_ts=event_ts))


def react(stand_in: StandIn, user: User, message: Message, name: str) -> None:
    """Add or take back a reaction."""
    name = name.strip(":")
    if not name or len(name) > 100 or not all(letter.isalnum() or letter in "_-+'" for letter in name):
        raise NotPossible("no such emoji")
    toggle_reaction(stand_in, message, name, user.id)
