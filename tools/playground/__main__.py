"""``python -m tools.playground``: run the playground in the foreground until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from tools.playground.manifest import MANIFEST, installed
from tools.playground.server import run
from tools.playground.settings import PlaygroundSettings


def _arguments() -> argparse.Namespace:
    defaults = PlaygroundSettings()
    parser = argparse.ArgumentParser(prog="python -m tools.playground", description="A local stand-in for Slack.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=3100, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--request-url", help="deliver by signed HTTP to this URL instead of by Socket Mode")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="the app that is installed (its scopes hold)")
    parser.add_argument("--bot-token", default=defaults.bot_token)
    parser.add_argument("--app-token", default=defaults.app_token)
    parser.add_argument("--signing-secret", default=defaults.signing_secret)
    parser.add_argument("--alerts-url", default="", help="where the app takes webhooks of alert senders")
    parser.add_argument("--alerts-token", default=defaults.alerts_token)
    parser.add_argument("--clock-file", type=Path, help="tells the app's processes how far the clock was moved")
    parser.add_argument("--example", action="append", metavar="TEXT", help="suggest this to newcomers (repeatable)")
    return parser.parse_args()


def _ready(url: str) -> None:
    sys.stdout.write(f"Playground ready at {url}\n")
    sys.stdout.flush()


async def _serve(options: argparse.Namespace) -> None:
    defaults = PlaygroundSettings()
    settings = installed(
        options.manifest,
        bot_token=options.bot_token,
        app_token=options.app_token,
        signing_secret=options.signing_secret,
        request_url=options.request_url,
        alerts_url=options.alerts_url,
        alerts_token=options.alerts_token,
        clock_file=options.clock_file,
        examples=tuple(options.example) if options.example else defaults.examples,
    )
    serving = asyncio.ensure_future(run(host=options.host, port=options.port, settings=settings, ready=_ready))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def main() -> int:
    """Run until SIGINT or SIGTERM."""
    options = _arguments()
    try:
        asyncio.run(_serve(options))
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"cannot start the playground: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
