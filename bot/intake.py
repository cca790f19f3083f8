"""Takes a question from the moment it is acknowledged to the moment a worker has it.

Understand, guard, placeholder, join the others who wait, dispatch: each step may end the matter, and then the asker is
told in words.
"""

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from traceback import extract_tb

import structlog
from redis.exceptions import RedisError

from bot.audit import Act, Entry, Note, no_note
from bot.conversations import Conversations
from bot.deliveries import REMEMBER, Deliveries
from bot.dispatch import QueueDownError
from bot.dumps import Dumps
from bot.followed import followed
from bot.guard import Guard
from bot.measured import measured
from bot.metrics import ASKED, TURNED_AWAY, Stage
from bot.publish import NotInChannelError, Publisher, PublishError, SlackUnavailableError
from bot.render.blocks import Message
from bot.render.candidates import not_understood
from bot.render.failure import (
    Failure,
    failure_message,
    internal,
    not_in_channel,
    not_looked_at,
    not_taken,
    queue_down,
    which_cluster,
)
from bot.render.progress import LOOKING, looking, slack_is_slow
from bot.stages import stage
from bot.surface import Surface, SurfaceError
from bot.surfaces.slack import address_of
from bot.ticket import Ticket, new_ticket_id
from bot.watch import Watch
from bot.where import Via, Where
from handlers.commands.command import Asked, NotUnderstoodError
from handlers.model.attachment import Attachment
from handlers.names.which_cluster import cluster_meant, cluster_named, cluster_surely_named

log = structlog.get_logger(__name__)

_SAYS_WHO = {Via.COMMAND, Via.BUTTON}
"""Where the channel does not show who asked."""
_ALONE = {Via.COMMAND, Via.BUTTON}
"""Where a reply that answers nothing is for the asker's eyes only."""

Search = Callable[[], Sequence[Attachment]]


