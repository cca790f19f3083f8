"""The workspace itself: people, channels, messages, files and views, in memory and bounded.

Nothing here knows HTTP. Every change is announced to the watchers, so that the page and waiting tests follow along.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Json = dict[str, Any]

TEAM_ID = "T0PLAYGRND"
TEAM_NAME = "Playground"
TEAM_DOMAIN = "playground"
APP_ID = "A0CILIUM01"
BOT_ID = "B0CILIUM01"
BOT_USER_ID = "U0CILIUM01"
BOT_NAME = "cilium"
OTHER_APP_ID = "A0ALERTS01"
OTHER_BOT_ID = "B0ALERTS01"
OTHER_BOT_USER_ID = "U0ALERTS01"
SLACKBOT_ID = "USLACKBOT"

MAX_MESSAGES_PER_CHANNEL = 2000
MAX_FILES = 200
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_VIEWS = 200


class ChannelKind(Enum):
    """The conversation types, named by the value of ``channel_type`` in message events."""

    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of the workspace."""

    id: str
    name: str
    real_name: str
    title: str
    color: str
    is_bot: bool = False

    @property
    def email(self) -> str:
        """The address; a bot has none."""
        return "" if self.is_bot else f"{self.name}@playground.example"

    def to_slack(self) -> Json:
        """Return the user object (Slack document: "User object")."""
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "name": self.name,
            "deleted": False,
            "color": self.color,
            "real_name": self.real_name,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": {
                "title": self.title,
                "real_name": self.real_name,
                "real_name_normalized": self.real_name,
                "display_name": "" if self.is_bot else self.name,
                "display_name_normalized": "" if self.is_bot else self.name,
                "email": self.email or None,
                "team": TEAM_ID,
                **({"bot_id": BOT_ID, "api_app_id": APP_ID} if self.id == BOT_USER_ID else {}),
            },
            "is_admin": False,
            "is_owner": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1700000000,
        }


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation: a public or private channel, or a direct message with the bot."""

    id: str
    name: str
    kind: ChannelKind
    topic: str = ""
    members: set[str] = field(default_factory=set)
    partner: str | None = None
    created: int = 1700000000

    def to_slack(self) -> Json:
        """Return the conversation object (Slack document: "Conversation object")."""
        shared: Json = {
            "id": self.id,
            "created": self.created,
            "is_archived": False,
            "is_im": self.kind is ChannelKind.DIRECT,
            "is_org_shared": False,
            "context_team_id": TEAM_ID,
            "updated": self.created * 1000,
        }
        if self.kind is ChannelKind.DIRECT:
            return shared | {"user": self.partner, "is_open": True, "priority": 0}
        return shared | {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_group": False,
            "is_mpim": False,
            "is_private": self.kind is ChannelKind.PRIVATE,
            "is_general": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_member": BOT_USER_ID in self.members,
            "unlinked": 0,
            "creator": "U0GRACE001",
            "shared_team_ids": [TEAM_ID],
            "topic": {"value": self.topic, "creator": "U0GRACE001", "last_set": self.created},
            "purpose": {"value": self.topic, "creator": "U0GRACE001", "last_set": self.created},
            "num_members": len(self.members),
        }


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. ``only_for`` makes it ephemeral: nobody else sees it, and no history lists it."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    from_bot: bool = False
    other_app: str | None = None
    """The bot id of another app, such as an alert sender's incoming webhook."""
    username: str | None = None
    subtype: str | None = None
    edited_ts: str | None = None
    edited_by: str | None = None
    only_for: str | None = None
    client_msg_id: str | None = None
    files: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    reply_users: list[str] = field(default_factory=list)
    parent_user: str | None = None
    streaming: bool = False

    @property
    def is_reply(self) -> bool:
        """Whether the message lives in a thread below another one."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def to_slack(self) -> Json:
        """Return the message as the Web API and events show it (Slack document: "Message event")."""
        shown: Json = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts, "team": TEAM_ID}
        if self.subtype:
            shown["subtype"] = self.subtype
        if self.client_msg_id:
            shown["client_msg_id"] = self.client_msg_id
        if self.from_bot:
            shown |= {"bot_id": BOT_ID, "app_id": APP_ID, "bot_profile": bot_profile()}
        if self.other_app:
            shown["bot_id"] = self.other_app
            shown["app_id"] = OTHER_APP_ID
            if not self.user:
                del shown["user"]
        if self.username:
            shown["username"] = self.username
        for name, value in (
            ("blocks", self.blocks),
            ("attachments", self.attachments),
            ("files", self.files),
            ("metadata", self.metadata),
        ):
            if value:
                shown[name] = value
        if self.files:
            shown["upload"] = False
        if self.edited_ts:
            shown["edited"] = {"user": self.edited_by, "ts": self.edited_ts}
        if self.thread_ts:
            shown["thread_ts"] = self.thread_ts
            if self.is_reply and self.parent_user:
                shown["parent_user_id"] = self.parent_user
        if self.replies:
            shown |= {
                "thread_ts": self.ts,
                "reply_count": len(self.replies),
                "reply_users_count": len(self.reply_users),
                "latest_reply": self.replies[-1],
                "reply_users": list(self.reply_users),
                "is_locked": False,
                "subscribed": True,
            }
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions.items()
            ]
        return shown


@dataclass(slots=True, kw_only=True)
class File:
    """An uploaded file. It is visible once its upload was completed."""

    id: str
    name: str
    title: str
    size: int
    user: str
    created: int
    mimetype: str = "application/octet-stream"
    alt_text: str | None = None
    content: bytes = b""
    received: bool = False
    completed: bool = False
    channels: list[str] = field(default_factory=list)
    shares: dict[str, list[Json]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or a Home tab of one user."""

    id: str
    user: str
    definition: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    state: Json = field(default_factory=lambda: {"values": {}})
    offered: dict[str, list[Json]] = field(default_factory=dict)
    """What the app suggested last for each external menu, by ``action_id``."""

    def to_slack(self) -> Json:
        """Return the view object (Slack document: "View object")."""
        defaults: Json = {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": None,
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
        }
        return (
            defaults
            | self.definition
            | {
                "id": self.id,
                "team_id": TEAM_ID,
                "app_id": APP_ID,
                "app_installed_team_id": TEAM_ID,
                "bot_id": BOT_ID,
                "hash": self.hash,
                "root_view_id": self.root_id,
                "previous_view_id": self.previous_id,
                "state": self.state,
            }
        )


