"""The web process, in Socket Mode or behind an HTTP endpoint."""

import asyncio
import signal
import sys
from urllib.error import URLError

import structlog
from aiohttp import web
from slack_bolt.error import BoltError
from slack_sdk.errors import SlackApiError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from bot.app import Web, build
from bot.backlog import Backlog
from bot.doctor.at_start import look_at_setup
from bot.log import configure_logging
from bot.metrics import SLACK_CONNECTED
from bot.metrics_server import served
from bot.otel import trace
from bot.routes import routes
from bot.settings import Mode, NotConfiguredError, Settings, load_settings
from bot.socket import SlackSocket
from bot.spans import spans

USAGE_ERROR = 64
"""EX_USAGE of sysexits.h."""
UNAVAILABLE = 69
"""EX_UNAVAILABLE."""

log = structlog.get_logger(__name__)


def main() -> int:
    """Run until told to stop, and return the exit status."""
    try:
        settings = load_settings()
    except NotConfiguredError as error:
        print(f"cilium-triage bot: {error}", file=sys.stderr)  # noqa: T201  (nobody has set up logging yet)
        return USAGE_ERROR
    configure_logging(settings.log_level)
    trace("cilium-triage-web")
    try:
        parts = _patiently(settings)
    except (BoltError, SlackApiError) as error:
        log.error("slack does not accept the bot token", reason=_reason(error))
        return USAGE_ERROR
    except (URLError, ConnectionError, TimeoutError) as error:
        log.error("slack does not answer", api=settings.slack_api_url, error=type(error).__name__)
        return UNAVAILABLE
    try:
        return asyncio.run(_serve(parts, settings))
    finally:
        parts.close()
        spans.end()


@retry(
    retry=retry_if_exception_type((URLError, ConnectionError, TimeoutError)),
    stop=stop_after_delay(30),
    wait=wait_exponential(multiplier=0.2, max=3),
    reraise=True,
)
def _patiently(settings: Settings) -> Web:
    # Whatever stands for Slack may start at the same time as the bot.
    return build(settings)


async def _serve(parts: Web, settings: Settings) -> int:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    socket = _socket(parts, settings) if settings.mode is Mode.SOCKET else None
    is_connected = socket.is_heard if socket else lambda: True
    server = web.AppRunner(
        routes(
            parts,
            is_connected=is_connected,
            signing_secret=_signing_secret(settings),
            alerts_token=settings.alerts_token.get_secret_value() if settings.alerts_token else None,
        ),
        access_log=None,
    )
    await server.setup()
    backlog = Backlog(parts.redis, prefix=settings.key_prefix)
    metrics = served(
        settings.metrics_host,
        settings.metrics_port,
        lambda: {SLACK_CONNECTED: is_connected(), **backlog.gauges()},
    )
    try:
        await web.TCPSite(server, settings.host, settings.port).start()
        if socket:
            await asyncio.to_thread(socket.connect)
        parts.watch.start()
        parts.rounds.start()
        parts.fix_rounds.start()
        parts.pool.submit(look_at_setup, settings, parts.redis)
        log.info(
            "ready",
            mode=settings.mode,
            address=[f"{host}:{port}" for host, port, *_ in server.addresses],
            metrics=metrics.port if metrics else None,
        )
        await stopped.wait()
        log.info("stopping")
        return 0
    finally:
        if metrics:
            await asyncio.to_thread(metrics.close)
        if socket:
            await asyncio.to_thread(socket.close)
        await server.cleanup()


def _socket(parts: Web, settings: Settings) -> SlackSocket:
    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
    return SlackSocket(parts.app, token)


def _signing_secret(settings: Settings) -> str | None:
    secret = settings.slack_signing_secret
    return secret.get_secret_value() if secret and settings.mode is Mode.HTTP else None


def _reason(error: BoltError | SlackApiError) -> str:
    return str(error.response.get("error")) if isinstance(error, SlackApiError) else type(error).__name__
