"""What people do with channels: invite, remove, create, rename; the app hears of it as far as its scopes reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tools.playground import payloads
from tools.playground.stand_in import StandIn
from tools.playground.workspace import (
    PEOPLE,
    Change,
    ChangeKind,
    Channel,
    ChannelKind,
    Message,
    User,
)

MAX_CHANNELS = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")

Act = Callable[[StandIn, Channel, User, User], None]


def unknown(stand_in: StandIn, channel: Channel, by: User, names: Iterable[str], act: Act) -> list[str]:
    """Do it for everybody who is named; returns the names that nobody has."""
    missing = []
    for name in names:
        found = stand_in.workspace.user(name)
        if found is None:
            missing.append(name)
        else:
            act(stand_in, channel, by, found)
    return missing


def invite(stand_in: StandIn, channel: Channel, by: User, who: User) -> None:
    """Add a person, or the app, to a channel."""
    if who.id in channel.members:
        return
    channel.members.add(who.id)
    stand_in.workspace.announce(Change(kind=ChangeKind.CHANNEL, channel=channel.id))
    words, subtype = f"<@{who.id}> has joined the channel", "bot_add" if who.is_bot else "channel_join"
    _note(stand_in, channel, who, words, subtype)
    if stand_in.app_sees(channel.id):
        event_ts = stand_in.workspace.next_ts()
        stand_in.emit(payloads.member_joined_event(who.id, channel, by.id, event_ts=event_ts))


def remove(stand_in: StandIn, channel: Channel, _by: User, who: User) -> None:
    """Remove a person, or the app, from a channel."""
    if who.id not in channel.members:
        return
    heard = stand_in.app_sees(channel.id)
    channel.members.remove(who.id)
    stand_in.workspace.announce(Change(kind=ChangeKind.CHANNEL, channel=channel.id))
    _note(stand_in, channel, who, f"<@{who.id}> was removed from the channel", "channel_leave")
    if heard:
        event_ts = stand_in.workspace.next_ts()
        stand_in.emit(payloads.member_left_event(who.id, channel, event_ts=event_ts))


def create(stand_in: StandIn, by: User, name: str, *, private: bool = False) -> Channel | None:
    """Create a channel with everybody in it but the app; None where it may not have that name."""
    workspace = stand_in.workspace
    if not _is_free(stand_in, name) or len(workspace.channels) >= MAX_CHANNELS:
        return None
    kind = ChannelKind.PRIVATE if private else ChannelKind.PUBLIC
    members = {user.id for user in PEOPLE}
    channel = Channel(id=workspace.next_id("C"), name=name, kind=kind, members=members, created=int(stand_in.clock()))
    workspace.channels[channel.id] = channel
    workspace.messages[channel.id] = {}
    workspace.announce(Change(kind=ChangeKind.CHANNEL, channel=channel.id))
    if not private:
        stand_in.emit(payloads.channel_created_event(channel, by.id, event_ts=workspace.next_ts()))
    return channel


def rename(stand_in: StandIn, channel: Channel, name: str) -> bool:
    """Rename a channel; says whether it may have that name."""
    if channel.kind is ChannelKind.DIRECT or not _is_free(stand_in, name):
        return False
    channel.name = name
    stand_in.workspace.announce(Change(kind=ChangeKind.CHANNEL, channel=channel.id))
    if channel.kind is ChannelKind.PUBLIC or stand_in.app_sees(channel.id):
        stand_in.emit(payloads.channel_renamed_event(channel, event_ts=stand_in.workspace.next_ts()))
    return True


def _is_free(stand_in: StandIn, name: str) -> bool:
    return _NAME.fullmatch(name) is not None and stand_in.workspace.channel(name) is None


def _note(stand_in: StandIn, channel: Channel, who: User, words: str, subtype: str) -> None:
    ts = stand_in.workspace.next_ts()
    stand_in.workspace.post(Message(channel=channel.id, ts=ts, user=who.id, text=words, subtype=subtype))