class ChangeKind(Enum):
    """What happened in the workspace."""

    POSTED = "posted"
    CHANGED = "changed"
    REMOVED = "removed"
    VIEWS = "views"
    CHANNEL = "channel"
    STATUS = "status"
    CONNECTION = "connection"
    DELIVERY = "delivery"
    CALL = "call"
    CLOCK = "clock"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One announcement to the watchers."""

    kind: ChangeKind
    message: Message | None = None
    channel: str | None = None
    user: str | None = None
    detail: Json | None = None


Watcher = Callable[[Change], None]


def bot_profile() -> Json:
    """Return the profile that Slack puts in each message of the app."""
    return {
        "id": BOT_ID,
        "app_id": APP_ID,
        "user_id": BOT_USER_ID,
        "name": BOT_NAME,
        "icons": {},
        "deleted": False,
        "updated": 1700000000,
        "team_id": TEAM_ID,
    }


PEOPLE = (
    User(id="U0ADA00001", name="ada", real_name="Ada Byrne", title="On call", color="2f7d6b"),
    User(id="U0GRACE001", name="grace", real_name="Grace Lindqvist", title="Platform", color="8a4fbf"),
    User(id="U0MARCO001", name="marco", real_name="Marco Reyes", title="Payments developer", color="c2643f"),
)
BOT = User(id=BOT_USER_ID, name=BOT_NAME, real_name=BOT_NAME, title="", color="e8a33d", is_bot=True)
ALERTS = User(id=OTHER_BOT_USER_ID, name="alerts", real_name="Alerts", title="", color="a33a3a", is_bot=True)
SLACKBOT = User(id=SLACKBOT_ID, name="slackbot", real_name="Slackbot", title="", color="757575", is_bot=False)

USER_GROUPS = (
    {"id": "S0ONCALL01", "handle": "sre-oncall", "name": "SRE on call", "users": ["U0ADA00001"]},
    {"id": "S0PLATFORM", "handle": "platform", "name": "Platform", "users": ["U0GRACE001"]},
)


def _default_channels() -> list[Channel]:
    people = {user.id for user in PEOPLE}
    return [
        Channel(
            id="C0INCIDENT",
            name="incident-42",
            kind=ChannelKind.PUBLIC,
            topic="SEV-2: checkout cannot reach the payment API",
            members=people | {BOT_USER_ID},
        ),
        Channel(
            id="C0PLATFORM",
            name="platform",
            kind=ChannelKind.PUBLIC,
            topic="Clusters, networking and the people who run them",
            members=people | {BOT_USER_ID},
        ),
        Channel(
            id="C0RANDOM01",
            name="random",
            kind=ChannelKind.PUBLIC,
            topic="The app is not a member here: /invite @cilium",
            members=set(people),
        ),
        *(
            Channel(
                id=f"D{user.id[1:]}",
                name=BOT_NAME,
                kind=ChannelKind.DIRECT,
                members={user.id, BOT_USER_ID},
                partner=user.id,
            )
            for user in PEOPLE
        ),
    ]


class Workspace:
    """Everything a Slack workspace remembers, for one team with one app installed."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._watchers: list[Watcher] = []
        self._last_micros = 0
        self._serial = 0
        self._start()

    def _start(self) -> None:
        self.users: dict[str, User] = {user.id: user for user in (*PEOPLE, BOT, ALERTS, SLACKBOT)}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in _default_channels()}
        self.messages: dict[str, dict[str, Message]] = {channel: {} for channel in self.channels}
        self.files: dict[str, File] = {}
        self.views: dict[str, View] = {}
        self.open_views: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.thread_status: dict[tuple[str, str], str] = {}

    def reset(self) -> None:
        """Forget every message, file and view; people and channels are as at the start."""
        self._start()
        self.announce(Change(kind=ChangeKind.RESET))

    # -- watching -----------------------------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` on each change; returns the function that stops it."""
        self._watchers.append(watcher)

        def stop() -> None:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

        return stop

    def announce(self, change: Change) -> None:
        """Tell every watcher."""
        for watcher in tuple(self._watchers):
            watcher(change)

    # -- names --------------------------------------------------------------------------------------------------

    def next_ts(self) -> str:
        """Return a message timestamp: seconds, a dot, six digits; unique and increasing, as Slack's are."""
        self._last_micros = max(self._last_micros + 1, int(self.clock() * 1_000_000))
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """Return an identifier in Slack's alphabet that was not used before."""
        self._serial += 1
        return f"{prefix}0PG{self._serial:07d}"

    def user(self, reference: str) -> User | None:
        """Find a user by id or by name (with or without ``@``)."""
        if reference in self.users:
            return self.users[reference]
        name = reference.removeprefix("@").casefold()
        return next((user for user in self.users.values() if user.name == name), None)

    def channel(self, reference: str) -> Channel | None:
        """Find a channel by id, by name (with or without ``#``), or a user's direct message by user id."""
        if reference in self.channels:
            return self.channels[reference]
        if reference in self.users:
            return self.direct_channel(reference)
        name = reference.removeprefix("#")
        return next(
            (item for item in self.channels.values() if item.kind is not ChannelKind.DIRECT and item.name == name),
            None,
        )

    def direct_channel(self, user: str) -> Channel | None:
        """Return the conversation between the bot and ``user``."""
        return next((item for item in self.channels.values() if item.partner == user), None)

    # -- messages -----------------------------------------------------------------------------------------------

    def post(self, message: Message) -> Message:
        """Keep a new message, hang it on its thread, and forget the oldest when the channel is full."""
        kept = self.messages[message.channel]
        kept[message.ts] = message
        if message.is_reply and message.only_for is None and message.thread_ts is not None:
            parent = kept.get(message.thread_ts)
            if parent is not None:
                parent.thread_ts = parent.ts
                parent.replies.append(message.ts)
                if message.user not in parent.reply_users:
                    parent.reply_users.append(message.user)
                message.parent_user = parent.user
                self.thread_status.pop((message.channel, parent.ts), None)
                self.announce(Change(kind=ChangeKind.CHANGED, message=parent, channel=message.channel))
        while len(kept) > MAX_MESSAGES_PER_CHANNEL:
            del kept[next(iter(kept))]
        self.announce(Change(kind=ChangeKind.POSTED, message=message, channel=message.channel))
        return message

    def find_message(self, channel: str, ts: str) -> Message | None:
        """Return one message, ephemeral ones included."""
        return self.messages.get(channel, {}).get(ts)

    def changed(self, message: Message) -> None:
        """Announce that ``message`` was edited in place."""
        self.announce(Change(kind=ChangeKind.CHANGED, message=message, channel=message.channel))

    def remove(self, message: Message) -> None:
        """Delete a message. A thread's first message leaves a tombstone while it has replies, as in Slack."""
        kept = self.messages[message.channel]
        if message.replies:
            message.text = "This message was deleted."
            message.subtype = "tombstone"
            message.user = SLACKBOT_ID
            message.blocks, message.attachments, message.files = [], [], []
            message.from_bot = False
            self.changed(message)
            return
        kept.pop(message.ts, None)
        parent = kept.get(message.thread_ts or "")
        if parent is not None and message.ts in parent.replies:
            parent.replies.remove(message.ts)
            remaining = {kept[ts].user for ts in parent.replies if ts in kept}
            parent.reply_users = [user for user in parent.reply_users if user in remaining]
            self.changed(parent)
        self.announce(Change(kind=ChangeKind.REMOVED, message=message, channel=message.channel))

    def timeline(self, channel: str) -> Iterator[Message]:
        """Every message of a channel in order, replies and ephemeral ones included."""
        yield from self.messages.get(channel, {}).values()

    def history(self, channel: str) -> list[Message]:
        """What the channel itself shows, oldest first: no ephemeral messages, no replies unless broadcast."""
        return [
            message
            for message in self.timeline(channel)
            if message.only_for is None and (not message.is_reply or message.broadcast)
        ]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a thread, its first message first."""
        return [
            message
            for message in self.timeline(channel)
            if message.only_for is None and (message.ts == ts or (message.is_reply and message.thread_ts == ts))
        ]

    # -- files and views ----------------------------------------------------------------------------------------

    def keep_file(self, file: File) -> File:
        """Remember a file, and forget the oldest beyond the bound."""
        self.files[file.id] = file
        while len(self.files) > MAX_FILES:
            del self.files[next(iter(self.files))]
        return file

    def keep_view(self, view: View) -> View:
        """Remember a view; the oldest that is neither open nor a Home tab goes first beyond the bound."""
        self.views[view.id] = view
        if len(self.views) > MAX_VIEWS:
            in_use = {item for stack in self.open_views.values() for item in stack} | set(self.homes.values())
            for spare in [item for item in self.views if item not in in_use][: len(self.views) - MAX_VIEWS]:
                del self.views[spare]
        return view

    def view_stack(self, user: str) -> list[View]:
        """Return the modals open for a user, the visible one last."""
        return [self.views[item] for item in self.open_views.get(user, []) if item in self.views]
