"""Every metric, declared once: its name, what it counts, and all values that its labels may have.

A label's values are listed here, so that no name of a pod, a namespace, a person or a channel can become one, and the
number of series is known before anything is measured. ``bot.measured`` counts, ``bot.backlog`` reads what stands in
Redis, ``bot.metrics_server`` shows both; docs/metrics.md is made of this page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.render.failure import FailureKind
from bot.where import Via
from handlers.catalogue import CATALOGUE
from handlers.model.snapshot import Gap

PREFIX = "cilium_triage_"
OTHER = "other"
"""In the place of a value that is not declared."""


class Kind(StrEnum):
    """What may be done with a metric."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    """How long something took, in seconds."""
    GAUGE = "gauge"
    """How things are when Prometheus asks; web processes tell it, most of it from Redis."""


class Outcome(StrEnum):
    """How a question ended, for one who asked it."""

    OPEN = "open"
    BLOCKED = "blocked"
    CANNOT_TELL = "cannot-tell"
    PROBLEM = "problem"
    FINE = "fine"
    FAILED = "failed"
    TIMED_OUT = "timed-out"


class Stage(StrEnum):
    """A part of the time that passes from the asking to the answer."""

    TAKE = "take"
    """In the web process: the placeholder, and the way into the queue."""
    QUEUE = "queue"
    """From the asking until a worker begins, by the clocks of two machines."""
    READ = "read"
    """The cluster, or an archive."""
    JUDGE = "judge"
    """The probes and the report."""
    PUBLISH = "publish"
    """Until everybody who waits was told."""


class Call(StrEnum):
    """What became of a call to Slack's Web API, the last of its tries."""

    TAKEN = "taken"
    REFUSED = "refused"
    RATE_LIMITED = "rate-limited"
    UNAVAILABLE = "unavailable"


class Look(StrEnum):
    """Whether the cache had the answer."""

    HIT = "hit"
    MISS = "miss"
    FRESH = "fresh"
    """It was not asked: the answer was wanted fresh."""


class Hearing(StrEnum):
    """How much of Hubble an answer heard that wanted flows."""

    WHOLE = "whole"
    PARTLY = "partly"
    """Some nodes were silent, or events were lost."""
    UNREAD = "unread"
    """Relay did not answer, or refused."""


class CardNews(StrEnum):
    """What became of a cause that alerts told of."""

    KEPT = "kept"
    SILENT = "silent"
    """It is not about the network."""
    LEFT_OUT = "left-out"
    """The channel has as many cards as are kept."""


class Told(StrEnum):
    """What became of a digest."""

    SENT = "sent"
    LATE = "late"
    """Sent, more than five minutes after it was due."""
    QUIET = "quiet"
    """Nothing differs, and the subscription wants no word then."""
    MISSED = "missed"
    """It was due when nobody ran; that was said instead."""
    FAILED = "failed"
    """No question of it had an answer, or its channel took nothing."""


_FAST = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)
"""Upper ends of the buckets, in seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric. ``labels`` has for each label all values that it may have."""

    name: str
    kind: Kind
    meaning: str
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name as Prometheus has it, without what it puts behind the names of a histogram's series."""
        return f"{PREFIX}{self.name}{'_total' * (self.kind is Kind.COUNTER)}"

    @property
    def series_names(self) -> tuple[str, ...]:
        """The names by which its series are asked for."""
        ends = ("_bucket", "_count", "_sum") if self.kind is Kind.HISTOGRAM else ("",)
        return tuple(f"{self.full_name}{end}" for end in ends)


def _counter(name: str, meaning: str, **labels: Sequence[str]) -> Metric:
    return Metric(name, Kind.COUNTER, meaning, labels)


def _seconds(name: str, meaning: str, **labels: Sequence[str]) -> Metric:
    return Metric(name, Kind.HISTOGRAM, meaning, labels, _FAST)


