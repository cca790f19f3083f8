"""What came with a question: code blocks in its words, and text files dropped beside it or earlier in its thread.

Code blocks are fenced in the text (https://docs.slack.dev/messaging/formatting-message-text). A file is read by its
``url_private`` with the bot's token, which needs the scope ``files:read``
(https://docs.slack.dev/reference/objects/file-object).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack_files import FileError, opened_file
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError
from handlers.model.attachment import MOST_ATTACHED, Attachment

Payload = Mapping[str, Any]

MOST_FILES = 10
"""Files read for one question."""
MOST_REPLIES = 50
"""Messages of a thread that are looked at for what a question in it is about."""
_SECONDS = 8

_BLOCK = re.compile(r"```(?:[a-zA-Z]+\n)?(.*?)```", re.DOTALL)
_LINK = re.compile(r"<(?:[^<>|\s]*\|)?([^<>|]*)>")


def words_of(text: str) -> str:
    """Return the words around the code blocks."""
    return _BLOCK.sub(" ", text)


def blocks_of(text: str) -> tuple[Attachment, ...]:
    """Return the code blocks of a text as they were typed."""
    found = (match.group(1) for match in _BLOCK.finditer(text))
    return tuple(Attachment(f"code block {number}", _typed(block)) for number, block in enumerate(found, start=1))


def _typed(block: str) -> str:
    text = _LINK.sub(r"\1", block)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip("\n") + "\n"


@dataclass(frozen=True, slots=True)
class Attached:
    """Looks for what came with a message."""

    client: WebClient

    def to(self, text: str, message: Payload, channel: str) -> Callable[[], tuple[Attachment, ...]]:
        """Return the search for what came with a question, its text given without code blocks.

        Nothing is looked for where nothing can come with it. The search raises NotUnderstoodError for a file
        that cannot be read, is no text, or is too large.
        """
        if not CATALOGUE.takes_attachments(text):
            return tuple
        return lambda: _bounded(self._beside(message) or self._earlier(message, channel))

    def beside(self, message: Payload) -> tuple[Attachment, ...]:
        """Return what came with a message itself; raises NotUnderstoodError as the search does."""
        return _bounded(self._beside(message))

    def _beside(self, message: Payload) -> tuple[Attachment, ...]:
        files = [item for item in message.get("files") or () if isinstance(item, Mapping)]
        return (*blocks_of(str(message.get("text") or "")), *map(self._read, files[:MOST_FILES]))

    def _earlier(self, message: Payload, channel: str) -> tuple[Attachment, ...]:
        """Return what the latest message of the thread that has something has."""
        thread = message.get("thread_ts")
        if not thread:
            return ()
        try:
            found = self.client.conversations_replies(channel=channel, ts=str(thread), limit=MOST_REPLIES)
        except SlackApiError:
            return ()
        replies = [one for one in found.get("messages") or () if not one.get("bot_id")]
        return next(filter(None, (self._beside(one) for one in reversed(replies))), ())

    def _read(self, file: Payload) -> Attachment:
        name, url = str(file.get("name") or "a file"), str(file.get("url_private") or "")
        if int(file.get("size") or 0) > MOST_ATTACHED:
            raise NotUnderstoodError(_too_large(name))
        try:
            with opened_file(self.client, url, name, _SECONDS) as answer:
                content, kind = answer.read(MOST_ATTACHED + 1), answer.headers.get_content_type()
        except FileError as error:
            raise NotUnderstoodError(f"{error} It can be pasted as a code block.") from error
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise NotUnderstoodError(f"{name} is no text.") from error
        if "\0" in text or kind == "text/html":
            raise NotUnderstoodError(f"{name} is no text that I may read; I need the scope files:read.")
        return Attachment(name, text)


def _bounded(found: Sequence[Attachment]) -> tuple[Attachment, ...]:
    if sum(len(one.content.encode(errors="replace")) for one in found) > MOST_ATTACHED:
        raise NotUnderstoodError(_too_large("What came with the question"))
    return tuple(found)


def _too_large(name: str) -> str:
    return f"{name} is larger than {MOST_ATTACHED >> 10} KiB; ask in a terminal with --file."
