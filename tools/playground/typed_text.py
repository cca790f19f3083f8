"""What Slack makes of the words a person types.

Sources: Slack documents "Formatting message text" (the three escaped characters, mentions, links) and "Slash commands"
(``should_escape``). Slack turns bare host names into links when they end in a top-level domain that it knows; names
such as ``cart.shop.svc.cluster.local`` and plain IP addresses stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tools.playground.workspace import Channel, ChannelKind, User

KNOWN_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|io|dev|app|ai|co|cloud|page|run|sh|tech|xyz|me|tv|us|uk|eu|de|fr|es"
    "|it|nl|be|ch|at|se|no|dk|fi|pl|pt|cz|ie|ru|ua|jp|cn|in|au|nz|ca|br|mx|kr|sg|hk|tw|za"
)
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = rf"(?:{LABEL}\.)+(?:{KNOWN_DOMAINS})"
TYPED = re.compile(
    rf"""
      (?P<block>```.+?```)
    | (?P<code>`[^`\n]+`)
    | (?P<url>https?://[^\s<>"`|]*[^\s<>"`|.,;:!?)\]}}'’”])
    | (?P<email>(?<![\w.+-])[\w.+-]+@{HOST}(?![\w-]))
    | (?P<host>(?<![\w@./-]){HOST}(?::\d{{1,5}})?(?:/[^\s<>"`|]*[^\s<>"`|.,;:!?)\]}}'’”])?(?![\w-]|\.\w))
    | (?P<user>(?<![\w@])@(?P<user_name>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?))
    | (?P<channel>(?<![\w#])\#(?P<channel_name>[a-z0-9][a-z0-9_-]*))
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
BROADCASTS = ("here", "channel", "everyone")


class PieceKind(Enum):
    """The kinds of things found in typed text."""

    TEXT = "text"
    CODE = "code"
    CODE_BLOCK = "code block"
    LINK = "link"
    USER = "user"
    CHANNEL = "channel"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of typed text: what was typed, and what it refers to."""

    kind: PieceKind
    typed: str
    target: str = ""


def escape(text: str) -> str:
    """Escape the three characters that Slack escapes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def curl_quotes(text: str) -> str:
    """Replace straight quotes as desktop keyboards set to "smart quotes" do."""
    text = re.sub(r'(^|[\s(\[])"', "\\1“", text).replace('"', "”")
    return re.sub(r"(^|[\s(\[])'", "\\1‘", text).replace("'", "’")


def pieces(typed: str, users: Iterable[User], channels: Iterable[Channel]) -> list[Piece]:
    """Split typed text into text, code, links and mentions."""
    by_name = {user.name: user.id for user in users}
    by_channel = {channel.name: channel.id for channel in channels if channel.kind is not ChannelKind.DIRECT}
    found: list[Piece] = []
    end = 0
    for match in TYPED.finditer(typed):
        piece = _piece(match, by_name, by_channel)
        if piece is None:
            continue
        if match.start() > end:
            found.append(Piece(PieceKind.TEXT, typed[end : match.start()]))
        found.append(piece)
        end = match.end()
    if end < len(typed):
        found.append(Piece(PieceKind.TEXT, typed[end:]))
    return found


def _piece(match: re.Match[str], users: dict[str, str], channels: dict[str, str]) -> Piece | None:
    text = match.group(0)
    match match.lastgroup:
        case "block":
            return Piece(PieceKind.CODE_BLOCK, text, text[3:-3].strip("\n"))
        case "code":
            return Piece(PieceKind.CODE, text, text[1:-1])
        case "url":
            return Piece(PieceKind.LINK, text, text)
        case "email":
            return Piece(PieceKind.LINK, text, f"mailto:{text}")
        case "host":
            return Piece(PieceKind.LINK, text, f"http://{text}")
    name = match.group("user_name")
    if name is not None:
        if name.lower() in BROADCASTS:
            return Piece(PieceKind.BROADCAST, text, name.lower())
        known = users.get(name.lower())
        return Piece(PieceKind.USER, text, known) if known else None
    known = channels.get((match.group("channel_name") or "").lower())
    return Piece(PieceKind.CHANNEL, text, known) if known else None


def as_message_text(found: list[Piece]) -> str:
    """Return the ``text`` of the message event for typed text."""
    return "".join(_written(piece, labels=False) for piece in found)


def as_command_text(typed: str, found: list[Piece], *, should_escape: bool) -> str:
    """Return the ``text`` of a slash command: raw, or with references escaped when the manifest asks for it."""
    return "".join(_written(piece, labels=True) for piece in found) if should_escape else typed


def _written(piece: Piece, *, labels: bool) -> str:
    label = f"|{piece.typed[1:]}" if labels else ""
    match piece.kind:
        case PieceKind.LINK if piece.target == piece.typed:
            return f"<{escape(piece.target)}>"
        case PieceKind.LINK:
            return f"<{escape(piece.target)}|{escape(piece.typed)}>"
        case PieceKind.USER:
            return f"<@{piece.target}{label}>"
        case PieceKind.CHANNEL:
            return f"<#{piece.target}|{piece.typed[1:] if labels else ''}>"
        case PieceKind.BROADCAST:
            return f"<!{piece.target}>"
    return escape(piece.typed)


def as_rich_text(found: list[Piece], block_id: str) -> dict[str, Any]:
    """Return the ``rich_text`` block that Slack adds to what a person typed."""
    elements: list[dict[str, Any]] = []
    section: list[dict[str, Any]] = []

    def close_section() -> None:
        if section:
            elements.append({"type": "rich_text_section", "elements": list(section)})
            section.clear()

    for piece in found:
        match piece.kind:
            case PieceKind.CODE_BLOCK:
                close_section()
                inner = [{"type": "text", "text": piece.target}]
                elements.append({"type": "rich_text_preformatted", "elements": inner, "border": 0})
            case PieceKind.CODE:
                section.append({"type": "text", "text": piece.target, "style": {"code": True}})
            case PieceKind.LINK:
                named = {} if piece.target == piece.typed else {"text": piece.typed}
                section.append({"type": "link", "url": piece.target} | named)
            case PieceKind.USER:
                section.append({"type": "user", "user_id": piece.target})
            case PieceKind.CHANNEL:
                section.append({"type": "channel", "channel_id": piece.target})
            case PieceKind.BROADCAST:
                section.append({"type": "broadcast", "range": piece.target})
            case PieceKind.TEXT:
                section.append({"type": "text", "text": piece.typed})
    close_section()
    return {"type": "rich_text", "block_id": block_id, "elements": elements}


CONTROL_SEQUENCE = re.compile(r"<(?:[@#!][^<>\n]+|(?:https?://|mailto:|tel:)[^<>\n]+|[a-z][a-z0-9+.-]*:[^<>\n]+)>")
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
BARE_URL = re.compile(r"https?://[^\s<>\"`|]*[^\s<>\"`|.,;:!?)\]}']")


def normalise_bot_text(text: str) -> str:
    """Return bot text as Slack stores it: control sequences kept, stray ``< > &`` escaped, bare URLs marked."""
    kept: list[str] = []
    end = 0
    for match in CONTROL_SEQUENCE.finditer(text):
        kept.extend((_escape_stray(text[end : match.start()]), match.group(0)))
        end = match.end()
    kept.append(_escape_stray(text[end:]))
    return "".join(kept)


def _escape_stray(text: str) -> str:
    escaped = ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    return BARE_URL.sub(lambda match: f"<{match.group(0)}>", escaped)
