"""What Alertmanager and Grafana post: the webhook's version 4, and the lists that their APIs give.

Alertmanager, docs/configuration.md ``<webhook_config>`` and template/template.go; Grafana, manage-contact-points,
webhook-notifier. Prometheus' own ``/api/v1/alerts`` and Alertmanager's ``/api/v2/alerts`` have the same alerts inside.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.alerts.alert import LONGEST_TEXT, MOST_ALERTS, Alert, Received, State, text_in
from handlers.alerts.labels import canonical, merged

_SERIES = re.compile(r"labels=\{([^{}]{1,4000})\}")


def alerts_inside(document: object) -> Sequence[Any] | None:
    """Return the list of alerts that a document holds, None where it is no webhook and no such list."""
    if isinstance(document, list):
        return document if document and all(_is_alert(one) for one in document) else None
    if not isinstance(document, Mapping):
        return None
    held = document.get("alerts")
    if held is None and isinstance(inside := document.get("data"), Mapping):
        held = inside.get("alerts")
    if isinstance(held, list) and (not held or any(_is_alert(one) for one in held)):
        return held
    return [document] if _is_alert(document) else None


def _is_alert(one: object) -> bool:
    return isinstance(one, Mapping) and isinstance(one.get("labels"), Mapping)


def read_webhook(document: object, alerts: Sequence[Any]) -> Received:
    """Return the alerts, each with the labels and annotations that the group has in common."""
    outer = document if isinstance(document, Mapping) else {}
    shared = merged(_labels(outer.get("commonLabels")), _labels(outer.get("groupLabels")))
    prose = _prose(outer.get("commonAnnotations"))
    known = [one for one in alerts if _is_alert(one)]
    found = tuple(_alert(one, shared, prose, outer) for one in known[:MOST_ALERTS])
    truncated = outer.get("truncatedAlerts")
    cut_off = truncated if isinstance(truncated, int) and not isinstance(truncated, bool) and truncated > 0 else 0
    return Received(found, min(cut_off, 10**9) + max(0, len(known) - MOST_ALERTS))


def _alert(one: Mapping[str, Any], shared: Mapping[str, str], prose: str, outer: Mapping[str, Any]) -> Alert:
    labels = merged(_labels(one["labels"]), shared)
    series = _labels_of_values(text_in(one.get("valueString"), LONGEST_TEXT))
    if all(labels.get(name, value) == value for name, value in series.items()):
        labels = merged(labels, series)
    words = "\n".join(filter(None, (_prose(one.get("annotations")) or prose, text_in(one.get("valueString")))))
    return Alert(
        name=labels.get("alertname") or text_in(one.get("title") or one.get("name"), 200),
        labels=labels,
        state=_state(one, outer),
        words=words[:LONGEST_TEXT],
        starts_at=text_in(one.get("startsAt") or one.get("activeAt"), 64),
        fingerprint=text_in(one.get("fingerprint"), 64),
    )


def _labels_of_values(text: str) -> dict[str, str]:
    """Return the labels of the series that Grafana's rule looked at: a rule may keep none of them for its alert."""
    found = _SERIES.search(text)
    pairs = [pair.partition("=") for pair in found[1].split(", ")] if found else []
    return canonical((name.strip(), value.strip()) for name, equals, value in pairs if equals)


def _state(one: Mapping[str, Any], outer: Mapping[str, Any]) -> State:
    status = one.get("status") or one.get("state") or outer.get("status")
    if isinstance(status, Mapping):  # Alertmanager's API: active, suppressed, unprocessed
        status = status.get("state")
    return State.RESOLVED if text_in(status).lower() in ("resolved", "ok", "normal", "inactive") else State.FIRING


def _labels(value: object) -> dict[str, str]:
    return canonical(value.items()) if isinstance(value, Mapping) else {}


def _prose(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    told = [text_in(text) for key, text in list(value.items())[:32] if not text_in(key).lower().endswith("url")]
    return "\n".join(filter(None, told))[:LONGEST_TEXT]
