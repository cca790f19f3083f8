"""What incident tools post to webhooks of their own: PagerDuty, Opsgenie, Datadog, Grafana's former alerting, others.

They hand on what somebody else found, in a title, a description and details of any names. So it is read as words are:
a line for each, ``name = value`` for details. What is told of the state is said in one of few fields.

PagerDuty: webhooks v3 (``event.data``) and Events API v2 (``payload``); Opsgenie: webhook integration (``alert``);
Datadog: webhooks integration (``alert_transition``); Grafana: legacy webhook notifier (``evalMatches``); Splunk
On-Call: REST endpoint (``message_type``); incident.io: custom HTTP sources (``title``, ``status``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.alerts.alert import LONGEST_TEXT, Alert, Form, Received, State, text_in
from handlers.alerts.slack import plain
from handlers.alerts.written import read_text

_MOST_LINES = 200
_TITLES = ("title", "message", "summary", "name", "ruleName", "entity_display_name", "entity_id", "alert_title")
_PROSE = ("description", "body", "text", "text_only_msg", "event_msg", "state_message", "note", "subject")
_DETAILS = ("details", "custom_details", "labels", "metadata", "tags", "attributes", "fields", "scope", "alert_scope")
_STATES = (
    "alert_transition",
    "event_action",
    "event_type",
    "action",
    "status",
    "state",
    "message_type",
    "current_state",
)
_OVER = frozenset("resolved resolve recovered recovery closed close ok normal up cleared inactive".split())
_HOLDS = frozenset(
    """triggered trigger firing alerting create created open active critical warning warn error high problem alarm
    acknowledged acknowledge escalated reopened retriggered renotify re-triggered no_data nodata unresolved
    investigating""".split()
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One alert as it was handed on: the object that says what it is, and the one around it."""

    inner: Mapping[str, Any]
    outer: Mapping[str, Any]
    is_known: bool = True
    """Whether the sender is known by its shape; what others post has to name an alert."""


def read_relayed(document: Mapping[str, Any]) -> Received | None:
    """Return the alerts of what an incident tool posted, None where the document is none of theirs."""
    found: list[Alert] = []
    told = list(_told(document))
    for one in told:
        words = "\n".join(_lines(one))[:LONGEST_TEXT]
        alerts = read_text(words, _state(one) or State.FIRING)
        nameless = (Alert("", {}, _state(one) or State.FIRING, Form.WRITTEN, words),) if one.is_known else ()
        found.extend(alerts or nameless)
    return Received(tuple(found)) if found else None


def _told(document: Mapping[str, Any]) -> Iterator[_Told]:
    event, alert, payload = (_mapping(document.get(name)) for name in ("event", "alert", "payload"))
    if data := _mapping(event.get("data")):
        yield _Told(data, event)
    elif "message" in alert and text_in(document.get("action")):
        yield _Told(alert, document)
    elif "summary" in payload and text_in(document.get("event_action")):
        yield _Told(payload, document)
    elif isinstance(document.get("messages"), list):
        for message in document["messages"][:_MOST_LINES]:
            if isinstance(message, Mapping) and (incident := _mapping(message.get("incident"))):
                yield _Told(incident, {"event_type": message.get("event")})
    elif matches := _tagged(document.get("evalMatches")):
        for tags in matches:
            yield _Told({**document, "tags": tags}, document)
    elif any(text_in(document.get(name)) for name in _TITLES) and _state(one := _Told(document, {}, is_known=False)):
        yield one


def _tagged(matches: object) -> list[Mapping[str, Any]]:
    listed = matches if isinstance(matches, list) else []
    return [_mapping(one.get("tags")) for one in listed[:_MOST_LINES] if isinstance(one, Mapping)]


def _lines(told: _Told) -> Iterator[str]:
    for name in (*_TITLES, *_PROSE):
        value = told.inner.get(name)
        if text := text_in(value, LONGEST_TEXT):
            yield plain(text)
        elif isinstance(value, Mapping):
            yield from _details(value)
    for name in _DETAILS:
        value = told.inner.get(name)
        if isinstance(value, Mapping):
            yield from _details(value)
        elif isinstance(value, list):
            yield from (plain(text_in(one)) for one in value[:_MOST_LINES])
        else:
            yield plain(text_in(value, LONGEST_TEXT))


def _details(details: Mapping[str, Any], deepest: int = 3) -> Iterator[str]:
    for name, value in list(details.items())[:_MOST_LINES]:
        if isinstance(value, Mapping) and deepest:
            yield from _details(value, deepest - 1)
        elif "\n" in (text := text_in(value, LONGEST_TEXT)):
            yield f"{name}\n{text}"
        elif text:
            yield f"{name} = {text}" if " " not in text else f"{name}: {text}"


def _state(told: _Told) -> State | None:
    """Return what the sender says of the state in so many words, None where it says nothing that is known."""
    for holder in (told.outer, told.inner):
        for name in _STATES:
            word = text_in(holder.get(name)).lower().rpartition(".")[2].strip()
            if word in _OVER:
                return State.RESOLVED
            if word in _HOLDS:
                return State.FIRING
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
