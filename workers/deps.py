"""The worker's parts, put together from its settings. One set for each process, made after the fork."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from slack_sdk import WebClient

from bot.audit import Audit, Note, no_note
from bot.behind import Look as LookBehind
from bot.channel_names import ChannelNames
from bot.channel_rules import said_in
from bot.channels import Channels
from bot.clusters import Clusters
from bot.digests.kept import Subscriptions
from bot.dispatch import Dispatcher
from bot.emails import Emails
from bot.names import Names
from bot.publish import Publisher
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surface import Surface
from bot.surfaces import surfaces
from bot.usergroups import Usergroups
from bot.waiters import Waiters
from bot.watch import Watch
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.model.report import FirstAnswer, Report
from handlers.rights.people import PeopleError
from workers.answering import Answering, Look
from workers.auditing import Auditing
from workers.cache import ReportCache
from workers.digest_look import DigestLook
from workers.digests import DigestRuns
from workers.dumps import dump_looks
from workers.follow import NOT_LIVE, follow
from workers.looking import Looking
from workers.names import NotingSource, read_names
from workers.origin import Live, NotOpenedError, opened
from workers.redacting import Redacting
from workers.reviews import Reviews, reviewer_of
from workers.rights import PeopleFile, Rights, RightsOf
from workers.runner import Progress, Ran, run
from workers.settings import NotConfiguredError, Served, WorkerSettings, load_settings

log = structlog.get_logger(__name__)

_SOCKET_TIMEOUT = 5.0
"""Seconds for one command to Redis; none of ours blocks."""


_TO_TELL = 5.0
"""Seconds of a question's time that are kept for the last read and for sending the answer."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the tasks need."""

    settings: WorkerSettings
    answering: Answering
    digests: DigestRuns
    names: Mapping[str, Names]
    """Where the names of each cluster are kept; of none where rights decide who may know them."""
    looking: Looking | None

    def read_names(self) -> None:
        """Read the lists of the clusters that hold names, for those who type.

        Raises:
            NotOpenedError: if a cluster or an archive cannot be opened.
        """
        for one in self.settings.served:
            if one.name in self.names:
                with opened(one.origin) as source:
                    read_names(source, self.names[one.name], self.settings.budget)

    def show(self, look: LookBehind) -> None:
        """Show what is behind a button, where rights decide who may see it.

        Raises:
            redis.RedisError: if Redis does not answer.
            PublishError: if Slack does not take it.
        """
        if self.looking is None:
            log.error("nobody_decides", problem="CILIUM_TRIAGE_RIGHTS is not set here, so nothing is shown")
        else:
            self.looking.show(look)


@cache
def deps() -> Deps:
    """Return this process's parts.

    Raises:
        NotConfiguredError: if a setting is missing or wrong.
    """
    return assemble(load_settings())


def assemble(settings: WorkerSettings) -> Deps:
    """Put the parts together; connections are made when they are first used.

    Raises:
        NotConfiguredError: if no Slack token is set.
    """
    if settings.slack_bot_token is None:
        raise NotConfiguredError("SLACK_BOT_TOKEN is not set: set it to the bot token of the Slack app (xoxb-...)")
    token = settings.slack_bot_token.get_secret_value()
    url = settings.redis_url.get_secret_value()
    texts = connect(url, decode_responses=True)
    client = slack_client(token, settings.slack_api_url)
    publisher = Publisher(client, slack_client(token, settings.slack_api_url, patient=False))
    prefix = settings.key_prefix
    waiting = Waiters(texts, prefix=prefix)
    reports = Reports(texts, prefix=prefix)
    surface: Surface = surfaces(publisher, texts, prefix=prefix, are_rights_on=bool(settings.rights))
    note: Note = no_note
    if settings.audit:
        note = Audit(texts, settings.audit_to, prefix=prefix, keep=timedelta(days=settings.audit_days)).note
        surface = Auditing(surface, note)
    # Suggestions come before anybody's rights are reviewed, so they have no names that rights decide about.
    suggested = () if settings.rights else settings.served
    names = {one.name: Names(texts, cluster=one.name, prefix=prefix) for one in suggested}
    looking, rights = None, None
    if settings.rights:
        rights = _rights(settings, client, texts)
        surface = Redacting(surface, rights, reports)
        looking = Looking(reports, publisher, rights, note)
    looks = {
        one.name: _looking(
            settings, one, ReportCache(connect(url), cluster=one.key, prefix=prefix), names.get(one.name)
        )
        for one in settings.served
    }
    answering = Answering(
        looks=looks,
        waiters=waiting,
        surface=surface,
        reports=reports,
        soft_limit=settings.soft_limit,
        clusters=Clusters(texts, prefix=prefix).looked_at,
        look_of_dump=dump_looks(client, budget=settings.budget, owned=bool(settings.rights)),
    )
    digests = DigestRuns(
        Subscriptions(texts, prefix=prefix),
        publisher,
        DigestLook(settings, rights, note),
        Dispatcher(url, prefix=prefix).run_digest,
    )
    return Deps(settings, answering, digests, names, looking)


