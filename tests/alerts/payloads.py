"""Payloads as their senders make them, around the labels and words of a row."""

import json
from typing import Any

Json = dict[str, Any]

POD = "cart-5d94896484-hfqfl"
FRONTEND = "frontend-7f875c64d8-jlx98"
KSM = {
    "job": "kube-state-metrics",
    "instance": "10.244.0.9:8443",
    "container": "kube-rbac-proxy-main",
    "endpoint": "https-main",
}


def alert(name: str, /, status: str = "firing", annotations: Any = None, **labels: str) -> Json:
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": annotations or {},
        "startsAt": "2026-11-21T14:39:52.387Z",
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-21T14:59:52.387Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=x",
        "fingerprint": "c5ee4d0a4fa0f2f1",
    }


def webhook(*alerts: Json, **outer: Any) -> Json:
    statuses = {one["status"] for one in alerts}
    return {
        "version": "4",
        "groupKey": '{}:{alertname="x"}',
        "truncatedAlerts": 0,
        "status": "firing" if "firing" in statuses else "resolved",
        "receiver": "cilium-triage",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "alerts": list(alerts),
        **outer,
    }


def one(name: str, /, status: str = "firing", annotations: Any = None, **labels: str) -> Json:
    return webhook(alert(name, status, annotations, **labels))


def grafana(*alerts: Json) -> Json:
    inside = [
        {
            **one,
            "values": {"A": 1},
            "valueString": "[ var='A' labels={} value=1 ]",
            "silenceURL": "https://grafana.example.com/alerting/silence/new",
            "dashboardURL": "",
            "panelURL": "",
        }
        for one in alerts
    ]
    return {
        **webhook(*inside, version="1", receiver="slack"),
        "orgId": 1,
        "title": "[FIRING:1] x",
        "state": "alerting",
        "message": "**Firing**",
    }


def attachment(title: str, text: str = "", color: str = "danger", **more: Any) -> Json:
    """A message as Alertmanager posts it, inside the event that Slack sends."""
    said = {"title": title, "title_link": "http://alertmanager.example.com/#/alerts?receiver=slack", "text": text}
    link = "http://alertmanager.example.com/#/alerts?receiver=slack"
    return event(
        {
            "username": "Alertmanager",
            "text": "",
            "attachments": [{"id": 1, "color": color, "fallback": f"{title} | {link}", **said, **more}],
        }
    )


def event(message: Json) -> Json:
    sent = {
        "type": "message",
        "subtype": "bot_message",
        "bot_id": "B061F7JD2",
        "channel": "C024BE91L",
        "ts": "1763736000.000100",
    }
    return {"type": "event_callback", "team_id": "T1", "event": {**sent, **message}}


def edited(message: Json, before: Json) -> Json:
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C024BE91L",
        "ts": "1763736100.000200",
        "message": message["event"],
        "previous_message": before["event"],
    }
    return {"type": "event_callback", "team_id": "T1", "event": changed}


def section(*texts: str, fields: tuple[str, ...] = ()) -> list[Json]:
    blocks: list[Json] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
    if fields:
        blocks.append({"type": "section", "fields": [{"type": "mrkdwn", "text": field} for field in fields]})
    return blocks


def kubernetes_event(reason: str, message: str, /, kind: str = "Warning", host: str = "", **about: str) -> Json:
    source = {"component": "kubelet", "host": host} if host else {"component": "cilium"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "x.17", "namespace": about.get("namespace", "default"), "uid": "0b9f"},
        "involvedObject": {"kind": "Pod", **about},
        "reason": reason,
        "message": message,
        "type": kind,
        "source": source,
        "reportingComponent": source["component"],
        "firstTimestamp": "2026-11-21T14:39:52Z",
    }


def events(*found: Json) -> Json:
    return {"apiVersion": "v1", "kind": "EventList", "metadata": {"resourceVersion": "1"}, "items": list(found)}


def packed(payload: Json | list[Json] | str) -> bytes:
    return (payload if isinstance(payload, str) else json.dumps(payload)).encode()
