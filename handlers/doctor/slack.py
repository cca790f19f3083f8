"""What a Slack app may do, and what it cannot without a scope."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handlers.doctor.check import Check, fine, problem, unknown

_BOT, _APP = "Slack", "Slack, Socket Mode"
_TOKEN = "Copy the bot token (xoxb-…) from the app's page, OAuth & Permissions, to SLACK_BOT_TOKEN."  # noqa: S105
_APP_TOKEN = "Make an app-level token with connections:write (xapp-…) and set SLACK_APP_TOKEN."  # noqa: S105
_WRONG = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)


@dataclass(frozen=True, slots=True)
class SlackState:
    """What Slack said of the tokens. An error is Slack's own word, or empty."""

    error: str = ""
    team: str = ""
    user: str = ""
    scopes: frozenset[str] | None = None
    """What is granted; None where the answer did not tell."""
    needs_socket: bool = True
    socket_error: str = ""


def slack_checks(state: SlackState, wanted: Mapping[str, str]) -> Iterator[Check]:
    """Judge it; ``wanted`` are the scopes that are used, each with what is lost without it."""
    if state.error:
        if state.error in _WRONG:
            yield problem(_BOT, f"the bot token is not accepted: {state.error}", _TOKEN)
        else:
            remedy = "Check the network and proxy to slack.com, and SLACK_API_URL; then ask again."
            yield unknown(_BOT, f"could not be asked: {state.error}", remedy)
    else:
        yield fine(_BOT, f"{state.user or 'the bot'} in {state.team or 'its workspace'}")
        yield from _scopes(state.scopes, wanted)
    if state.needs_socket:
        if not state.socket_error:
            yield fine(_APP, "the app-level token is accepted")
        elif state.socket_error in (*_WRONG, "missing_scope"):
            yield problem(_APP, f"the app-level token is not accepted: {state.socket_error}", _APP_TOKEN)
        else:
            yield unknown(_APP, f"could not be asked: {state.socket_error}", "Ask again.")


def _scopes(granted: frozenset[str] | None, wanted: Mapping[str, str]) -> Iterator[Check]:
    if granted is None:
        yield unknown("Slack scopes", "Slack did not tell which are granted")
        return
    lacking = {scope: loss for scope, loss in wanted.items() if scope not in granted}
    if not lacking:
        yield fine("Slack scopes", f"all {len(wanted)} are granted")
    for scope, loss in lacking.items():
        remedy = f"Add {scope} on the app's page, OAuth & Permissions, then reinstall the app to the workspace."
        yield problem("Slack scopes", f"{scope} is not granted: {loss}", remedy)
