"""An alert as it was received, whoever sent it, and the bounds that hold for all of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MOST_ALERTS = 5_000
"""Alerts of one payload that are read; Alertmanager groups far fewer, and says so where it cuts them off."""
MOST_LABELS = 64
"""Labels of one alert (Prometheus has a limit of its own, label_limit; rules have about ten)."""
LONGEST_VALUE = 1_024
"""Characters of a label's value."""
LONGEST_TEXT = 20_000
"""Characters of a message or of annotations together; Slack's own limit of a message is 40,000."""

Labels = Mapping[str, str]


class NotAnAlertError(Exception):
    """What was received has none of the shapes that are read; the message says which there are."""


class State(StrEnum):
    """Whether an alert still holds, in Alertmanager's words."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Form(StrEnum):
    """What the alert was received as; what a Kubernetes event says is not what a rule says."""

    WEBHOOK = "webhook"
    EVENT = "event"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    ``labels`` are as received, by their canonical names (``handlers.alerts.labels``). ``choices`` are further labels,
    of which only one set can be meant: a subject line with values alone can often be read in several ways.
    """

    name: str
    labels: Labels
    state: State = State.FIRING
    form: Form = Form.WEBHOOK
    words: str = ""
    """Everything that it says in prose: annotations, or the message."""
    starts_at: str = ""
    """RFC 3339 as received, empty where nothing says it."""
    fingerprint: str = ""
    """The sender's own, the same while it fires and when it is resolved; empty where it has none."""
    choices: tuple[Labels, ...] = field(default=())

    @property
    def cluster(self) -> str:
        """The cluster that the alert is about, empty where it does not say."""
        return self.labels.get("cluster", "")


@dataclass(frozen=True, slots=True)
class Received:
    """The alerts of one payload. ``cut_off`` is how many more its sender knew of and left out."""

    alerts: tuple[Alert, ...]
    cut_off: int = 0


def text_in(value: object, longest: int = LONGEST_VALUE) -> str:
    """Return a scalar of a payload as a text of bounded length; nothing for anything else."""
    if isinstance(value, str):
        return value[:longest]
    return str(value)[:longest] if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
