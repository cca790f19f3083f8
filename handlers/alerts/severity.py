"""How urgent an alert says that it is, in four steps, whatever its sender calls them."""

from collections.abc import Iterable
from enum import StrEnum

from handlers.alerts.alert import Alert


class Severity(StrEnum):
    """From what wakes somebody to what is good to know."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    UNSAID = "unsaid"

    @property
    def order(self) -> int:
        """Position from the most urgent on; what does not say comes before what says that it is no matter."""
        return _URGENT_FIRST.index(self)


_URGENT_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.UNSAID, Severity.INFO)
_LABELS = ("severity", "priority", "urgency", "level")
_WORDS = {
    word: severity
    for severity, words in {
        Severity.CRITICAL: "critical crit page emergency fatal disaster error high p0 p1 p2 sev0 sev1 sev2 1 2",
        Severity.WARNING: "warning warn major medium moderate p3 sev3 3",
        Severity.INFO: "info informational information notice minor low none p4 p5 sev4 sev5 4 5",
    }.items()
    for word in words.split()
}
"""Alertmanager's examples, PagerDuty's urgencies and severities, Opsgenie's P1 to P5, Datadog's priorities."""


def severity_of(alerts: Iterable[Alert]) -> Severity:
    """Return the most urgent one that any of the alerts has."""
    found = (_WORDS.get(alert.labels.get(label, "").strip().lower()) for alert in alerts for label in _LABELS)
    return min((one for one in found if one is not None), key=lambda one: one.order, default=Severity.UNSAID)
