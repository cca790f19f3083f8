"""The web process looks at its setup when it starts: problems are logged, and kept for App Home."""

import structlog
from redis import Redis
from redis.exceptions import RedisError

from bot.doctor.kept import KeptSetups
from bot.doctor.redis import redis_state
from bot.doctor.slack import slack_state
from bot.scopes import SCOPES
from bot.settings import Mode, Settings
from handlers.doctor.check import Check, Standing
from handlers.doctor.redis import redis_checks
from handlers.doctor.slack import slack_checks

WEB = "web"

log = structlog.get_logger(__name__)


def look_at_setup(settings: Settings, redis: Redis) -> list[Check]:
    """Look at Redis and Slack, and return all checks. Raises nothing that either of them may do."""
    token = settings.slack_app_token if settings.mode is Mode.SOCKET else None
    app_token = token.get_secret_value() if token else None
    state = slack_state(settings.slack_bot_token.get_secret_value(), app_token, settings.slack_api_url)
    found = [
        *redis_checks(redis_state(settings.redis_url.get_secret_value(), prefix=settings.key_prefix)),
        *slack_checks(state, SCOPES),
    ]
    for check in found:
        if check.standing is not Standing.FINE:
            log.warning("setup", about=check.about, standing=check.standing, said=check.said, remedy=check.remedy)
    try:
        KeptSetups(redis, prefix=settings.key_prefix).keep(WEB, found)
    except RedisError as error:
        log.warning("setup not kept", error=type(error).__name__)
    return found
