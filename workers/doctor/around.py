"""What stands around the cluster: Redis and Slack, as the environment names them."""

from collections.abc import Iterator, Mapping

from bot.doctor.redis import redis_state
from bot.doctor.slack import slack_state
from bot.scopes import SCOPES
from bot.slack_client import SLACK_API
from handlers.doctor.check import Check
from handlers.doctor.redis import redis_checks
from handlers.doctor.slack import slack_checks

_PREFIX = "cilium-triage"


def around_checks(environment: Mapping[str, str]) -> Iterator[Check]:
    """Yield the checks of what is named by REDIS_URL, and by SLACK_BOT_TOKEN with SLACK_APP_TOKEN."""
    if url := environment.get("REDIS_URL"):
        prefix = environment.get("CILIUM_TRIAGE_KEY_PREFIX") or _PREFIX
        yield from redis_checks(redis_state(url, prefix=prefix))
    if token := environment.get("SLACK_BOT_TOKEN"):
        api = environment.get("SLACK_API_URL") or SLACK_API
        yield from slack_checks(slack_state(token, environment.get("SLACK_APP_TOKEN") or None, api), SCOPES)