@dataclass(frozen=True, slots=True)
class Intake:
    """The way of a question through the web process."""

    understand: Callable[[str, Sequence[Attachment], str], Asked]
    deliveries: Deliveries
    conversations: Conversations
    guard: Guard
    publisher: Publisher
    surface: Surface
    watch: Watch
    dumps: Dumps
    cluster: str = ""
    """The cluster that is meant where neither a question, its conversation nor its channel names one."""
    clusters: Callable[[], Collection[str]] = tuple
    """The clusters that workers look at now, of those that have a name."""
    cluster_of: Callable[[str], str] = lambda _channel: ""
    """The cluster that a channel is about, empty for any."""
    note: Note = no_note
    """Where the audit log is."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def ask(
        self, text: str, where: Where, *, delivery: str, per_question: bool = False, attached: Search = tuple
    ) -> None:
        """Take a question in. Says everything that has to be said itself; raises nothing.

        ``attached`` looks for what came with the question.

        ``delivery`` names what Slack delivered, so that it counts once. With ``per_question`` the same delivery counts
        again when it asks something else: an edited message.
        """
        self.safely(where, lambda: self._ask(text, where, delivery, attached, per_question=per_question))

    def safely(self, where: Where, work: Callable[[], None]) -> None:
        """Do work for an asker; whatever goes wrong is told to the asker in words, and logged without secrets."""
        try:
            work()
        except (RedisError, QueueDownError) as error:
            log.error("queue does not answer", error=type(error).__name__)
            self._turn_away(where, queue_down())
        except SurfaceError as error:
            log.warning("slack did not take it", error=type(error).__name__, reason=str(error), channel=where.channel)
        except Exception as error:  # noqa: BLE001  (the asker must hear of it, whatever it is)
            failure_id = uuid.uuid4().hex[:8]
            log.error("internal error", id=failure_id, error=type(error).__name__, at=_place_of(error))
            self._turn_away(where, internal(failure_id))

    def audited(self, act: Act, what: str, where: Where, cluster: str = "") -> None:
        """Note what was done for somebody in the audit log."""
        self.note(Entry(act, what, where.user, where.team, where.channel, self.now(), cluster))

    def is_first(self, where: Where, delivery: str, *, within: timedelta = REMEMBER) -> bool:
        """Say whether a delivery is new. Without Redis nobody knows; then the asker is told, and no more happens."""
        try:
            return self.deliveries.is_first(delivery, within=within)
        except RedisError as error:
            log.error("redis does not answer", error=type(error).__name__)
            self._turn_away(where, queue_down())
            return False

    def _ask(self, text: str, where: Where, delivery: str, search: Search, *, per_question: bool) -> None:
        asked: Asked | NotUnderstoodError
        attached: Sequence[Attachment] = ()
        cluster = ""
        try:
            attached = search()
            asked, cluster = self._understood(text, attached, where)
        except NotUnderstoodError as error:
            asked = error
        subject = (
            text if isinstance(asked, NotUnderstoodError) else f"{asked} {asked.fresh} {asked.question!r} {cluster}"
        )
        name = f"{delivery}:{_digest(subject)}" if per_question else delivery
        if not self.deliveries.is_first(name):
            log.info("delivered again", delivery=delivery)
        elif isinstance(asked, NotUnderstoodError):
            self._did_not_understand(asked, where)
        elif objection := self.guard.objection(where, asked.command.role, asked.command.name):
            log.info("refused", kind=objection.kind, user=where.user, command=asked.command.name)
            self.audited(Act.REFUSED, str(asked), where, cluster)
            self._turn_away(where, objection)
        elif doubt := self.doubt_about(cluster):
            measured.count(TURNED_AWAY, reason=doubt.kind)
            choices = [f"{asked} cluster {name}" for name in self.clusters()] if not cluster else []
            self.tell(where, not_understood(doubt.happened, "", choices) if choices else failure_message(doubt))
        else:
            self._take(asked, where, tuple(attached) if asked.command.attach else (), cluster)

    def _understood(self, text: str, attached: Sequence[Attachment], where: Where) -> tuple[Asked, str]:
        """Return the question and its cluster: the one that is named, else that of the conversation, of the channel.

        Raises:
            NotUnderstoodError: if it is no question.
        """
        latest = self.conversations.latest(where)
        named = cluster_named(text, self.clusters())
        if named.cluster:
            return self.understand(named.text, attached, latest), named.cluster
        try:
            asked = self.understand(text, attached, latest)
            if sure := cluster_surely_named(text):
                return asked, sure
        except NotUnderstoodError as error:
            meant = cluster_meant(text)
            if not meant.cluster:
                raise
            try:
                return self.understand(meant.text, attached, latest), meant.cluster
            except NotUnderstoodError:
                raise error from None
        return asked, self.cluster_for(where)

    def doubt_about(self, cluster: str) -> Failure | None:
        """Return why nothing is asked about a cluster: nobody looks at it, or none is named and there are several."""
        known = self.clusters()
        if cluster:
            return not_looked_at(cluster, known) if known and cluster not in known else None
        return which_cluster(known) if len(known) > 1 else None

    def cluster_for(self, where: Where) -> str:
        """Return the cluster that is meant in a place where a question names none, empty for any."""
        return self.conversations.cluster(where) or self.cluster_of(where.channel) or self.cluster

    def _take(self, asked: Asked, where: Where, attached: tuple[Attachment, ...], cluster: str) -> None:
        where = replace(where, ticket=new_ticket_id())
        with followed(where.ticket), stage(Stage.TAKE):
            self._enter(asked, where, attached, cluster)

    def _enter(self, asked: Asked, where: Where, attached: tuple[Attachment, ...], cluster: str) -> None:
        question, dump = str(asked), self.dumps.of(where)
        asker = where.user if where.via in _SAYS_WHO else ""
        try:
            if not self.publisher.status(where, LOOKING):
                where = self.publisher.placeholder(where, looking(question, asked_by=asker, ahead=self.watch.ahead()))
        except NotInChannelError:
            self._turn_away(where, not_in_channel())
            return
        except SlackUnavailableError as error:
            # The answer will be the first message, whenever Slack takes it.
            log.warning("no placeholder", reason=str(error), channel=where.channel)
            if where.response_url:
                self.tell(where, slack_is_slow(question))
        except PublishError as error:
            log.warning("no place for an answer", reason=str(error), channel=where.channel)
            if where.response_url:
                self._turn_away(where, not_taken(str(error)))
            return
        ticket = Ticket(
            id=where.ticket,
            text=question,
            command=asked.command.name,
            fresh=asked.fresh,
            address=address_of(where),
            asked_at=self.now(),
            attachments=attached,
            cluster=cluster,
            dump=dump,
        )
        try:
            self.conversations.asked(where, question, attached, cluster=cluster)
            self.watch.enter(ticket)
        except (RedisError, QueueDownError):
            # Once on the list it is sent again, and the answer takes the place of the bad news.
            self.surface.fail(ticket, queue_down())
        measured.count(ASKED, via=where.via)
        log.info("asked", command=ticket.command, via=where.via, channel=where.channel)

    def _turn_away(self, where: Where, failure: Failure) -> None:
        measured.count(TURNED_AWAY, reason=failure.kind)
        self.tell(where, failure_message(failure))

    def _did_not_understand(self, error: NotUnderstoodError, where: Where) -> None:
        if where.via is not Via.INCIDENT:
            measured.count(TURNED_AWAY, reason="not-understood")
            self.tell(where, not_understood(error.problem, error.usage, error.suggestions))

    def tell(self, where: Where, message: Message) -> None:
        """Say something that answers no question: to the asker alone where others did not see the asking."""
        try:
            if where.via in _ALONE:
                self.publisher.whisper(where, message)
            else:
                self.publisher.placeholder(replace(where, placeholder_ts=""), message)
        except PublishError as error:
            log.warning("asker not told", error=type(error).__name__, reason=str(error), channel=where.channel)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _place_of(error: BaseException) -> str:
    # Where it happened, without the stack: values in a trace may be secrets.
    frames = extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
