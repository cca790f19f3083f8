"""What the worker is told by its environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from bot.channel_rules import said_in
from bot.digests.due import checked
from bot.slack_client import SLACK_API
from handlers.commands.command import NotUnderstoodError
from handlers.digests.scope import questions_in
from handlers.digests.timetable import checked_zone
from workers.origin import Live, Origin, Recorded, Sysdump
from workers.sources.kube_transport import ClusterAccess

_SOURCE = r"^(live|sysdump:.+|replay:.+)$"
_NAME = re.compile(r"[A-Za-z0-9][\w.:@/-]{0,252}")


class NotConfiguredError(Exception):
    """The environment lacks something or has something wrong; the message names the variables, never their values."""


class Digest(BaseModel):
    """What differs in the cluster, told to a channel on a schedule.

    ``cron`` has five fields, minute first, by the clock of ``zone`` (``0 7 * * mon-fri``). ``question`` names what is
    asked (``health,drops,lint of shop``). A ``quiet`` one says nothing while nothing differs, but once a week.
    """

    channel: str = Field(min_length=1)
    cron: str
    zone: str = "UTC"
    question: str = "health"
    quiet: bool = False

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, text: str) -> str:
        return checked(text)

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, text: str) -> str:
        try:
            return checked_zone(text)
        except NotUnderstoodError as error:
            raise ValueError(error.problem) from error

    @field_validator("question")
    @classmethod
    def _is_question(cls, text: str) -> str:
        try:
            questions_in(text)
        except NotUnderstoodError as error:
            raise ValueError(error.problem) from error
        return text


class ClusterSettings(BaseModel):
    """One cluster of several that a worker looks at; each field as the setting of the same name."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field("live", pattern=_SOURCE)
    context: str | None = None
    kubeconfig: Path | None = None
    cilium_namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """A cluster that a worker looks at: its name, empty where it has none, and where facts about it come from."""

    name: str
    origin: Origin
    access: ClusterAccess | None
    """Its API server, for reviews of access; None where nobody said which that is."""

    @property
    def key(self) -> str:
        """What tells it from others that share the Redis: a name that people choose does not do so for sure."""
        return f"{self.name}\n{self.origin!r}"


