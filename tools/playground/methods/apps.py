"""``api.*``, ``auth.*``, ``apps.*``, ``bots.*``, ``team.*``: who is calling, and from where."""

from __future__ import annotations

from tools.playground.rate import Tier
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import (
    BOT_ID,
    BOT_NAME,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAME,
    Json,
    bot_profile,
)


@method("api.test", Tier.FREE, open_to_all=True)
def api_test(call: Call) -> Json:
    """Repeat the arguments, or fail on request."""
    if call.given("error"):
        raise SlackError(call.text("error"), args=call.arguments)
    return {"args": call.arguments}


@method("auth.test", Tier.FREE)
def auth_test(call: Call) -> Json:
    """Say whose token it is."""
    return {
        "url": f"{call.stand_in.base_url}/",
        "team": TEAM_NAME,
        "user": BOT_NAME,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", Tier.ONE, app_level=True)
def apps_connections_open(call: Call) -> Json:
    """Return a websocket address for Socket Mode."""
    return {"url": call.stand_in.socket_mode.open_url(call.stand_in.base_url.replace("http://", "ws://", 1))}


@method("bots.info", Tier.THREE, scope="users:read")
def bots_info(call: Call) -> Json:
    """Describe the app's bot."""
    if call.text("bot", BOT_ID) != BOT_ID:
        raise SlackError("bot_not_found")
    return {"bot": bot_profile()}


@method("team.info", Tier.THREE, scope="team:read")
def team_info(call: Call) -> Json:
    """Describe the workspace."""
    return {"team": {"id": TEAM_ID, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "email_domain": "", "icon": {}}}
