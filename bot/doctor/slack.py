"""Look at a Slack app: whether its tokens are accepted, and which scopes it has."""

from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.slack_client import SLACK_API, slack_client
from handlers.doctor.slack import SlackState

_GRANTED = "x-oauth-scopes"


def slack_state(bot_token: str, app_token: str | None, api_url: str = SLACK_API) -> SlackState:
    """Return what Slack says of the tokens; without an app token Socket Mode is not looked at. Raises nothing."""
    socket_error = "" if app_token is None else _socket_error(app_token, api_url)
    needs_socket = app_token is not None
    try:
        answer = slack_client(bot_token, api_url, patient=False).auth_test()
    except (SlackClientError, URLError, OSError) as error:
        return SlackState(_word(error), needs_socket=needs_socket, socket_error=socket_error)
    return SlackState(
        team=str(answer.get("team") or ""),
        user=str(answer.get("user") or ""),
        scopes=_scopes(answer),
        needs_socket=needs_socket,
        socket_error=socket_error,
    )


def _socket_error(app_token: str, api_url: str) -> str:
    """Ask for an address of Socket Mode, which is given and not used."""
    try:
        slack_client("", api_url, patient=False).apps_connections_open(app_token=app_token)
    except (SlackClientError, URLError, OSError) as error:
        return _word(error)
    return ""


def _scopes(answer: SlackResponse) -> frozenset[str] | None:
    for name, value in answer.headers.items():
        if name.lower() == _GRANTED:
            text = value if isinstance(value, str) else ",".join(value)
            return frozenset(filter(None, (scope.strip() for scope in text.split(","))))
    return None


def _word(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return str(error.response.get("error") or "an error without a name")
    reason = error.reason if isinstance(error, URLError) else error
    return (str(reason) or type(error).__name__).splitlines()[0][:200]
