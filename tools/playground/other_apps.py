"""Other apps of the workspace, such as senders of alerts: what they post and edit."""

from __future__ import annotations

from tools.playground.impossible import NotPossible
from tools.playground.limits import MAX_TEXT
from tools.playground.stand_in import StandIn
from tools.playground.typed_text import normalise_bot_text
from tools.playground.workspace import OTHER_BOT_ID, OTHER_BOT_USER_ID, Channel, Json, Message


def post(
    stand_in: StandIn,
    channel: Channel,
    name: str,
    text: str,
    *,
    attachments: list[Json],
    blocks: list[Json],
    thread_ts: str | None = None,
    as_user: bool = False,
) -> Message:
    """Post as an incoming webhook does, a ``bot_message`` without a user, or ``as_user`` as an app with a bot does."""
    _check(stand_in, text, attachments, blocks)
    return stand_in.publish(
        Message(
            channel=channel.id,
            ts=stand_in.workspace.next_ts(),
            user=OTHER_BOT_USER_ID if as_user else "",
            username=name,
            other_app=OTHER_BOT_ID,
            subtype=None if as_user else "bot_message",
            text=normalise_bot_text(text[:MAX_TEXT]),
            attachments=_stored(stand_in, attachments),
            blocks=stand_in.with_identifiers(blocks),
            thread_ts=thread_ts,
        )
    )


def edit(stand_in: StandIn, message: Message, *, text: str, attachments: list[Json], blocks: list[Json]) -> None:
    """Change a message of another app, as Alertmanager does with one that is resolved."""
    _check(stand_in, text, attachments, blocks)
    stand_in.edit(
        message,
        text=normalise_bot_text(text[:MAX_TEXT]),
        attachments=_stored(stand_in, attachments),
        blocks=stand_in.with_identifiers(blocks),
        by=OTHER_BOT_USER_ID,
    )


def _check(stand_in: StandIn, text: str, attachments: list[Json], blocks: list[Json]) -> None:
    if not text and not attachments and not blocks:
        raise NotPossible("nothing to post")
    if stand_in.block_error(blocks) is not None:
        raise NotPossible("Slack would refuse these blocks")


def _stored(stand_in: StandIn, attachments: list[Json]) -> list[Json]:
    """Return attachments as Slack hands them on: numbered, with a fallback, their blocks with ids."""
    stored: list[Json] = [
        {"id": number, "fallback": "[no preview available]"} | item for number, item in enumerate(attachments, 1)
    ]
    for item in stored:
        if "blocks" in item:
            item["blocks"] = stand_in.with_identifiers(item["blocks"])
    return stored
