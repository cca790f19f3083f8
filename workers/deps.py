"""The worker's parts, put together from its settings. One set for each process, made after the fork."""

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.dispatch import Dispatcher
from bot.names import Names
from bot.publish import Publisher
from bot.reports import Reports
from bot.slack_client import slack_client
from bot.surfaces import surfaces
from bot.waiters import Waiters
from bot.watch import Watch
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.model.report import FirstAnswer, Report
from workers.answering import Answering, Look
from workers.cache import ReportCache
from workers.follow import NOT_LIVE, follow
from workers.names import NotingSource, read_names
from workers.origin import Live, NotOpenedError, opened
from workers.runner import Progress, Ran, run
from workers.schedule import Digests
from workers.settings import NotConfiguredError, WorkerSettings, load_settings

_SOCKET_TIMEOUT = 5.0
"""Seconds for one command to Redis; none of ours blocks."""


_TO_TELL = 5.0
"""Seconds of a question's time that are kept for the last read and for sending the answer."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the tasks need."""

    settings: WorkerSettings
    answering: Answering
    digests: Digests
    names: Names

    def read_names(self) -> None:
        """Read the lists of the cluster that hold names, for those who type.

        Raises:
            NotOpenedError: if the cluster or the archive cannot be opened.
        """
        with opened(self.settings.origin) as source:
            read_names(source, self.names, self.settings.budget)


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
    publisher = Publisher(
        slack_client(token, settings.slack_api_url), slack_client(token, settings.slack_api_url, patient=False)
    )
    waiting = Waiters(texts, prefix=settings.key_prefix)
    names = Names(texts, cluster=settings.cluster, prefix=settings.key_prefix)
    cached = ReportCache(connect(url), cluster=_cluster_key(settings), prefix=settings.key_prefix)
    answering = Answering(
        look=_looking(settings, cached, names),
        waiters=waiting,
        surface=surfaces(publisher, texts, prefix=settings.key_prefix),
        reports=Reports(texts, prefix=settings.key_prefix),
        soft_limit=settings.soft_limit,
        cluster=settings.cluster,
    )
    digests = Digests(
        texts,
        publisher,
        Watch(waiting, Dispatcher(url, prefix=settings.key_prefix)),
        settings.key_prefix,
        cluster=settings.cluster,
    )
    return Deps(settings, answering, digests, names)


def watch(settings: WorkerSettings) -> Watch:
    """Return the watch over all questions; it needs nothing but Redis."""
    return Watch(waiters(settings), Dispatcher(settings.redis_url.get_secret_value(), prefix=settings.key_prefix))


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
        with opened(settings.origin):
            pass
    except NotOpenedError as error:
        raise NotConfiguredError(f"CILIUM_TRIAGE_SOURCE: {error}") from error


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


def _cluster_key(settings: WorkerSettings) -> str:
    # A worker of another cluster may share the Redis; a name that people choose does not tell them apart for sure.
    return "\n".join([settings.cluster, settings.source, settings.context or "", str(settings.kubeconfig or "")])


def _looking(settings: WorkerSettings, cache: ReportCache, names: Names) -> Look:
    def look(asked: Asked, progress: Progress) -> Ran:
        if asked.watched is not None:
            return _followed(settings, asked, asked.watched, progress)
        with opened(settings.origin) as source, closing(NotingSource(source, names)) as noting:
            return run(asked, noting, cache=cache, budget=settings.budget, progress=progress)

    return look


def _followed(settings: WorkerSettings, asked: Asked, span: timedelta, progress: Progress) -> Ran:
    """Follow for as long as a question may take, showing the answer as it grows."""
    if not isinstance(settings.origin, Live):
        raise NotUnderstoodError(NOT_LIVE, str(replace(asked.question, follow=None)))
    longest = timedelta(seconds=max(1.0, settings.soft_limit - settings.budget - _TO_TELL))
    with opened(settings.origin) as source:
        ends = (
            f"{source.now() + min(span, longest):%H:%M:%S} UTC{', as long as a question may take' * (span > longest)}"
        )

        def tell(report: Report) -> None:
            progress(FirstAnswer(report, (f"new flows until {ends}",)))

        return follow(asked, source, min(span, longest), tell, budget=settings.budget)
