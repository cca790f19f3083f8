"""``files.*``: uploads in three steps, and what is known about a file.

Source: Slack document "Working with files": ``files.getUploadURLExternal``, the upload itself, and
``files.completeUploadExternal``.
"""

from __future__ import annotations

import mimetypes

from tools.playground import payloads
from tools.playground.rate import Tier
from tools.playground.stand_in import StandIn
from tools.playground.typed_text import normalise_bot_text
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import BOT_USER_ID, MAX_FILE_BYTES, TEAM_ID, File, Json, Message

TEXT_TYPES = ("yaml", "yml", "json", "log", "txt", "md", "csv", "py", "go", "sh", "conf", "toml", "diff", "patch")
IMAGE_TYPES = ("png", "jpg", "jpeg", "gif", "webp")
PREVIEW_CHARACTERS = 4000


@method("files.getUploadURLExternal", Tier.FOUR, scope="files:write")
def files_get_upload_url_external(call: Call) -> Json:
    """Return where to upload a file to."""
    name = call.required("filename")[:255]
    length = call.number("length", 0, least=0, most=2**62)
    if length == 0:
        raise SlackError("invalid_arguments")
    if length > MAX_FILE_BYTES:
        raise SlackError("file_upload_size_restricted")
    workspace = call.stand_in.workspace
    file = workspace.keep_file(
        File(
            id=workspace.next_id("F"),
            name=name,
            title=name,
            size=length,
            user=BOT_USER_ID,
            created=int(call.stand_in.clock()),
            mimetype=_mimetype(name),
            alt_text=call.optional("alt_txt"),
        )
    )
    return {"upload_url": f"{call.stand_in.base_url}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", Tier.FOUR, scope="files:write")
def files_complete_upload_external(call: Call) -> Json:
    """Share uploaded files to a channel or thread, as one message."""
    asked = call.structure("files")
    if not isinstance(asked, list) or not asked or not all(isinstance(item, dict) for item in asked):
        raise SlackError("invalid_arguments")
    stand_in = call.stand_in
    files = [_uploaded(stand_in, item) for item in asked]
    names = call.text("channel_id") or call.text("channels")
    channels = [stand_in.workspace.channel(name) for name in names.split(",") if name]
    for channel in channels:
        if channel is None:
            raise SlackError("channel_not_found")
        if not stand_in.app_sees(channel.id):
            raise SlackError("not_in_channel")
    thread_ts = call.optional("thread_ts")
    for channel in channels:
        if channel is not None and thread_ts and stand_in.workspace.find_message(channel.id, thread_ts) is None:
            raise SlackError("invalid_thread_ts")
    for file in files:
        file.completed = True
    for channel in channels:
        if channel is not None:
            _share(stand_in, files, channel.id, thread_ts, call.text("initial_comment"))
    return {"files": [file_object(stand_in, file) for file in files]}


def _uploaded(stand_in: StandIn, item: Json) -> File:
    file = stand_in.workspace.files.get(str(item.get("id")))
    if file is None or not file.received:
        raise SlackError("file_not_found")
    if item.get("title"):
        file.title = str(item["title"])
    return file


def _share(stand_in: StandIn, files: list[File], channel: str, thread_ts: str | None, comment: str) -> None:
    message = Message(
        channel=channel,
        ts=stand_in.workspace.next_ts(),
        user=BOT_USER_ID,
        text=normalise_bot_text(comment),
        from_bot=True,
        subtype="file_share",
        thread_ts=thread_ts,
    )
    for file in files:
        if channel not in file.channels:
            file.channels.append(channel)
        share: Json = {"ts": message.ts, "channel_name": stand_in.workspace.channels[channel].name, "team_id": TEAM_ID}
        file.shares.setdefault(channel, []).append(share | ({"thread_ts": thread_ts} if thread_ts else {}))
    message.files = [file_object(stand_in, file) for file in files]
    stand_in.publish(message)
    for file in files:
        event_ts = stand_in.workspace.next_ts()
        stand_in.emit(payloads.file_shared_event(file.id, BOT_USER_ID, channel, event_ts=event_ts))


def dropped(stand_in: StandIn, user: str, channel: str, name: str, content: bytes) -> Json:
    """Keep a file that a person drops into a channel, and return its object."""
    file = stand_in.workspace.keep_file(
        File(
            id=stand_in.workspace.next_id("F"),
            name=name,
            title=name,
            size=len(content),
            user=user,
            created=int(stand_in.clock()),
            mimetype=_mimetype(name),
            alt_text=None,
        )
    )
    file.content, file.received, file.completed = content, True, True
    file.channels.append(channel)
    return file_object(stand_in, file)


@method("files.info", Tier.FOUR, scope="files:read")
def files_info(call: Call) -> Json:
    """Describe a file, with the beginning of its text."""
    file = call.stand_in.workspace.files.get(call.text("file"))
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    content = file.content.decode("utf-8", "replace") if file.mimetype.startswith("text/") else None
    return {"file": file_object(call.stand_in, file), "comments": [], "content": content}


def file_object(stand_in: StandIn, file: File) -> Json:
    """Return the file object (Slack document: "File object")."""
    suffix = file.name.rpartition(".")[2].lower() if "." in file.name else "text"
    shown: Json = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": suffix,
        "pretty_type": suffix.upper(),
        "user": file.user,
        "user_team": TEAM_ID,
        "editable": False,
        "size": file.size,
        "mode": "snippet" if file.mimetype.startswith("text/") else "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": True,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{stand_in.base_url}/files-pri/{TEAM_ID}-{file.id}",
        "url_private_download": f"{stand_in.base_url}/files-pri/{TEAM_ID}-{file.id}/download",
        "permalink": f"{stand_in.base_url}/page/files/{file.id}",
        "channels": list(file.channels),
        "groups": [],
        "ims": [],
        "shares": {"public": {channel: list(shares) for channel, shares in file.shares.items()}},
        "has_rich_preview": False,
        "file_access": "visible",
    }
    if file.alt_text:
        shown["alt_txt"] = file.alt_text
    if file.mimetype.startswith("text/"):
        text = file.content.decode("utf-8", "replace")
        shown |= {
            "preview": text[:PREVIEW_CHARACTERS],
            "lines": text.count("\n") + 1,
            "lines_more": text[PREVIEW_CHARACTERS:].count("\n"),
            "preview_is_truncated": len(text) > PREVIEW_CHARACTERS,
        }
    return shown


def _mimetype(name: str) -> str:
    suffix = name.rpartition(".")[2].lower()
    if suffix in TEXT_TYPES or "." not in name:
        return "text/plain"
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return (
        guessed if suffix in IMAGE_TYPES or not guessed.startswith(("image/", "text/")) else "application/octet-stream"
    )
