"""The HTTP side of files: taking uploads, and giving content to the app and to the page."""

from __future__ import annotations

from aiohttp import web

from tools.playground.stand_in import StandIn
from tools.playground.workspace import MAX_FILE_BYTES, File

SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


async def upload(stand_in: StandIn, request: web.Request) -> web.StreamResponse:
    """Take the bytes of a file, raw or as the first part of a form."""
    file = stand_in.workspace.files.get(request.match_info["file"])
    if file is None or file.completed:
        return web.Response(status=404, text="no such upload")
    content = await _content(request)
    if content is None or len(content) != file.size:
        return web.Response(status=400, text="the length is not the one announced")
    file.content = content
    file.received = True
    return web.Response(text=f"OK - {len(content)}")


async def _content(request: web.Request) -> bytes | None:
    if not request.content_type.startswith("multipart/"):
        body = await request.content.read(MAX_FILE_BYTES + 1)
        parts = [body]
        while body and sum(map(len, parts)) <= MAX_FILE_BYTES:
            body = await request.content.read(MAX_FILE_BYTES + 1)
            parts.append(body)
        return b"".join(parts)
    reader = await request.post()
    for value in reader.values():
        if isinstance(value, web.FileField):
            return value.file.read(MAX_FILE_BYTES + 1)
    return None


async def private(stand_in: StandIn, request: web.Request) -> web.StreamResponse:
    """Give content to the app: its token is asked for, as Slack does for ``url_private``."""
    if request.headers.get("Authorization") != f"Bearer {stand_in.settings.bot_token}":
        return web.Response(status=403, text="a bot token is needed")
    return _served(stand_in.workspace.files.get(request.match_info["file"]))


async def shown(stand_in: StandIn, request: web.Request) -> web.StreamResponse:
    """Give content to the page."""
    return _served(stand_in.workspace.files.get(request.match_info["file"]))


def _served(file: File | None) -> web.Response:
    if file is None or not file.completed:
        return web.Response(status=404, text="no such file")
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
    if file.mimetype in SHOWN_TYPES:
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)
    if file.mimetype == "text/plain":
        return web.Response(body=file.content, content_type="text/plain", charset="utf-8", headers=headers)
    headers["Content-Disposition"] = "attachment"
    return web.Response(body=file.content, content_type="application/octet-stream", headers=headers)
