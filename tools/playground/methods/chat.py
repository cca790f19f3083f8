"""``chat.*`` and ``assistant.threads.*``: posting, editing, deleting, streaming."""

from __future__ import annotations

from typing import Any

from tools.playground import limits
from tools.playground.rate import Tier
from tools.playground.stand_in import StandIn
from tools.playground.typed_text import normalise_bot_text
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import BOT_USER_ID, Change, ChangeKind, Channel, Json, Message


@method("chat.postMessage", Tier.POSTING, scope="chat:write")
def chat_post_message(call: Call) -> Json:
    """Post a message to a channel or a thread."""
    channel = _postable(call)
    content = _content(call)
    thread_ts = _thread(call, channel)
    message = call.stand_in.publish(
        Message(
            channel=channel.id,
            ts=call.stand_in.workspace.next_ts(),
            user=BOT_USER_ID,
            from_bot=True,
            thread_ts=thread_ts,
            broadcast=call.flag("reply_broadcast") and thread_ts is not None,
            username=call.optional("username"),
            metadata=_metadata(call),
            **content,
        )
    )
    return {"channel": channel.id, "ts": message.ts, "message": message.to_slack()}


@method("chat.postEphemeral", Tier.FOUR, scope="chat:write")
def chat_post_ephemeral(call: Call) -> Json:
    """Post a message that one person sees."""
    channel = _postable(call)
    user = call.stand_in.workspace.user(call.required("user"))
    if user is None or user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = _content(call)
    message = call.stand_in.publish(
        Message(
            channel=channel.id,
            ts=call.stand_in.workspace.next_ts(),
            user=BOT_USER_ID,
            from_bot=True,
            thread_ts=_thread(call, channel),
            only_for=user.id,
            **content,
        )
    )
    return {"message_ts": message.ts}


@method("chat.update", Tier.THREE, scope="chat:write")
def chat_update(call: Call) -> Json:
    """Edit a message of the app. What is not sent stays as it was (Slack document "chat.update")."""
    channel = call.channel()
    message = call.message(channel)
    if not message.from_bot:
        raise SlackError("cant_update_message")
    if message.streaming:
        raise SlackError("streaming_state_conflict")
    if len(call.text("text")) > limits.MAX_UPDATE_TEXT:
        raise SlackError("msg_too_long")
    content = _content(call)
    if call.given("metadata"):
        message.metadata = _metadata(call)
    call.stand_in.edit(
        message,
        text=content["text"] if call.given("text") else message.text,
        blocks=content["blocks"] if call.given("blocks") else message.blocks,
        attachments=content["attachments"] if call.given("attachments") else message.attachments,
        by=BOT_USER_ID,
    )
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": message.to_slack()}


