"""Alerts as their senders shape them, made up for the panel: nothing of the product is used to write them.

Sources: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config (version 4),
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier,
and the messages that Alertmanager's default template and PagerDuty's app post in a channel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

_NEVER = "0001-01-01T00:00:00Z"
_DESCRIPTION = "{source} to {destination}:{port} is dropped by policy"


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert: a connection between two workloads (``namespace/name``) that is dropped."""

    source: str
    destination: str
    port: int
    at: float
    """When it began, in seconds since 1970."""
    resolved_at: float | None = None
    pod: str = ""
    """The pod of the source, where several of one cause are told apart."""
    severity: str = "critical"

    @property
    def state(self) -> str:
        """``firing`` or ``resolved``."""
        return "firing" if self.resolved_at is None else "resolved"

    @property
    def labels(self) -> Json:
        """Labels as Hubble's metrics have them, and the rules that ``cilium-triage alerts rules`` prints."""
        source, destination = self.source.partition("/"), self.destination.partition("/")
        return {
            "alertname": "CiliumPolicyDrops",
            "severity": self.severity,
            "source_namespace": source[0],
            "source_workload": source[2],
            "destination_namespace": destination[0],
            "destination_workload": destination[2],
            "destination_port": str(self.port),
            "protocol": "TCP",
            "reason": "POLICY_DENIED",
        } | ({"source_pod": self.pod} if self.pod else {})

    @property
    def annotations(self) -> Json:
        """A summary in words."""
        words = _DESCRIPTION.format(source=self.source, destination=self.destination, port=self.port)
        return {"summary": words, "description": words}


def alertmanager(alerts: Iterable[Fired]) -> Json:
    """Return the webhook of Alertmanager, all alerts in one group."""
    told = list(alerts)
    return {
        "version": "4",
        "groupKey": '{}:{alertname="CiliumPolicyDrops"}',
        "truncatedAlerts": 0,
        "status": _state(told),
        "receiver": "cilium-triage",
        "groupLabels": {"alertname": "CiliumPolicyDrops"},
        "commonLabels": {"alertname": "CiliumPolicyDrops"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [_alert(one) for one in told],
    }


def grafana(alerts: Iterable[Fired]) -> Json:
    """Return the webhook of Grafana's alerting."""
    told = list(alerts)
    state = _state(told)
    return alertmanager(told) | {
        "externalURL": "http://grafana.example:3000/",
        "version": "1",
        "orgId": 1,
        "title": f"[{state.upper()}:{len(told)}] CiliumPolicyDrops",
        "state": "alerting" if state == "firing" else "ok",
        "message": "",
        "alerts": [
            _alert(one) | {"values": {"A": 12}, "dashboardURL": "", "panelURL": "", "silenceURL": ""} for one in told
        ],
    }


def alertmanager_message(alert: Fired) -> Json:
    """Return the attachment of a message as a common template of Alertmanager writes it."""
    state = "FIRING:1" if alert.resolved_at is None else "RESOLVED"
    title = f"[{state}] CiliumPolicyDrops ({alert.source} {alert.destination})"
    details = "\n".join(f"• *{name}:* `{value}`" for name, value in alert.labels.items())
    return {
        "title": title,
        "fallback": title,
        "color": "danger" if alert.resolved_at is None else "good",
        "text": f"{alert.annotations['summary']}\n*Details:*\n{details}",
    }


def pagerduty_message(alert: Fired) -> Json:
    """Return the attachment of a message as an incident tool writes it: a title, and fields."""
    state = "Triggered" if alert.resolved_at is None else "Resolved"
    title = f"{state} #4711: {alert.annotations['summary']}"
    shown = [("Service", "cilium"), ("Urgency", "High"), *alert.labels.items()]
    return {
        "title": title,
        "fallback": title,
        "color": "#e01e5a" if alert.resolved_at is None else "#2eb67d",
        "fields": [{"title": name, "value": str(value), "short": True} for name, value in shown],
    }


def _state(alerts: list[Fired]) -> str:
    return "firing" if any(one.resolved_at is None for one in alerts) else "resolved"


def _alert(alert: Fired) -> Json:
    labels = alert.labels
    identity = "\n".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return {
        "status": alert.state,
        "labels": labels,
        "annotations": alert.annotations,
        "startsAt": _time(alert.at),
        "endsAt": _NEVER if alert.resolved_at is None else _time(alert.resolved_at),
        "generatorURL": "http://prometheus.example:9090/graph",
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest()[:16],
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
