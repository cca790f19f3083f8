"""The only place that writes to Slack: placeholders, progress, answers, files, whispers.

An answer edits the placeholder. Publishing it again edits the same message to the same words, so a task may run twice
and nobody sees it. Slack takes about one message a second for a channel
(https://docs.slack.dev/apis/web-api/rate-limits), so the posts of this process to one channel go one after the other,
and progress that comes faster is left out.
"""

import time
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import RLock
from typing import Any
from urllib.error import URLError

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler
from slack_sdk.webhook import WebhookClient
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from bot.render.blocks import CHART, TABLE, Block, Message, clip, escape, natives, shortened
from bot.render.evidence import file_as_message
from bot.slack_client import count_answer
from bot.surface import SurfaceError, UnavailableError
from bot.where import Where

_PACE = 1.0
"""Seconds between two edits for progress in one channel."""
_REMEMBERED = 4_096
_LOOK_BACK = 200
"""Messages among which a lost one is looked for."""
_NAMED = "cilium_triage"
"""Type of the metadata by which a message of ours is known again (https://docs.slack.dev/messaging/message-metadata)."""

_ABSENT = {"not_in_channel", "channel_not_found"}
_SHUT = {"is_archived", "restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_locked"}
_PLACEHOLDER_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
_TOO_MUCH = {"msg_blocks_too_long", "msg_too_long", "invalid_blocks", "invalid_blocks_format"}
_UNKNOWN_BLOCKS = {"invalid_blocks", "invalid_blocks_format"}
_STATUS = "status"
_LONGEST_STATUS = 100
"""Characters; Slack names no number, and shows one line."""
_REFUSED_FOR = timedelta(days=1).total_seconds()
_PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited"}
_ON_THE_WAY = (URLError, TimeoutError, ConnectionError)

log = structlog.get_logger(__name__)


class PublishError(SurfaceError):
    """Slack did not take it; the message is Slack's error code."""


class NotInChannelError(PublishError):
    """The bot is no member of the channel, or may not know that it exists."""


class UndeliverableError(PublishError):
    """Slack will not take it however often it is tried."""


class SlackUnavailableError(PublishError, UnavailableError):
    """Slack could not take it now. ``after`` is how many seconds to wait, where it says so."""

    after: float | None = None


@dataclass(slots=True)
class _Channel:
    """What this process remembers about one channel."""

    turn: RLock
    progress_from: float = 0.0


