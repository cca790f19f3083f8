"""What was received, whatever its shape: told by its own fields, never by who says that he sent it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from handlers.alerts.alert import LONGEST_TEXT, MOST_ALERTS, Alert, Form, NotAnAlertError, Received, State
from handlers.alerts.events import is_events, read_events
from handlers.alerts.relayed import read_relayed
from handlers.alerts.slack import colour_says, messages_inside, words_of
from handlers.alerts.webhook import alerts_inside, read_webhook
from handlers.alerts.written import read_text, says_resolved
from handlers.catalogue import CATALOGUE
from handlers.commands.command import AskBackError, NotUnderstoodError
from handlers.model.manifest_yaml import ManifestError, load_manifests

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of one payload. Slack's events and Alertmanager's groups are far smaller."""

_MANIFEST = re.compile(r"\s{0,20}(?:---\s?\n)?(?:apiVersion|kind|items|metadata): ?\S{0,100}\s?\n")
"""What ``kubectl get events -o yaml`` begins with."""
_HAS_EVENTS = re.compile(r"^(?:- | {1,8})?kind: ?[\"']?(?:Event|EventList)[\"']?\s*$|^alerts:\s*$", re.MULTILINE)
"""A line that YAML of events, or of a webhook, has wherever its keys stand."""
_BLANK = re.compile(r"\s*")
_SHAPES = (
    "That is no alert: no webhook of Alertmanager or Grafana, no message of Slack, no event of Kubernetes, no line that"
    " names an alert or asks a question."
)


def received(content: bytes) -> Received:
    """Return the alerts of a payload: JSON of a known shape, or a text.

    Raises:
        NotAnAlertError: if it is none of these.
    """
    if len(content) > MOST_BYTES:
        raise NotAnAlertError(f"That is more than {MOST_BYTES >> 20} MiB; an alert is far smaller.")
    text = content.decode("utf-8-sig", errors="replace")
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _together(_documents(text))
        except (ValueError, RecursionError):
            if not text.lstrip().startswith("["):
                raise NotAnAlertError("That begins like JSON and is none.") from None
    is_manifest = _MANIFEST.match(text) is not None
    if is_manifest or _HAS_EVENTS.search(text):
        try:
            return _together(load_manifests(text.encode()))
        except (ManifestError, NotAnAlertError) as error:
            if is_manifest:
                problem = _SHAPES if isinstance(error, NotAnAlertError) else "That begins like a manifest and is none."
                raise NotAnAlertError(problem) from None
    return _of_text(text)


def _documents(text: str) -> list[object]:
    """Return the JSON documents of a text, one behind the other: so a watch of ``kubectl`` writes events.

    Raises:
        ValueError, RecursionError: if it is no JSON.
    """
    decoder, at, found = json.JSONDecoder(), 0, list[object]()
    while at < len(text) and len(found) < MOST_ALERTS:
        if (at := _BLANK.match(text, at).end()) < len(text):  # type: ignore[union-attr]
            document, at = decoder.raw_decode(text, at)
            found.append(document)
    return found


def _together(documents: Sequence[object]) -> Received:
    """Return the alerts of several documents; those that are no alerts are passed over where others are."""
    each = []
    for document in documents[:MOST_ALERTS]:
        try:
            each.append(of_document(document))
        except NotAnAlertError:
            continue
    if not each:
        raise NotAnAlertError(_SHAPES)
    alerts = [alert for one in each for alert in one.alerts]
    left_out = max(0, len(alerts) - MOST_ALERTS) + max(0, len(documents) - MOST_ALERTS)
    return Received(tuple(alerts[:MOST_ALERTS]), sum(one.cut_off for one in each) + left_out)


def of_document(document: object) -> Received:
    """Return the alerts of decoded JSON.

    Raises:
        NotAnAlertError: if it has no known shape.
    """
    if isinstance(document, Mapping):
        if is_events(document):
            return read_events(document)
        if isinstance(inside := document.get("alerts"), list) and _is_webhook(document) and not inside:
            return Received(())
    if (alerts := alerts_inside(document)) is not None and (alerts or _is_webhook(document)):
        return read_webhook(document, alerts)
    if isinstance(document, Mapping) and (relayed := read_relayed(document)) is not None:
        return relayed
    if isinstance(document, Mapping) and (messages := messages_inside(document)):
        return Received(tuple(alert for message in messages for alert in _of_message(message)))
    if isinstance(document, list):
        return _together([one for one in document if isinstance(one, Mapping)])
    if isinstance(document, Mapping) and (inside := _wrapped(document)) is not None:
        return inside
    raise NotAnAlertError(_SHAPES)


def _wrapped(document: Mapping[str, Any]) -> Received | None:
    """Return what a gateway has put into ``body``, or Slack into ``payload``: JSON, mostly as a text of its own."""
    for name in ("body", "payload"):
        value = document.get(name)
        try:
            inside = json.loads(value) if isinstance(value, str) else value
        except (ValueError, RecursionError):
            continue
        if isinstance(inside, Mapping) and not {"body", "payload"} & inside.keys():
            return of_document(inside)
    return None


def of_message(message: Mapping[str, Any]) -> Received:
    """Return the alerts of one message of Slack; one without a name where it says nothing that is known."""
    return Received(_of_message(message))


def is_an_end(message: Mapping[str, Any]) -> bool:
    """Say whether a message tells no more than that something is over: in a thread that began with what is over."""
    return says_resolved(words_of(message)) and not any(one.name or one.labels for one in _of_message(message))


def as_resolved(received: Received) -> Received:
    """Return the alerts as they are when they are over."""
    return replace(received, alerts=tuple(replace(alert, state=State.RESOLVED) for alert in received.alerts))


def _is_webhook(document: object) -> bool:
    return isinstance(document, Mapping) and any(name in document for name in ("groupLabels", "receiver", "groupKey"))


def _of_message(message: Mapping[str, Any]) -> tuple[Alert, ...]:
    words = words_of(message)
    if found := read_text(words, colour_says(message)):
        return found
    # What a program writes is no question, however much it reads like one.
    is_of_a_program = bool(message.get("bot_id")) or message.get("subtype") == "bot_message"
    sentence = None if is_of_a_program else _sentence(words)
    return (sentence or Alert("", {}, form=Form.WRITTEN, words=words),)


def _of_text(text: str) -> Received:
    text = text[:LONGEST_TEXT]
    if found := read_text(text):
        return Received(found)
    if (sentence := _sentence(text)) is None:
        raise NotAnAlertError(_SHAPES)
    return Received((sentence,))


def _sentence(text: str) -> Alert | None:
    """Return what somebody asks in their own words, None where they ask nothing."""
    try:
        asked = {"question": str(CATALOGUE.understand(text))}
        return Alert("", asked, form=Form.WRITTEN, words=text)
    except AskBackError as several:
        choices = tuple({"question": question} for question in several.suggestions)
    except NotUnderstoodError:
        return None
    # "hello world" names an entity and asks nothing.
    names_somebody = any("/" in word for choice in choices for word in choice["question"].split())
    return Alert("", {}, form=Form.WRITTEN, words=text, choices=choices) if names_somebody else None