def _gauge(name: str, meaning: str, **labels: Sequence[str]) -> Metric:
    return Metric(name, Kind.GAUGE, meaning, labels)


_COMMANDS = (*sorted(CATALOGUE.commands), OTHER)

ASKED = _counter("asked", "Questions that were taken in, by the way in which they came.", via=tuple(Via))
TURNED_AWAY = _counter(
    "turned_away",
    "Questions that were answered at once with a reason: not allowed, too many, no place for an answer, no queue.",
    reason=("not-understood", *FailureKind),
)
ANSWERED = _counter(
    "questions",
    "Askers who were told how their question ended; several who ask the same count each.",
    kind=_COMMANDS,
    outcome=tuple(Outcome),
)
QUESTION_SECONDS = _seconds("question_seconds", "From the asking until the asker was told.", kind=_COMMANDS)
STAGE_SECONDS = _seconds("stage_seconds", "How long each stage of a question took.", stage=tuple(Stage))
RUNS_SENT_AGAIN = _counter(
    "questions_sent_again", "Questions that were sent to a worker again, since a run or a message was lost."
)
GAPS = _counter("gaps", "Parts of the cluster that an answer was made without, by the reason.", reason=tuple(Gap))
CACHE = _counter("cache_lookups", "Answers that were looked for in the cache.", result=tuple(Look))
HUBBLE_READS = _counter("hubble_reads", "Answers that wanted flows, by how many were heard.", result=tuple(Hearing))
FLOWS_READ = _counter("hubble_flows_read", "Flows that answers were made of.")
FLOWS_LOST = _counter("hubble_events_lost", "Events that Hubble said it lost in the windows that were read.")
NODES_SILENT = _counter("hubble_nodes_silent", "Nodes whose flows were asked for and not heard.")
SLACK_CALLS = _counter("slack_calls", "Calls to Slack's Web API, by what became of each.", result=tuple(Call))
SLACK_429 = _counter("slack_rate_limited", "Times that Slack answered 429, those that were tried again included.")
ALERTS = _counter("alerts", "Alerts that were taken in.")
CARDS = _counter("card_news", "Causes that alerts told of, by what became of each.", result=tuple(CardNews))
SHOWN = _counter(
    "cards_shown", "Posts and edits about alerts in Slack, by what they are.", what=("card", "detail", "storm", "quiet")
)
DIGESTS = _counter("digests", "Digests, by what became of each.", result=tuple(Told))

SLACK_CONNECTED = _gauge("slack_connected", "1 where Slack can deliver to this web process now: take the least of all.")
REDIS_UP = _gauge("redis_up", "1 where Redis answered when it was asked; else there are no gauges below.")
WORKERS_THERE = _gauge("worker_there", "1 where any worker said within the last 45 seconds that it is there.")
QUEUE_LENGTH = _gauge("queue_length", "Messages in all queues that no worker has taken yet.")
WAITING = _gauge("questions_waiting", "Askers who have no answer yet.")
OLDEST = _gauge("oldest_question_seconds", "How long the asker has waited who waits longest; 0 where nobody does.")
OUTBOX = _gauge("outbox_length", "Cards, threads and summaries that are to be shown by now.")
FIX_WATCHES = _gauge("fix_watches", "Connections that are watched until their fix holds.")
SUBSCRIPTIONS = _gauge("digest_subscriptions", "Digests that are subscribed to and not paused.")
DIGEST_OVERDUE = _gauge(
    "digest_overdue_seconds", "How long the digest has been due that is due longest; 0 where none is."
)
REDIS_MEMORY = _gauge("redis_memory_bytes", "Memory that Redis has in use.")
REDIS_LIMIT = _gauge("redis_memory_limit_bytes", "Memory that Redis may use (maxmemory); 0: as much as there is.")

METRICS: tuple[Metric, ...] = tuple(one for one in list(vars().values()) if isinstance(one, Metric))
