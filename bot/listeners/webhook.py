"""What Alertmanager and Grafana post: to which channels each alert goes, and what the sender is told.

An alert goes to every channel whose setting ``alerts`` takes its labels. The sender may name channels itself, in the
address (``/alerts?channel=C0123``) or by the label ``slack_channel`` of an alert: only those that take alerts, or that
are incident channels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.cards.cards import Cards, NotKeptError
from bot.cards.place import Place
from bot.channel_rules import ChannelRules, Route
from bot.channels import Channels
from handlers.alerts.alert import Alert, NotAnAlertError, Received
from handlers.alerts.received import MOST_BYTES as MOST_BYTES
from handlers.alerts.received import received

CHANNEL_LABEL = "slack_channel"

_MOST_NAMED = 20


class NotTakenError(Exception):
    """The alerts were not taken; the message says why. ``status`` is HTTP's: Alertmanager sends again after 5xx."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Webhook:
    """The endpoint, without HTTP. ``team`` is the workspace that the bot is installed in."""

    cards: Cards
    channels: Channels
    team: str

    def take(self, content: bytes, named: Sequence[str] = ()) -> dict[str, int]:
        """Take a payload in, and return what became of it: the same payload again changes nothing.

        ``named`` are the channels that its sender wants it in; else its labels decide.

        Raises:
            NotTakenError: with 400 for what is no alert and for a channel that takes none, 404 where no channel takes
                alerts, 503 where Redis or Slack keep us from knowing.
        """
        try:
            payload = received(content)
        except NotAnAlertError as error:
            raise NotTakenError(400, str(error)) from error
        return self.route(payload, named)

    def route(self, payload: Received, named: Sequence[str] = ()) -> dict[str, int]:
        """Take alerts in that were read already, and return what became of them.

        Raises:
            NotTakenError: as ``take`` does.
        """
        rules = self.channels.joined()
        told: dict[str, list[Alert]] = {channel: [] for channel in self._named(named, rules)}
        for alert in payload.alerts:
            for channel in told if named else self._channels_of(alert, rules):
                told.setdefault(channel, []).append(alert)
        if not told and payload.alerts:
            self._nobody_takes(rules)
        return self._told(payload, told)

    def _told(self, payload: Received, told: Mapping[str, Sequence[Alert]]) -> dict[str, int]:
        found = []
        try:
            for channel, alerts in told.items():
                place = Place(self.team, channel)
                found.append(self.cards.take(replace(payload, alerts=tuple(alerts)), place))
        except NotKeptError as error:
            raise NotTakenError(503, "Redis does not answer; send it again.") from error
        return {
            "alerts": len(payload.alerts),
            "truncated": payload.cut_off,
            "channels": len(told),
            "cards": sum(one.cards for one in found),
            "silent": sum(one.silent for one in found),
            "left_out": sum(one.left_out for one in found),
        }

    def _named(self, named: Sequence[str], rules: Mapping[str, ChannelRules]) -> list[str]:
        for channel in named[:_MOST_NAMED]:
            if channel not in rules or not _may_be_named(rules[channel]):
                if channel in rules and rules[channel].unread:
                    raise NotTakenError(503, "What holds in the channel could not be read; send it again.")
                raise NotTakenError(
                    400, f"{channel[:40]} takes no alerts: invite the bot, and /cilium channel alerts all."
                )
        return list(dict.fromkeys(named[:_MOST_NAMED]))

    def _channels_of(self, alert: Alert, rules: Mapping[str, ChannelRules]) -> list[str]:
        wanted = alert.labels.get(CHANNEL_LABEL, "")
        if wanted in rules and _may_be_named(rules[wanted]):
            return [wanted]
        return [channel for channel, held in rules.items() if held.alerts.takes(alert.labels)]

    def _nobody_takes(self, rules: Mapping[str, ChannelRules]) -> None:
        if not rules or any(held.unread for held in rules.values()):
            raise NotTakenError(503, "It is not known which channel takes alerts; send it again.")
        if all(held.alerts == Route() for held in rules.values()):
            raise NotTakenError(404, "No channel takes alerts: say /cilium channel alerts all in one.")


def _may_be_named(held: ChannelRules) -> bool:
    return held.is_incident or held.alerts != Route()
