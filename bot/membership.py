"""Channels that the bot is in: joined by their names, and greeted once with what it will do there."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import structlog
from redis.exceptions import RedisError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channel_names import ChannelNames
from bot.channels import Channels
from bot.deliveries import Deliveries
from bot.publish import Publisher, PublishError
from bot.render.greeting import greeting
from bot.where import Via, Where

_MOST_AT_ONCE = 50
_GREETED = timedelta(days=365)
"""How long it is remembered that a channel was greeted."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Membership:
    """Joins channels, and greets each once for what it is: a channel that becomes an incident channel once more."""

    client: WebClient
    channels: Channels
    names: ChannelNames
    deliveries: Deliveries
    publisher: Publisher

    def came_into(self, channel: str, team: str) -> None:
        """Greet a channel that the bot is a member of."""
        rules = self.channels.rules(channel)
        kind = "incident" if rules.is_incident else "channel"
        try:
            if self.deliveries.is_first(f"greeted:{channel}:{kind}", within=_GREETED):
                self.publisher.placeholder(Where(team, channel, "", Via.INCIDENT), greeting(rules))
        except (RedisError, PublishError) as error:
            log.warning("channel not greeted", channel=channel, error=type(error).__name__)

    def greet_incidents(self, team: str) -> None:
        """Greet the incident channels that the bot is in and has not greeted as such: somebody made them so."""
        incidents = (channel for channel, rules in self.channels.joined().items() if rules.is_incident)
        for channel in islice(incidents, _MOST_AT_ONCE):
            self.came_into(channel, team)

    def named(self, channel: str, name: str, team: str, *, is_public: bool) -> None:
        """Hear of a name: join an incident channel, and greet one that the bot is in."""
        self.names.renamed(channel, name)
        if not self.channels.rules(channel).is_incident:
            return
        if channel in self.names.joined():
            self.came_into(channel, team)
        elif is_public:
            self._join(channel)

    def _join(self, channel: str) -> None:
        try:
            self.client.conversations_join(channel=channel)
            log.info("incident channel joined", channel=channel)
        except (SlackClientError, OSError) as error:
            reason = str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
            log.warning("incident channel not joined", channel=channel, reason=reason)