class WorkerSettings(BaseSettings):
    """The worker's and the scheduler's settings; every time is in seconds."""

    model_config = SettingsConfigDict(env_prefix="CILIUM_TRIAGE_", extra="ignore", populate_by_name=True)

    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    """Broker, cache and locks: ``redis://``, or ``rediss://`` with TLS."""
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    """Needed by the worker, not by the scheduler."""
    slack_api_url: str = Field(SLACK_API, validation_alias="SLACK_API_URL")
    """Another base for GovSlack or a stand-in."""
    source: str = Field("live", pattern=_SOURCE)
    """Where facts come from: ``live``, ``sysdump:PATH`` or ``replay:PATH``."""
    cluster: str = ""
    """How a live cluster is called in answers; empty: by its context. Questions about another cluster are refused."""
    clusters: Mapping[str, ClusterSettings] = {}
    """JSON: ``{"prod": {"context": "prod-eu"}, "stage": {"context": "stage-eu"}}``, for one worker that looks at
    several; the setting ``cluster`` then names the one that is meant where nobody says."""
    context: str | None = None
    """Context of the kubeconfig."""
    kubeconfig: Path | None = None
    """Empty: ``KUBECONFIG``, else the pod's service account."""
    cilium_namespace: str | None = None
    """Where Cilium lives; empty: it is looked for, ``kube-system`` first."""
    budget: float = Field(10.0, gt=0, le=600)
    """For all reads of one question together."""
    soft_limit: float = Field(40.0, gt=0)
    """For one question, sending the answer included. It is answered "timed out" then."""
    grace: float = Field(10.0, gt=0)
    """From the soft limit to the hard limit, after which the process is killed."""
    digests: tuple[Digest, ...] = ()
    """JSON: ``[{"channel": "C0123", "cron": "0 8 * * mon-fri", "zone": "Europe/Berlin", "question": "health,lint"}]``;
    ``zone`` is UTC where it is not said. People add others in Slack: ``/cilium digest``."""
    contracts: Path | None = None
    """Reachability contracts that every digest checks: a file or a folder, such as a mounted ConfigMap."""
    rights: str = ""
    """A file of YAML or JSON, or JSON itself, that says who is who: answers then hold what their readers may read in
    the cluster, as SubjectAccessReviews say (docs/rights.md). Empty: everybody who may ask sees everything."""
    channels: Mapping[str, Mapping[str, str]] = {}
    """JSON, the same as the web process has: of it the worker reads the audiences of channels."""
    watch_events: bool = False
    """Whether warnings of the clusters (events Unhealthy and PacketDrop) go to the channels that take alerts; it needs
    the right to watch events."""
    audit: str = ""
    """Where the audit log goes: ``redis``, or ``stdout`` or the path of a file, and then to Redis as well. Empty: there
    is none."""
    audit_days: int = Field(30, gt=0, le=3650)
    """How long Redis keeps lines of the audit log."""
    key_prefix: str = "cilium-triage"
    """Before every key in Redis; the web process must have the same. Bots that share a Redis need one each."""
    metrics_port: int | None = Field(None, ge=0, le=65535)
    """Where /metrics is answered, for Prometheus (docs/metrics.md). Empty: nowhere; 0: any free port."""
    metrics_host: str = "127.0.0.1"
    """The address of it: ``0.0.0.0`` or ``::`` in a pod."""
    trace_questions: bool = False
    """Whether traces have the words of questions, and with them names of the cluster (docs/operations.md)."""
    alive_file: Path | None = None
    """Touched every few seconds while the worker is alive, for a liveness probe."""
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("channels")
    @classmethod
    def _are_rules(cls, value: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
        said_in(value)
        return value

    @field_validator("clusters")
    @classmethod
    def _are_named(cls, value: Mapping[str, ClusterSettings]) -> Mapping[str, ClusterSettings]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a cluster: it is one word, as people type it")
        return value

    @model_validator(mode="after")
    def _knows_its_cluster(self) -> Self:
        if self.clusters and self.cluster and self.cluster not in self.clusters:
            raise ValueError(f"CILIUM_TRIAGE_CLUSTER is {self.cluster}, which CILIUM_TRIAGE_CLUSTERS does not have")
        return self

    @model_validator(mode="after")
    def _leaves_time_to_answer(self) -> Self:
        if self.budget >= self.soft_limit:
            raise ValueError("CILIUM_TRIAGE_BUDGET must be less than CILIUM_TRIAGE_SOFT_LIMIT")
        return self

    @property
    def hard_limit(self) -> float:
        """After this time the process that works on a question is killed."""
        return self.soft_limit + self.grace

    @property
    def audit_to(self) -> str:
        """Where lines of the audit log go beside Redis."""
        return "" if self.audit == "redis" else self.audit

    @property
    def served(self) -> tuple[Served, ...]:
        """The clusters that this worker looks at, the one first that is meant where nobody says."""
        if not self.clusters:
            own = ClusterSettings.model_construct(
                source=self.source,
                context=self.context,
                kubeconfig=self.kubeconfig,
                cilium_namespace=self.cilium_namespace,
            )
            return (_served(self.cluster, own),)
        found = [_served(name, one) for name, one in self.clusters.items()]
        return tuple(sorted(found, key=lambda one: one.name != self.cluster))


def _served(name: str, one: ClusterSettings) -> Served:
    kind, _, path = one.source.partition(":")
    is_named = bool(one.context or one.kubeconfig)
    access = ClusterAccess(one.context, one.kubeconfig) if kind == "live" or is_named else None
    if kind == "sysdump":
        return Served(name, Sysdump(Path(path)), access)
    if kind == "replay":
        return Served(name, Recorded(Path(path)), access)
    return Served(name, Live(one.context, one.kubeconfig, None, one.cilium_namespace, name or None), access)


def load_settings() -> WorkerSettings:
    """Read the environment.

    Raises:
        NotConfiguredError: naming every variable that is missing or wrong.
    """
    try:
        return WorkerSettings.model_validate({})
    except ValidationError as error:
        problems = [_in_words(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()]
        raise NotConfiguredError("; ".join(problems)) from None
    except SettingsError as error:
        raise NotConfiguredError(str(error)) from None


_WHAT_TO_SET = {
    "REDIS_URL": "set it to a Redis such as redis://localhost:6379/0 (make playground brings its own)",
}


def _in_words(location: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(location[0]) if location else ""
    variable = name if name.isupper() or not name else f"CILIUM_TRIAGE_{name.upper()}"
    if kind == "missing":
        return f"{variable} is not set: {_WHAT_TO_SET.get(variable, 'set it')}"
    return f"{variable}: {message.removeprefix('Value error, ')}" if variable else message.removeprefix("Value error, ")
