"""``users.*`` and ``usergroups.*``: the people of the workspace."""

from __future__ import annotations

from tools.playground.methods.conversations import list_channels, paged
from tools.playground.rate import Tier
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import BOT_USER_ID, TEAM_ID, USER_GROUPS, Json, User


@method("users.info", Tier.FOUR, scope="users:read")
def users_info(call: Call) -> Json:
    """Describe one user."""
    found = call.stand_in.workspace.users.get(call.text("user"))
    if found is None:
        raise SlackError("user_not_found")
    return {"user": _shown(call, found)}


def _shown(call: Call, user: User) -> Json:
    """Return a user; the address only where ``users:read.email`` was granted (Slack document "users.info")."""
    shown = user.to_slack()
    if "users:read.email" not in call.stand_in.settings.scopes:
        del shown["profile"]["email"]
    return shown


@method("users.lookupByEmail", Tier.THREE, scope="users:read.email")
def users_lookup_by_email(call: Call) -> Json:
    """Describe the user with an address."""
    wanted = call.required("email").casefold()
    for user in call.stand_in.workspace.users.values():
        if not user.is_bot and user.email.casefold() == wanted:
            return {"user": _shown(call, user)}
    raise SlackError("users_not_found")


@method("users.list", Tier.TWO, scope="users:read")
def users_list(call: Call) -> Json:
    """List all users."""
    return paged(call, "members", [_shown(call, user) for user in call.stand_in.workspace.users.values()], default=1000)


@method("users.conversations", Tier.THREE)
def users_conversations(call: Call) -> Json:
    """List the channels that a user is in; the app itself by default."""
    return list_channels(call, only_of=call.text("user", BOT_USER_ID))


@method("usergroups.list", Tier.TWO, scope="usergroups:read")
def usergroups_list(call: Call) -> Json:
    """List the user groups."""
    with_users = call.flag("include_users")
    groups = [
        {
            "id": group["id"],
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "name": group["name"],
            "handle": group["handle"],
            "description": "",
            "date_delete": 0,
            "user_count": len(group["users"]),
            **({"users": list(group["users"])} if with_users else {}),
        }
        for group in USER_GROUPS
    ]
    return {"usergroups": groups}


@method("usergroups.users.list", Tier.TWO, scope="usergroups:read")
def usergroups_users_list(call: Call) -> Json:
    """List the members of a user group."""
    wanted = call.required("usergroup")
    for group in USER_GROUPS:
        if group["id"] == wanted:
            return {"users": list(group["users"])}
    raise SlackError("no_such_subteam")
