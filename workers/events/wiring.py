"""The watches of a worker's clusters, put together from its settings."""

from slack_sdk.errors import SlackClientError

from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.channel_names import ChannelNames
from bot.channel_rules import said_in
from bot.channels import Channels
from bot.listeners.webhook import NotTakenError, Webhook
from bot.slack_client import slack_client
from handlers.alerts.alert import Received
from workers.deps import connect
from workers.events.watching import EventWatch, NotHandedOnError
from workers.settings import WorkerSettings
from workers.sources.kube_events import KubeEvents
from workers.sources.kube_transport import KubeTransport

_LATER = 500


def event_watches(settings: WorkerSettings) -> tuple[EventWatch, ...]:
    """Return a watch for each live cluster, none where that is not set; each has connections of its own."""
    if not settings.watch_events or settings.slack_bot_token is None:
        return ()
    texts = connect(settings.redis_url.get_secret_value(), decode_responses=True)
    client = slack_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    prefix = settings.key_prefix
    channels = Channels(texts, ChannelNames(client), said_in(settings.channels), prefix=prefix)
    cards = Cards(KeptCards(texts, prefix=prefix))
    team: list[str] = []

    def hand_on(received: Received) -> None:
        # Who we are is asked when there is something to tell: Slack may be away when the worker starts.
        try:
            team[:] = team or [str(client.auth_test().get("team_id") or "")]
            Webhook(cards, channels, team[0]).route(received)
        except NotTakenError as error:
            if error.status >= _LATER:
                raise NotHandedOnError(str(error)) from error
        except (SlackClientError, OSError) as error:
            raise NotHandedOnError(f"Slack does not answer: {type(error).__name__}") from error

    return tuple(
        EventWatch(KubeEvents(KubeTransport(one.access)), texts, hand_on, cluster=one.name, prefix=prefix)
        for one in settings.served
        if one.access is not None
    )
