"""Keeps other web pages out: a browser may reach loopback from any site, so name and origin are checked.

The ``Host`` must be a loopback name (a page that rebinds its DNS name to 127.0.0.1 has another), and what a browser
says about the sender (``Origin``, ``Sec-Fetch-Site``) must be this very server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether a host name, without port, is this machine."""
    return host in LOOPBACK_NAMES


def foreign(request: web.Request) -> bool:
    """Whether a request comes from another site, or under another name."""
    host = request.headers.get("Host", "")
    if not is_loopback(urlsplit(f"//{host}").hostname or ""):
        return True
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        return True
    site = request.headers.get("Sec-Fetch-Site", "none")
    navigation = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
    if site in ("same-origin", "none"):
        return False
    return not (navigation and request.path == "/")


@web.middleware
async def only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign requests, and send the headers that keep the page to itself."""
    try:
        if foreign(request):
            return web.json_response({"ok": False, "error": "forbidden_origin"}, status=403)
    except ValueError:
        return web.json_response({"ok": False, "error": "forbidden_origin"}, status=403)
    response = await handler(request)
    if not response.prepared:
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    return response
