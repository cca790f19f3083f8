"""Answers through the addresses that came with commands and clicks.

Source: Slack document "Handling user interaction", message responses: up to 5 uses within 30 minutes; ephemeral unless
``response_type`` says ``in_channel``; ``replace_original``, ``delete_original`` and ``thread_ts``.
"""

from __future__ import annotations

from aiohttp import web

from tools.playground.limits import MAX_TEXT
from tools.playground.response_targets import Refused, ResponseTarget
from tools.playground.stand_in import StandIn
from tools.playground.typed_text import normalise_bot_text
from tools.playground.workspace import BOT_USER_ID, Json, Message


async def serve(stand_in: StandIn, request: web.Request) -> web.StreamResponse:
    """Answer a POST to a ``response_url``."""
    try:
        target = stand_in.response_urls.use(request.match_info["token"], stand_in.clock())
        try:
            body = await request.json()
        except ValueError:
            raise Refused("invalid_payload", 400) from None
        if not isinstance(body, dict):
            raise Refused("invalid_payload", 400)
        respond(stand_in, target, body)
    except Refused as refused:
        return web.json_response({"ok": False, "error": refused.error}, status=refused.status)
    return web.Response(text="ok")


def respond(stand_in: StandIn, target: ResponseTarget, body: Json) -> None:
    """Post, replace or delete as the response asks."""
    workspace = stand_in.workspace
    original = workspace.find_message(target.channel, target.original) if target.original else None
    if body.get("delete_original"):
        if original is None:
            raise Refused("no_original", 404)
        stand_in.retract(original)
        return
    text, blocks = body.get("text") or "", body.get("blocks") or []
    attachments = body.get("attachments") or []
    if not text and not blocks and not attachments:
        raise Refused("no_text", 400)
    errors = stand_in.block_error(blocks)
    if errors is not None:
        raise Refused(str(errors["error"]), 400)
    text = normalise_bot_text(str(text)[:MAX_TEXT])
    blocks = stand_in.with_identifiers(blocks)
    if body.get("replace_original") and original is not None:
        stand_in.edit(original, text=text, blocks=blocks, attachments=attachments, by=BOT_USER_ID)
        return
    stand_in.publish(
        Message(
            channel=target.channel,
            ts=workspace.next_ts(),
            user=BOT_USER_ID,
            text=text,
            blocks=blocks,
            attachments=attachments,
            from_bot=True,
            thread_ts=body.get("thread_ts") or target.thread_ts,
            only_for=None if body.get("response_type") == "in_channel" else target.user,
        )
    )