@method("chat.delete", Tier.THREE, scope="chat:write")
def chat_delete(call: Call) -> Json:
    """Delete a message of the app."""
    channel = call.channel()
    message = call.message(channel)
    if not message.from_bot:
        raise SlackError("cant_delete_message")
    call.stand_in.retract(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink", Tier.FREE)
def chat_get_permalink(call: Call) -> Json:
    """Return an address of a message that the page understands."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    link = f"{call.stand_in.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}{thread}"
    return {"channel": channel.id, "permalink": link}


@method("chat.startStream", Tier.TWO, scope="chat:write")
def chat_start_stream(call: Call) -> Json:
    """Begin a streamed reply in a thread."""
    channel = _postable(call)
    call.required("thread_ts")
    if not channel.partner and not (call.given("recipient_user_id") and call.given("recipient_team_id")):
        raise SlackError("missing_recipient_user_id")
    message = Message(
        channel=channel.id,
        ts=call.stand_in.workspace.next_ts(),
        user=BOT_USER_ID,
        from_bot=True,
        thread_ts=_thread(call, channel),
        text="",
        streaming=True,
    )
    _stream(call, message)
    call.stand_in.publish(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.appendStream", Tier.FOUR, scope="chat:write")
def chat_append_stream(call: Call) -> Json:
    """Add to a streamed reply."""
    message = _streaming_message(call)
    if not _stream(call, message):
        raise SlackError("no_text")
    call.stand_in.workspace.changed(message)
    return {"channel": message.channel, "ts": message.ts}


@method("chat.stopStream", Tier.TWO, scope="chat:write")
def chat_stop_stream(call: Call) -> Json:
    """Finish a streamed reply, with blocks below it if given."""
    message = _streaming_message(call)
    _stream(call, message)
    blocks = call.structure("blocks", "invalid_blocks_format") or []
    _refuse(call.stand_in.block_error(blocks))
    message.streaming = False
    call.stand_in.edit(
        message,
        text=message.text,
        blocks=message.blocks + call.stand_in.with_identifiers(blocks),
        attachments=[],
        by=BOT_USER_ID,
        mark=False,
    )
    return {"channel": message.channel, "ts": message.ts, "message": message.to_slack()}


@method("assistant.threads.setStatus", Tier.FOUR)
def assistant_threads_set_status(call: Call) -> Json:
    """Show what the app is doing below a thread; an empty status clears it."""
    call.need("chat:write", "assistant:write")
    channel = call.joined_channel("channel_id")
    thread = call.required("thread_ts")
    _loading_messages(call)
    status = call.text("status")
    known = call.stand_in.workspace.thread_status
    if status:
        known[(channel.id, thread)] = status
    else:
        known.pop((channel.id, thread), None)
    detail = {"thread_ts": thread, "status": status}
    call.stand_in.workspace.announce(Change(kind=ChangeKind.STATUS, channel=channel.id, detail=detail))
    return {}


def _loading_messages(call: Call) -> None:
    rotated = call.structure("loading_messages") or []
    if not isinstance(rotated, list) or len(rotated) > limits.MAX_LOADING_MESSAGES:
        raise SlackError("invalid_arguments")


# -- what these methods share ---------------------------------------------------------------------------------------


def _postable(call: Call) -> Channel:
    return call.joined_channel()


def _thread(call: Call, channel: Channel) -> str | None:
    thread_ts = call.optional("thread_ts")
    if thread_ts is None:
        return None
    parent = call.stand_in.workspace.find_message(channel.id, thread_ts)
    if parent is None or parent.only_for is not None:
        raise SlackError("cannot_reply_to_message")
    return parent.thread_ts or parent.ts


def _content(call: Call) -> dict[str, Any]:
    markdown = call.optional("markdown_text")
    blocks = call.structure("blocks", "invalid_blocks_format") or []
    attachments = call.structure("attachments", "invalid_attachments") or []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise SlackError("invalid_attachments")
    if markdown is not None:
        if blocks or call.optional("text"):
            raise SlackError("markdown_text_conflict")
        if len(markdown) > limits.MAX_MARKDOWN:
            raise SlackError("msg_too_long")
        blocks = [{"type": "markdown", "text": markdown}]
    text = call.text("text") or markdown or ""
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    _refuse(call.stand_in.block_error(blocks))
    if len(attachments) > limits.MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for index, attachment in enumerate(attachments):
        pointer = f"/attachments/{index}/blocks"
        _refuse(call.stand_in.block_error(attachment.get("blocks", []), pointer=pointer, error="invalid_attachments"))
    return {
        "text": normalise_bot_text(text[: limits.MAX_TEXT]),
        "blocks": call.stand_in.with_identifiers(blocks),
        "attachments": [_stored_attachment(call.stand_in, item, index) for index, item in enumerate(attachments, 1)],
    }


def _stored_attachment(stand_in: StandIn, attachment: Json, number: int) -> Json:
    stored = dict(attachment) | {"id": number}
    stored.setdefault("fallback", str(attachment.get("text") or "[no preview available]"))
    if "blocks" in stored:
        stored["blocks"] = stand_in.with_identifiers(stored["blocks"])
    return stored


def _metadata(call: Call) -> Json | None:
    metadata = call.structure("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:
        return None
    if not isinstance(metadata, dict) or not metadata.get("event_type") or "event_payload" not in metadata:
        raise SlackError("invalid_metadata_format")
    return {"event_type": str(metadata["event_type"]), "event_payload": metadata["event_payload"]}


def _refuse(answer: Json | None) -> None:
    if answer is not None:
        raise SlackError(**{key: value for key, value in answer.items() if key != "ok"})


def _streaming_message(call: Call) -> Message:
    message = call.message(call.channel())
    if not message.from_bot:
        raise SlackError("message_not_owned_by_app")
    if not message.streaming:
        raise SlackError("message_not_in_streaming_state")
    return message


def _stream(call: Call, message: Message) -> bool:
    added = call.text("markdown_text")
    chunks = call.structure("chunks", "invalid_chunks") or []
    if not isinstance(chunks, list) or not all(isinstance(item, dict) for item in chunks):
        raise SlackError("invalid_chunks")
    tasks: list[Json] = []
    for chunk in chunks:
        match chunk.get("type"):
            case "markdown_text":
                added += str(chunk.get("text", ""))
            case "task_update":
                tasks.append(_task(chunk))
            case "plan_update" | "blocks":
                continue
            case _:
                raise SlackError("invalid_chunks")
    if len(added) > limits.MAX_MARKDOWN:
        raise SlackError("msg_too_long")
    message.text = (message.text + added)[: limits.MAX_TEXT]
    cards = {block["task_id"]: block for block in message.blocks if block["type"] == "task_card"}
    cards |= {task["task_id"]: task for task in tasks}
    words = [{"type": "markdown", "text": message.text, "block_id": "stream"}] if message.text else []
    message.blocks = [*cards.values(), *words]
    return bool(added or chunks)


def _task(chunk: Json) -> Json:
    card = {"type": "task_card", "task_id": str(chunk.get("id", "")), "title": str(chunk.get("title", ""))}
    card |= {"status": chunk.get("status", "pending"), "block_id": f"task-{chunk.get('id', '')}"[:255]}
    for key in ("details", "output"):
        if chunk.get(key):
            card[key] = str(chunk[key])
    return card