def _rights(settings: WorkerSettings, client: WebClient, texts: redis.Redis) -> RightsOf:
    try:
        people = PeopleFile(settings.rights)
    except PeopleError as error:
        raise NotConfiguredError(f"CILIUM_TRIAGE_RIGHTS: {error}") from None
    channels = Channels(texts, ChannelNames(client), said_in(settings.channels), prefix=settings.key_prefix)
    emails, groups = Emails(client), Usergroups(client)
    return RightsOf(
        {
            one.name: Rights(
                people.people,
                emails.email_of,
                groups.members_of,
                lambda channel: channels.rules(channel).audience,
                Reviews(reviewer_of(one.access), texts, cluster=one.key, prefix=settings.key_prefix),
            )
            for one in settings.served
        }
    )


def watch(settings: WorkerSettings) -> Watch:
    """Return the watch over all questions; it needs nothing but Redis."""
    return Watch(waiters(settings), Dispatcher(settings.redis_url.get_secret_value(), prefix=settings.key_prefix))


def clusters(settings: WorkerSettings) -> Clusters:
    """Return where workers say what they look at."""
    return Clusters(connect(settings.redis_url.get_secret_value(), decode_responses=True), prefix=settings.key_prefix)


def waiters(settings: WorkerSettings) -> Waiters:
    """Return the list of waiters over a connection of its own, for a parent process: children must not share one."""
    return Waiters(connect(settings.redis_url.get_secret_value(), decode_responses=True), prefix=settings.key_prefix)


def preload(settings: WorkerSettings) -> None:
    """Load what the first question would load, and find out at the start whether the source can be opened.

    Raises:
        NotConfiguredError: if a setting is missing or wrong, or the archive cannot be read.
    """
    assemble(settings)
    try:
        for one in settings.served:
            with opened(one.origin):
                pass
    except NotOpenedError as error:
        raise NotConfiguredError(f"CILIUM_TRIAGE_SOURCE: {error}") from error
    if settings.rights:
        _forget_names(settings)


def _forget_names(settings: WorkerSettings) -> None:
    """Forget what was kept before rights decided who may know it."""
    client = connect(settings.redis_url.get_secret_value(), decode_responses=True)
    try:
        for one in settings.served:
            Names(client, cluster=one.name, prefix=settings.key_prefix).forget()
    except redis.RedisError as error:
        log.warning("names_not_forgotten", error=type(error).__name__)
    finally:
        client.close()


def connect(url: str, *, decode_responses: bool = False) -> redis.Redis:
    """Return a client with explicit timeouts that tries a broken connection once more, and no longer."""
    client: redis.Redis = redis.Redis.from_url(
        url,
        decode_responses=decode_responses,
        socket_timeout=_SOCKET_TIMEOUT,
        socket_connect_timeout=_SOCKET_TIMEOUT,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )
    return client


def _looking(settings: WorkerSettings, served: Served, cache: ReportCache, names: Names | None) -> Look:
    is_owned = bool(settings.rights)

    def look(asked: Asked, progress: Progress) -> Ran:
        if asked.watched is not None:
            return _followed(settings, served, asked, asked.watched, progress)
        with opened(served.origin) as source:
            if names is None:
                return run(asked, source, cache=cache, budget=settings.budget, progress=progress, owned=is_owned)
            with closing(NotingSource(source, names)) as noting:
                return run(asked, noting, cache=cache, budget=settings.budget, progress=progress, owned=is_owned)

    return look


def _followed(settings: WorkerSettings, served: Served, asked: Asked, span: timedelta, progress: Progress) -> Ran:
    """Follow for as long as a question may take, showing the answer as it grows."""
    if not isinstance(served.origin, Live):
        raise NotUnderstoodError(NOT_LIVE, str(replace(asked.question, follow=None)))
    longest = timedelta(seconds=max(1.0, settings.soft_limit - settings.budget - _TO_TELL))
    with opened(served.origin) as source:
        ends = (
            f"{source.now() + min(span, longest):%H:%M:%S} UTC{', as long as a question may take' * (span > longest)}"
        )

        def tell(report: Report) -> None:
            progress(FirstAnswer(report, (f"new flows until {ends}",)))

        return follow(asked, source, min(span, longest), tell, budget=settings.budget, owned=bool(settings.rights))
