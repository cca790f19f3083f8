"""A place in Slack, and how a question came from there."""

from dataclasses import dataclass
from enum import StrEnum


class Via(StrEnum):
    """How a question came."""

    COMMAND = "command"
    MENTION = "mention"
    DIRECT = "direct"
    BUTTON = "button"
    INCIDENT = "incident"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Where:
    """The place in Slack where an answer belongs.

    ``thread_ts`` is the thread of the conversation, None at the top level of a channel. ``placeholder_ts`` is the
    message that the answer replaces, empty until that message is posted. ``response_url`` is the way back to the asker
    where the bot may not post (five uses, 30 minutes: https://docs.slack.dev/interactivity/handling-user-interaction).
    ``team`` is the workspace of who asks, ``installed`` the one that the bot is installed in, as Slack delivered it.
    ``ticket`` is the id that the question's message carries, so that it is found again where Slack's reply was lost.
    """

    team: str
    channel: str
    user: str
    via: Via
    thread_ts: str | None = None
    placeholder_ts: str = ""
    response_url: str | None = None
    ticket: str = ""
    installed: str = ""

    @property
    def home(self) -> str:
        """The workspace, or organisation, that the bot is installed in: what a place is known by, whoever speaks there.

        In a shared channel and in an organisation ``team``, that of who asks, is another one.
        """
        return self.installed or self.team

    @property
    def thread(self) -> str | None:
        """Where a reply to the answer goes: the conversation's thread, else the one under the answer itself."""
        return self.thread_ts or self.placeholder_ts or None
