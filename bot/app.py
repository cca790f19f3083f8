"""The web process, put together: settings in, one Bolt app with everything behind it out."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

from redis import Redis
from slack_bolt import App
from slack_bolt.lazy_listener.thread_runner import ThreadLazyListenerRunner
from slack_sdk.web import SlackResponse

from bot.audit import Audit, no_note
from bot.cards.asking import Asking
from bot.cards.cards import Cards
from bot.cards.kept import KeptCards
from bot.cards.manner import ChannelManners
from bot.cards.rounds import Rounds
from bot.cards.showing import Showing
from bot.cards.storms import Storms
from bot.channel_names import ChannelNames
from bot.channels import Channels
from bot.clusters import Clusters
from bot.conversations import Conversations
from bot.deliveries import Deliveries
from bot.digests.kept import Subscriptions
from bot.dispatch import Dispatcher
from bot.doctor.kept import KeptSetups
from bot.dumps import Dumps
from bot.feedback import Feedback
from bot.fixes.kept import FixWatches
from bot.fixes.rounds import FixRounds
from bot.fixes.telling import Telling
from bot.guard import Allowed, Guard, Rules
from bot.home import Homes, of_channels, of_digests, of_setup
from bot.intake import Intake
from bot.listeners import actions, card, command, form, home, incident, membership, mention, reactions, rest, triage
from bot.listeners.attached import Attached
from bot.listeners.posted import AlertReader
from bot.listeners.webhook import Webhook
from bot.membership import Membership
from bot.mutes import Mutes
from bot.names import NamesOf
from bot.orders import ORDERS
from bot.orders.desk import AlertsEndpoint, Desk
from bot.orders.taken import Orders
from bot.publish import Publisher
from bot.reports import Reports
from bot.settings import Settings
from bot.slack_client import slack_client
from bot.surfaces import surfaces
from bot.usergroups import Usergroups
from bot.waiters import Waiters
from bot.watch import Watch
from handlers.catalogue import understand

WORKERS = 128
"""Threads that bring questions to the queue. They mostly wait: for Slack, which takes a message a second a channel."""


@dataclass(frozen=True, slots=True)
class Web:
    """The parts that the process starts, stops and asks for their health."""

    app: App
    redis: Redis
    watch: Watch
    fix_rounds: FixRounds
    dispatcher: Dispatcher
    channels: Channels
    rounds: Rounds
    webhook: Webhook
    pool: ThreadPoolExecutor
    cards: Cards
    stopping: Event
    """Set when the process ends: nobody waits any longer."""

    def close(self) -> None:
        """Finish what was begun, then let go of everything."""
        self.stopping.set()
        self.rounds.stop()
        self.fix_rounds.stop()
        self.watch.stop()
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.dispatcher.close()
        self.redis.close()


def build(settings: Settings) -> Web:
    """Compose the web process. Asks Slack who the bot is.

    Raises:
        BoltError: if Slack does not accept the token.
    """
    token, redis_url = settings.slack_bot_token.get_secret_value(), settings.redis_url.get_secret_value()
    client = slack_client(token, settings.slack_api_url)
    pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="question")
    # A listener acknowledges in the thread that received the delivery (process_before_response), and the work goes to a
    # pool of its own: an acknowledgement never queues behind work.
    app = App(
        client=client,
        signing_secret=settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else "",
        process_before_response=True,
        logger=logging.getLogger("slack_bolt"),
    )
    app.listener_runner.lazy_listener_runner = ThreadLazyListenerRunner(logger=app.logger, executor=pool)
    redis = Redis.from_url(
        redis_url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=25, decode_responses=True
    )
    prefix = settings.key_prefix
    publisher = Publisher(client, slack_client(token, settings.slack_api_url, patient=False))
    dispatcher = Dispatcher(redis_url, prefix=prefix)
    watch = Watch(Waiters(redis, prefix=prefix), dispatcher)
    home_team = _installed_in(client.auth_test())
    channel_names = ChannelNames(client)
    channels = Channels(redis, channel_names, settings.said_of_channels, prefix=prefix)
    clusters = Clusters(redis, prefix=prefix)
    audit = Audit(redis, settings.audit_to, prefix=prefix, keep=timedelta(days=settings.audit_days))
    intake = Intake(
        understand=understand,
        deliveries=Deliveries(redis, prefix=prefix),
        conversations=Conversations(redis, prefix=prefix),
        guard=Guard(_rules(settings, home_team), redis, Usergroups(client).members_of, prefix=prefix),
        publisher=publisher,
        surface=surfaces(publisher, redis, prefix=prefix),
        watch=watch,
        dumps=Dumps(client, redis, prefix=prefix),
        cluster=settings.cluster,
        clusters=clusters.looked_at,
        note=audit.note if settings.audit else no_note,
        cluster_of=lambda channel: channels.rules(channel).cluster,
    )
    attached = Attached(client)
    reports = Reports(redis, prefix=prefix)
    stopping = Event()
    mutes = Mutes(redis, prefix=prefix)
    cards = Cards(KeptCards(redis, prefix=prefix), ChannelManners(channels.rules, mutes))
    fix_watches = FixWatches(redis, prefix=prefix)
    fix_rounds = FixRounds(fix_watches, Telling(fix_watches, reports, publisher, cards), watch)
    endpoint = AlertsEndpoint(settings.alerts_url, is_open=settings.alerts_token is not None)
    feedback = Feedback(redis, prefix=prefix)
    digests = Subscriptions(redis, prefix=prefix)
    channel_membership = Membership(client, channels, channel_names, intake.deliveries, publisher)
    desk = Desk(
        intake=intake,
        reports=reports,
        channels=channels,
        fix_watches=fix_watches,
        alerts=endpoint,
        cards=cards,
        mutes=mutes,
        feedback=feedback,
        digests=digests,
        run_digest=dispatcher.run_digest,
        membership=channel_membership,
    )
    orders = Orders.of(ORDERS, desk)
    question_form = form.Form(intake, NamesOf(redis, prefix=prefix), dispatcher)
    command.listen(app, intake, orders, question_form)
    form.listen(app, question_form)
    actions.listen(app, intake, orders, reports, lambda look: dispatcher.look(look.to_json(), look.cluster))
    card.listen(app, intake, cards)
    mention.listen(app, intake, orders, settings.bots, attached)
    incident.listen(app, intake, channels, settings.bots, attached, AlertReader(client, cards, stopping))
    sections = (of_setup(KeptSetups(redis, prefix=prefix)), of_digests(digests), of_channels(channels))
    home.listen(app, publisher, Homes(intake.guard, reports, publisher, sections))
    membership.listen(app, channel_membership)
    triage.listen(app, intake)
    reactions.listen(app, cards)
    rest.listen(app)
    rounds = Rounds(
        Asking(cards, watch, settings.cluster, clusters.looked_at, lambda channel: channels.rules(channel).cluster),
        Showing(cards, Storms(redis, prefix=prefix), reports, intake.conversations, publisher),
    )
    webhook = Webhook(cards, channels, home_team)
    return Web(app, redis, watch, fix_rounds, dispatcher, channels, rounds, webhook, pool, cards, stopping)


def _installed_in(told: SlackResponse) -> str:
    """Return the workspace that the token is of, or the organisation where the app is installed in all of it."""
    is_organisation = bool(told.get("is_enterprise_install"))
    return str(told.get("enterprise_id" if is_organisation else "team_id") or "")


def _rules(settings: Settings, home_team: str) -> Rules:
    return Rules(
        teams=settings.teams or frozenset(filter(None, {home_team})),
        viewers=Allowed(settings.viewer_users, settings.viewer_usergroups, settings.viewer_channels),
        operators=Allowed(settings.operator_users, settings.operator_usergroups, settings.operator_channels),
        questions_per_minute=settings.questions_per_minute,
    )
