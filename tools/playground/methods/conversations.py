"""``conversations.*``: channels and what was said in them."""

from __future__ import annotations

from tools.playground import payloads
from tools.playground.rate import Tier
from tools.playground.scopes import FAMILIES
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import BOT_USER_ID, Change, ChangeKind, Channel, ChannelKind, Json, Message

TYPE_NAMES = {
    ChannelKind.PUBLIC: "public_channel",
    ChannelKind.PRIVATE: "private_channel",
    ChannelKind.DIRECT: "im",
}


@method("conversations.info", Tier.THREE)
def conversations_info(call: Call) -> Json:
    """Describe a channel."""
    channel = _known(call, "read")
    members = {"num_members": len(channel.members)} if call.flag("include_num_members") else {}
    return {"channel": channel.to_slack() | members}


@method("conversations.list", Tier.TWO)
def conversations_list(call: Call) -> Json:
    """List the channels of the asked types."""
    return list_channels(call, only_of=None)


def list_channels(call: Call, *, only_of: str | None) -> Json:
    """List channels, or only those of one member."""
    types = {item.strip() for item in call.text("types", "public_channel").split(",")}
    if not types <= {*TYPE_NAMES.values(), "mpim"}:
        raise SlackError("invalid_types")
    for kind, name in TYPE_NAMES.items():
        if name in types:
            call.need(f"{FAMILIES[kind]}:read")
    found = [
        channel.to_slack()
        for channel in call.stand_in.workspace.channels.values()
        if TYPE_NAMES[channel.kind] in types
        and (only_of is None or only_of in channel.members)
        and (channel.kind is ChannelKind.PUBLIC or BOT_USER_ID in channel.members)
    ]
    return paged(call, "channels", found, default=100)


def paged(call: Call, name: str, items: list[Json], *, default: int) -> Json:
    """Return one page of ``items`` and the cursor of the next (Slack document "Pagination")."""
    limit = call.number("limit", default, least=1, most=1000)
    cursor = call.text("cursor")
    start = 0
    if cursor:
        if not cursor.removeprefix("next:").isdigit():
            raise SlackError("invalid_cursor")
        start = int(cursor.removeprefix("next:"))
    end = start + limit
    return {
        name: items[start:end],
        "response_metadata": {"next_cursor": f"next:{end}" if end < len(items) else ""},
    }


def _known(call: Call, use: str) -> Channel:
    """Return the channel that is asked about; a private one that the app is not in does not exist for it."""
    channel = call.channel()
    call.need(f"{FAMILIES[channel.kind]}:{use}")
    if channel.kind is not ChannelKind.PUBLIC and not call.stand_in.app_sees(channel.id):
        raise SlackError("channel_not_found")
    return channel


def _joined(call: Call, use: str) -> Channel:
    channel = _known(call, use)
    if not call.stand_in.app_sees(channel.id):
        raise SlackError("not_in_channel")
    return channel


@method("conversations.history", Tier.THREE)
def conversations_history(call: Call) -> Json:
    """Return a channel's messages, newest first."""
    channel = _joined(call, "history")
    messages = call.stand_in.workspace.history(channel.id)
    shown = [message.to_slack() for message in reversed(_between(call, messages))]
    page = paged(call, "messages", shown, default=100)
    return page | {"has_more": bool(page["response_metadata"]["next_cursor"]), "pin_count": 0}


@method("conversations.replies", Tier.THREE)
def conversations_replies(call: Call) -> Json:
    """Return a thread, oldest first."""
    channel = _joined(call, "history")
    root = call.message(channel, "ts", "thread_not_found")
    messages = call.stand_in.workspace.thread(channel.id, root.thread_ts or root.ts)
    page = paged(call, "messages", [message.to_slack() for message in _between(call, messages)], default=1000)
    return page | {"has_more": bool(page["response_metadata"]["next_cursor"])}


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest", "0"), call.optional("latest")
    inclusive = call.flag("inclusive")
    try:
        low, high = float(oldest), float(latest) if latest else float("inf")
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None
    return [
        message
        for message in messages
        if low < float(message.ts) < high or (inclusive and float(message.ts) in (low, high))
    ]


@method("conversations.join", Tier.THREE, scope="channels:join")
def conversations_join(call: Call) -> Json:
    """Make the app a member of a public channel."""
    channel = call.channel()
    if channel.kind is not ChannelKind.PUBLIC:
        raise SlackError("method_not_supported_for_channel_type")
    workspace = call.stand_in.workspace
    if BOT_USER_ID in channel.members:
        return {"channel": channel.to_slack(), "warning": "already_in_channel"}
    channel.members.add(BOT_USER_ID)
    workspace.announce(Change(kind=ChangeKind.CHANNEL, channel=channel.id))
    event_ts = workspace.next_ts()
    call.stand_in.emit(payloads.member_joined_event(BOT_USER_ID, channel, BOT_USER_ID, event_ts=event_ts))
    return {"channel": channel.to_slack()}


@method("conversations.members", Tier.FOUR)
def conversations_members(call: Call) -> Json:
    """List the members of a channel."""
    members: list[Json] = [{"id": member} for member in sorted(_known(call, "read").members)]
    page = paged(call, "members", members, default=100)
    return page | {"members": [member["id"] for member in page["members"]]}


@method("conversations.open", Tier.THREE, scope="im:write")
def conversations_open(call: Call) -> Json:
    """Return the direct message with a user."""
    if call.optional("channel"):
        return {"channel": call.channel().to_slack()}
    users = [item for item in call.text("users").split(",") if item]
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("not_enough_users")
    found = call.stand_in.workspace.direct_channel(users[0])
    if found is None:
        raise SlackError("user_not_found")
    return {"channel": {"id": found.id} if not call.flag("return_im") else found.to_slack(), "already_open": True}