class Publisher:
    """Writes to Slack. One for a process; any of its threads may use it."""

    def __init__(
        self,
        client: WebClient,
        impatient: WebClient | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take a patient client for what must arrive, and one that fails at once for progress (default: the same)."""
        self._client = client
        self._impatient = impatient or client
        self._poster = _cautious(client)
        self._clock = clock
        self._sleep = sleep
        self._lock = RLock()
        self._channels: defaultdict[str, _Channel] = defaultdict(lambda: _Channel(RLock()))
        self._refused: dict[str, float] = {}
        """Native blocks that the workspace refused, and statuses, and until when they are not tried again."""
        self._settled: OrderedDict[tuple[str, str], Where] = OrderedDict()

    def placeholder(self, where: Where, message: Message) -> Where:
        """Post the placeholder, and return the place with its time stamp (and its channel: a user id makes one).

        Raises:
            NotInChannelError: if the bot may not post there.
            PublishError: if it could not be posted.
        """
        channel, ts = self._post(where, message, where.ticket)
        return replace(where, channel=channel, placeholder_ts=ts)

    def progress(self, where: Where, message: Message) -> bool:
        """Show progress in the placeholder if there is room for it now; never after the answer, never with a wait.

        Blocks that the workspace is known to refuse are left out; what it refuses now is shown without them next time.
        """
        channel = self._channel(where.channel)
        if not channel.turn.acquire(blocking=False):
            return False
        try:
            if not where.placeholder_ts or self._final(where) or self._clock() < channel.progress_from:
                return False
            channel.progress_from = self._clock() + _PACE
            shown = self._forms(message)[0]
            self._impatient.chat_update(**_edit(where, shown))
        except SlackApiError as error:
            channel.progress_from = self._clock() + (_retry_after(error) or _PACE)
            if _code_of(error) in _UNKNOWN_BLOCKS:
                self._learn(shown)
            return False
        except _ON_THE_WAY:
            return False
        finally:
            channel.turn.release()
        return True

    def status(self, where: Where, words: str) -> bool:
        """Show below the thread of a direct conversation what is being done; say whether it stands there.

        That is where Slack shows a status to the one person who waits; it goes by itself when the answer comes, or
        after two minutes (https://docs.slack.dev/reference/methods/assistant.threads.setStatus). A workspace that
        refuses is not asked again for a day.
        """
        if where.channel[:1] != "D" or not where.thread_ts or self._clock() < self._refused.get(_STATUS, 0.0):
            return False
        try:
            self._impatient.assistant_threads_setStatus(
                channel_id=where.channel, thread_ts=where.thread_ts, status=clip(words, _LONGEST_STATUS)
            )
        except SlackApiError as error:
            if _code_of(error) not in _PASSING:
                self._refused[_STATUS] = self._clock() + _REFUSED_FOR
            log.info("no status", channel=where.channel, reason=_code_of(error))
            return False
        except _ON_THE_WAY:
            return False
        return True

    def answer(self, where: Where, message: Message) -> Where:
        """Put the answer in the place of the placeholder, and return where it stands.

        A placeholder that somebody deleted, or that could never be posted, is replaced by a new message in the same
        thread. Where the bot was put out
        of the channel meanwhile, the asker gets the answer privately.

        Raises:
            UndeliverableError: if there is no way to the asker.
            SlackUnavailableError: if Slack is out of order; publishing again later is safe.
        """
        with self._channel(where.channel).turn:
            place = self._final(where) or where
            self._settle(where, place)
            try:
                place = self._put(place, message)
            except (NotInChannelError, UndeliverableError) as error:
                if not where.response_url:
                    raise
                log.info("answered privately", channel=where.channel, reason=str(error))
                self.whisper(where, message)
            self._settle(where, place)
            return place

    def put(self, where: Where, message: Message, *, name: str, may_stand: bool, or_anew: bool = True) -> Where:
        """Post a message of that name, or edit it where it stands: one attempt, for whoever comes again by himself.

        ``may_stand`` says that an earlier attempt may have arrived: then the message is looked for first. One that
        somebody deleted is posted anew, unless ``or_anew`` says that nobody needs it any more.

        Raises:
            SlackUnavailableError: if Slack cannot take it now; come again, and then the message may stand there.
            PublishError: if Slack will not take it.
        """
        with self._soon(where.channel), _slack_errors():
            if may_stand and not where.placeholder_ts:
                where = replace(where, placeholder_ts=self._found(where, name) or "")
            if where.placeholder_ts and self._is_edited(where, message, or_anew=or_anew):
                return where
            posted = self._first_that_fits(
                message, lambda form: self._impatient.chat_postMessage(**_new(where, form, name))
            )
        return replace(where, channel=str(posted["channel"]), placeholder_ts=str(posted["ts"]))

    @contextmanager
    def _soon(self, channel: str) -> Iterator[None]:
        """Have the turn of a channel in this process soon, or not at all: other processes wait for whoever asks."""
        turn = self._channel(channel).turn
        if not turn.acquire(timeout=_PACE):
            raise SlackUnavailableError("others of this process write to the channel")
        try:
            yield
        finally:
            turn.release()

    def _is_edited(self, where: Where, message: Message, *, or_anew: bool) -> bool:
        try:
            self._first_that_fits(message, lambda form: self._impatient.chat_update(**_edit(where, form)))
        except SlackApiError as error:
            if not or_anew or _code_of(error) not in _PLACEHOLDER_GONE:
                raise
            return False
        return True

    def reply(self, where: Where, message: Message) -> None:
        """Post a message in the thread of the answer.

        Raises:
            PublishError: if it could not be posted.
        """
        self._post(replace(where, thread_ts=where.thread), message)

    def takes(self, kind: str) -> bool:
        """Whether the workspace has not refused this kind of block lately."""
        return self._refused.get(kind, 0.0) <= self._clock()

    def attach(self, where: Where, *, name: str, content: str | bytes, title: str, alt_text: str = "") -> None:
        """Upload a file to the thread of the answer; if Slack does not take it, reply with the beginning of a text.

        Raises:
            PublishError: if the reply could not be posted either.
        """
        try:
            self._client.files_upload_v2(
                channel=where.channel,
                thread_ts=where.thread,
                filename=name,
                content=content,
                title=title,
                alt_txt=alt_text or None,
                # What a notification says: a file alone says nothing.
                initial_comment=escape(title),
            )
        except (SlackClientError, *_ON_THE_WAY) as error:
            reason = _code_of(error)
            log.warning("file not uploaded", channel=where.channel, reason=reason)
            shown = content if isinstance(content, str) else "(no text)"
            self.reply(where, file_as_message(title, shown, f"The file could not be uploaded ({reason})"))

    def attach_once(self, where: Where, *, name: str, content: str, title: str) -> None:
        """Upload a file as ``attach`` does, unless the thread has one of this name already.

        Raises:
            PublishError: as ``attach`` does.
        """
        try:
            seen = self._impatient.conversations_replies(channel=where.channel, ts=where.thread or "", limit=_LOOK_BACK)
            names = {str(file.get("name")) for item in seen["messages"] for file in item.get("files") or ()}
        except (SlackClientError, *_ON_THE_WAY) as error:
            log.info("own file not looked for", channel=where.channel, reason=_code_of(error))
            names = set()
        if name not in names:
            self.attach(where, name=name, content=content, title=title)

    def whisper(self, where: Where, message: Message) -> None:
        """Tell the asker alone: through the response URL where there is one, which works in any channel.

        Raises:
            PublishError: if it did not arrive.
        """
        if where.response_url:
            self._respond(where.response_url, message)
            return
        with _slack_errors():
            self._client.chat_postEphemeral(
                channel=where.channel, user=where.user, thread_ts=where.thread_ts, **_content(_plainest(message))
            )

    def open_modal(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Open a modal for who just did something; the trigger lives for three seconds.

        Raises:
            PublishError: if Slack did not take it.
        """
        with _slack_errors():
            self._client.views_open(trigger_id=trigger_id, view=view)

    def address_of(self, channel: str, ts: str) -> str:
        """Return the address of a message, empty where Slack does not tell it now."""
        try:
            return str(self._impatient.chat_getPermalink(channel=channel, message_ts=ts).get("permalink") or "")
        except (SlackClientError, *_ON_THE_WAY) as error:
            log.info("address of a message not told", channel=channel, reason=_code_of(error))
            return ""

    def home(self, user: str, view: dict[str, Any]) -> None:
        """Show the App Home tab.

        Raises:
            PublishError: if Slack did not take it.
        """
        with _slack_errors():
            self._client.views_publish(user_id=user, view=view)

    def _post(self, where: Where, message: Message, name: str = "") -> tuple[str, str]:
        name = name or uuid.uuid4().hex
        again = Retrying(
            retry=retry_if_exception(_passes),
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(max=2),
            sleep=self._sleep,
            reraise=True,
        )
        # One after the other: together they would be told to wait together, and collide again.
        with self._channel(where.channel).turn, _slack_errors():
            for attempt in again:
                with attempt:
                    # Nobody knows whether the one before arrived.
                    found = self._find(where, name) if attempt.retry_state.attempt_number > 1 else None
                    if found:
                        return where.channel, found
                    posted = self._first_that_fits(
                        message, lambda form: self._poster.chat_postMessage(**_new(where, form, name))
                    )
        return str(posted["channel"]), str(posted["ts"])

    def _find(self, where: Where, name: str) -> str | None:
        """Return the time stamp of our message of that name, or None where it is not there or cannot be looked for."""
        try:
            return self._found(where, name)
        except (SlackClientError, *_ON_THE_WAY) as error:
            log.info("own message not looked for", channel=where.channel, reason=_code_of(error))
            return None

    def _found(self, where: Where, name: str) -> str | None:
        """Return the time stamp of our message of that name; None where it is not there, or may never be looked for."""
        look: dict[str, Any] = {"channel": where.channel, "include_all_metadata": True, "limit": _LOOK_BACK}
        try:
            if where.thread_ts:
                seen = self._impatient.conversations_replies(ts=where.thread_ts, **look)
            else:
                seen = self._impatient.conversations_history(**look)
        except SlackApiError as error:
            if _passes(error):
                raise
            log.info("own message not looked for", channel=where.channel, reason=_code_of(error))
            return None
        named = {"event_type": _NAMED, "event_payload": {"name": name}}
        return next((str(item["ts"]) for item in seen["messages"] if item.get("metadata") == named), None)

    def _put(self, place: Where, message: Message) -> Where:
        if not place.placeholder_ts:
            # Another run may have posted it, and was lost before it could say so.
            found = self._find(place, place.ticket)
            if not found:
                channel, ts = self._post(place, message, place.ticket)
                return replace(place, channel=channel, placeholder_ts=ts)
            place = replace(place, placeholder_ts=found)
        try:
            with _slack_errors():
                self._first_that_fits(message, lambda form: self._persistently(place, form))
        except UndeliverableError as error:
            if str(error) not in _PLACEHOLDER_GONE:
                raise
            _, ts = self._post(place, message)
            return replace(place, placeholder_ts=ts)
        return place

    def _persistently(self, place: Where, message: Message) -> Any:
        # An edit may be repeated without harm, so it is also tried again where nobody knows whether it arrived.
        again = Retrying(
            retry=retry_if_exception(_passes),
            stop=stop_after_attempt(4),
            wait=wait_random_exponential(max=4),
            sleep=self._sleep,
            reraise=True,
        )
        return again(self._client.chat_update, **_edit(place, message))

    def _first_that_fits(self, message: Message, send: Callable[[Message], Any]) -> Any:
        short = shortened(message)
        for form in (*self._forms(message), short):
            try:
                sent = send(form)
            except SlackApiError as error:
                if _code_of(error) not in _TOO_MUCH:
                    raise
                if _code_of(error) in _UNKNOWN_BLOCKS:
                    self._learn(form)
                log.warning("message refused", reason=_code_of(error), blocks=len(form.blocks))
            else:
                return sent
        return send(replace(short, blocks=()))

    def _forms(self, message: Message) -> list[Message]:
        """Return the message, and what it is with fewer native blocks, without those known to be refused."""
        now = self._clock()
        forms = [Message(message.text, blocks) for blocks in (message.blocks, *message.plainer)]
        refused = {kind for kind, until in self._refused.items() if now < until}
        return [form for form in forms if not natives(form.blocks) & refused] or forms[-1:]

    def _learn(self, form: Message) -> None:
        """Note which native block was refused: of several the newest kind, since the next form is without that."""
        found = natives(form.blocks)
        for kind in (CHART, TABLE):
            if kind in found:
                self._refused[kind] = self._clock() + _REFUSED_FOR
                return

    def _respond(self, url: str, message: Message) -> None:
        try:
            response = WebhookClient(url, timeout=self._client.timeout).send(
                text=message.text,
                blocks=list(_plainest(message).blocks),
                response_type="ephemeral",
                replace_original=False,
            )
        except _ON_THE_WAY as error:
            raise SlackUnavailableError(type(error).__name__) from error
        count_answer(response.status_code)
        if response.status_code != 200:
            raise UndeliverableError(f"response_url answered {response.status_code}")

    def _channel(self, channel: str) -> _Channel:
        with self._lock:
            return self._channels[channel]

    def _final(self, where: Where) -> Where | None:
        with self._lock:
            return self._settled.get((where.channel, where.placeholder_ts or where.ticket))

    def _settle(self, where: Where, place: Where) -> None:
        with self._lock:
            self._settled[(where.channel, where.placeholder_ts or where.ticket)] = place
            while len(self._settled) > _REMEMBERED:
                self._settled.popitem(last=False)


def _plainest(message: Message) -> Message:
    return Message(message.text, message.plainer[-1]) if message.plainer else message


def _content(message: Message) -> dict[str, Any]:
    blocks: list[Block] = list(message.blocks)
    return {"text": message.text, "blocks": blocks, "parse": "none", "link_names": False}


def _new(where: Where, message: Message, name: str) -> dict[str, Any]:
    quiet = {"unfurl_links": False, "unfurl_media": False}
    named = {"event_type": _NAMED, "event_payload": {"name": name}}
    return {"channel": where.channel, "thread_ts": where.thread_ts, "metadata": named, **quiet, **_content(message)}


def _cautious(client: WebClient) -> WebClient:
    """Return the client without what repeats a call that may have arrived: a message would stand there twice."""
    found = copy(client)
    found.retry_handlers = [item for item in client.retry_handlers if isinstance(item, RateLimitErrorRetryHandler)]
    return found


def _edit(where: Where, message: Message) -> dict[str, Any]:
    return {"channel": where.channel, "ts": where.placeholder_ts, **_content(message)}


@contextmanager
def _slack_errors() -> Iterator[None]:
    """Turn what the SDK raises into what callers can act on."""
    try:
        yield
    except SlackApiError as error:
        reason = _code_of(error)
        if reason in _ABSENT:
            raise NotInChannelError(reason) from error
        if _passes(error):
            unavailable = SlackUnavailableError(reason)
            unavailable.after = _retry_after(error)
            raise unavailable from error
        raise UndeliverableError(reason) from error
    except SlackClientError as error:
        raise UndeliverableError(type(error).__name__) from error
    except _ON_THE_WAY as error:
        raise SlackUnavailableError(type(error).__name__) from error


def _passes(error: BaseException) -> bool:
    if isinstance(error, SlackApiError):
        status = getattr(error.response, "status_code", 200)
        return status == 429 or status >= 500 or _code_of(error) in _PASSING
    return isinstance(error, _ON_THE_WAY)


def _code_of(error: BaseException) -> str:
    if isinstance(error, SlackApiError):
        reason = error.response.get("error") if hasattr(error.response, "get") else None
        return str(reason or "unknown_error")
    return type(error).__name__


def _retry_after(error: SlackApiError) -> float | None:
    headers = getattr(error.response, "headers", None) or {}
    named = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    named = named[0] if isinstance(named, list) else named
    return float(named) if isinstance(named, str) and named.isdigit() else None
