"""What the web process is told by its environment."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.channel_rules import INCIDENT, Said, said_in
from bot.slack_client import SLACK_API
from handlers.alerts.rules import URL

Names = Annotated[frozenset[str], NoDecode]
"""Identifiers separated by commas or blanks."""

_LISTS = (
    "teams",
    "incident_channels",
    "bots",
    "viewer_users",
    "viewer_usergroups",
    "viewer_channels",
    "operator_users",
    "operator_usergroups",
    "operator_channels",
)


SHORTEST_TOKEN = 16


class NotConfiguredError(Exception):
    """The environment lacks something or has something wrong; the message names variables, never their values."""


class Mode(StrEnum):
    """How Slack reaches the bot."""

    SOCKET = "socket"
    HTTP = "http"


class Settings(BaseSettings):
    """The web process's settings.

    ``viewer_*`` and ``operator_*`` say who may use commands of that role: people, members of user groups, anybody in a
    channel. Viewers are everybody of the workspace where no list is given; operators are nobody.
    """

    model_config = SettingsConfigDict(env_prefix="CILIUM_TRIAGE_", extra="ignore", populate_by_name=True)

    slack_bot_token: SecretStr = Field(validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field(SLACK_API, validation_alias="SLACK_API_URL")
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    mode: Mode = Mode.SOCKET
    host: str = "127.0.0.1"
    """Where /healthz, /readyz, /alerts and (in HTTP mode) /slack/events listen."""
    port: int = Field(3000, ge=0, le=65535)
    """0: any free port."""
    metrics_port: int | None = Field(None, ge=0, le=65535)
    """Where /metrics is answered, for Prometheus (docs/metrics.md). Empty: nowhere; 0: any free port."""
    metrics_host: str = "127.0.0.1"
    """The address of it: ``0.0.0.0`` or ``::`` in a pod."""
    key_prefix: str = "cilium-triage"
    """Before every key in Redis; the workers must have the same. Bots that share a Redis need one each."""
    cluster: str = ""
    """The cluster that is asked about; workers of another one refuse the question. Empty: any."""
    audit: str = ""
    """Where the audit log goes: ``redis``, or ``stdout`` or the path of a file, and then to Redis as well. Empty: there
    is none."""
    audit_days: int = Field(30, gt=0, le=3650)
    """How long Redis keeps lines of the audit log."""
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    questions_per_minute: int = Field(60, gt=0)
    """For one person."""
    teams: Names = frozenset()
    """Workspaces whose people may ask; empty: only the one that the bot is installed in."""
    incident_channels: Names = frozenset()
    """Channels in which alerts and questions are answered without a mention: ids, or names and patterns (``inc-*``)."""
    channels: Mapping[str, Mapping[str, str]] = {}
    """JSON: ``{"inc-*": {"verbosity": "quiet", "quiet hours": "22:00-07:00 Europe/Berlin"}}``, what is set of channels
    by ids, names or patterns; ``/cilium channel export`` writes it. What is said in Slack comes before it."""
    alerts_token: SecretStr | None = None
    """What Alertmanager and Grafana send as the bearer token to /alerts, 16 characters or more. Empty: nobody may."""
    alerts_url: str = Field(URL, pattern=r"^https?://\S+$")
    """The address of /alerts as Alertmanager sees it: ``/cilium alerts setup`` writes it into the receiver."""
    bots: Names = frozenset()
    """Bots (``B…``) that are listened to as people are."""
    viewer_users: Names = frozenset()
    viewer_usergroups: Names = frozenset()
    viewer_channels: Names = frozenset()
    operator_users: Names = frozenset()
    operator_usergroups: Names = frozenset()
    operator_channels: Names = frozenset()

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _separate(cls, value: object) -> object:
        return frozenset(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("alerts_token")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        token = value.get_secret_value().strip() if value else ""
        if token and len(token) < SHORTEST_TOKEN:
            raise ValueError(f"it has fewer than {SHORTEST_TOKEN} characters: openssl rand -hex 32 makes one")
        return SecretStr(token) if token else None

    @field_validator("channels")
    @classmethod
    def _are_rules(cls, value: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
        said_in(value)
        return value

    @property
    def audit_to(self) -> str:
        """Where lines of the audit log go beside Redis."""
        return "" if self.audit == "redis" else self.audit

    @property
    def said_of_channels(self) -> tuple[Said, ...]:
        """What the environment says of channels."""
        incident = [Said(target, INCIDENT, "on") for target in sorted(self.incident_channels)]
        return (*said_in(self.channels), *incident)

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.mode is Mode.SOCKET and not self.slack_app_token:
            raise ValueError("SLACK_APP_TOKEN is not set: Socket Mode needs the app-level token (xapp-…)")
        if self.mode is Mode.HTTP and not self.slack_signing_secret:
            raise ValueError("SLACK_SIGNING_SECRET is not set: HTTP mode needs it to know Slack from others")
        return self


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        NotConfiguredError: naming every variable that is missing or wrong.
    """
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        # Pydantic's own text repeats what was put in, and that may be a secret.
        problems = [_in_words(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()]
        raise NotConfiguredError("; ".join(problems)) from None


_WHAT_TO_SET = {
    "REDIS_URL": "set it to a Redis such as redis://localhost:6379/0",
    "SLACK_BOT_TOKEN": "set it to the bot token of the Slack app (xoxb-…)",
}


def _in_words(location: tuple[int | str, ...], kind: str, problem: str) -> str:
    name = str(location[0]) if location else ""
    variable = name if not name or name.isupper() else f"CILIUM_TRIAGE_{name.upper()}"
    if kind == "missing":
        return f"{variable} is not set: {_WHAT_TO_SET.get(variable, 'set it')}"
    words = problem.removeprefix("Value error, ")
    return f"{variable}: {words}" if variable else words
