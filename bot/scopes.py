"""The scopes that the bot uses, each with what is lost without it; the manifest asks for exactly these."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "mentions are not heard",
    "channels:history": "questions and alerts in public channels are not read",
    "channels:join": "the bot does not join a channel by itself",
    "channels:read": "names of public channels are not known: rules for patterns such as inc-* do not hold",
    "chat:write": "nothing can be answered",
    "commands": "/cilium does not exist",
    "files:read": "policies, sysdumps and alerts that are attached are not read",
    "files:write": "evidence and patches come as messages instead of files",
    "groups:history": "questions and alerts in private channels are not read",
    "groups:read": "names of private channels are not known",
    "im:history": "direct messages are not read",
    "im:write": "nobody can be written to directly",
    "reactions:read": "cards cannot be acknowledged or rated by a reaction",
    "usergroups:read": "members of user groups are not known: roles given to them do not hold",
}
