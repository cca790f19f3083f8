"""The panel beside the page: fires alerts, and moves the clock of the playground and of the app's processes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import aiohttp

from tools.playground import alerts, other_apps
from tools.playground.alerts import Fired
from tools.playground.impossible import NotPossible
from tools.playground.stand_in import StandIn
from tools.playground.workspace import Change, ChangeKind, Json

SENDERS = {
    "alertmanager": "Alertmanager, webhook",
    "grafana": "Grafana, webhook",
    "slack": "Alertmanager, in Slack",
    "pagerduty": "PagerDuty, in Slack",
}
MOST_OF_A_STORM = 5_000
_GROUP = 100
"""Alerts that a storm sends at a time, as Alertmanager does by group."""
_DEADLINE = aiohttp.ClientTimeout(total=10)


def shown(stand_in: StandIn) -> Json:
    """Return what the page draws the panel from."""
    return {
        "senders": SENDERS,
        "ahead": stand_in.clock.ahead,
        "moves_app": stand_in.clock.file is not None,
        "takes_webhooks": bool(stand_in.settings.alerts_url),
    }


def move(stand_in: StandIn, seconds: float) -> None:
    """Move the clock forward."""
    stand_in.clock.move(seconds)
    stand_in.workspace.announce(Change(kind=ChangeKind.CLOCK))


async def fire(
    stand_in: StandIn, sender: str, channel: str, source: str, destination: str, port: int, *, resolved: bool = False
) -> None:
    """Send one alert that fires, or the end of the one that was sent before; ``channel`` is for those in Slack."""
    key = (sender, source, destination, port)
    now = stand_in.clock()
    alert = stand_in.fired.get(key) or Fired(source, destination, port, now)
    if resolved:
        alert = replace(alert, resolved_at=now)
        stand_in.fired.pop(key, None)
    else:
        stand_in.fired[key] = alert
    if sender == "alertmanager":
        await _post(stand_in, alerts.alertmanager([alert]))
    elif sender == "grafana":
        await _post(stand_in, alerts.grafana([alert]))
    elif sender in SENDERS:
        _say(stand_in, sender, channel, alert)
    else:
        raise NotPossible("nobody sends alerts like that")


async def storm(stand_in: StandIn, count: int) -> None:
    """Send many alerts of a dozen causes by the webhook, the most of them of the first few."""
    if not 0 < count <= MOST_OF_A_STORM:
        raise NotPossible(f"a storm has 1 to {MOST_OF_A_STORM} alerts")
    now = stand_in.clock()
    told = [of_a_storm(number, now) for number in range(count)]
    for start in range(0, count, _GROUP):
        await _post(stand_in, alerts.alertmanager(told[start : start + _GROUP]))


def _say(stand_in: StandIn, sender: str, channel: str, alert: Fired) -> None:
    """Post it in a channel; the end of an alert changes its message, as both senders can be told to do."""
    place = stand_in.workspace.channel(channel)
    if place is None:
        raise NotPossible("no such channel")
    is_incident = sender == "pagerduty"
    attachment = alerts.pagerduty_message(alert) if is_incident else alerts.alertmanager_message(alert)
    key = (place.id, sender, alert.source, alert.destination, alert.port)
    known = stand_in.workspace.find_message(place.id, stand_in.alert_messages.get(key, ""))
    if known is not None and alert.resolved_at is not None:
        other_apps.edit(stand_in, known, text="", attachments=[attachment], blocks=[])
        del stand_in.alert_messages[key]
        return
    name = "PagerDuty" if is_incident else "Alertmanager"
    posted = other_apps.post(stand_in, place, name, "", attachments=[attachment], blocks=[], as_user=is_incident)
    stand_in.alert_messages[key] = posted.ts


async def _post(stand_in: StandIn, payload: Json) -> None:
    url, token = stand_in.settings.alerts_url, stand_in.settings.alerts_token
    if not url:
        raise NotPossible("the app's address for alerts is not known (--alerts-url)")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_DEADLINE, trust_env=False) as session,
            session.post(url, data=json.dumps(payload), headers=headers) as answer,
        ):
            said = (await answer.text())[:300]
    except (TimeoutError, aiohttp.ClientError) as error:
        raise NotPossible(f"the app does not take alerts: {type(error).__name__}") from None
    if answer.status >= 300:
        raise NotPossible(f"the app answered {answer.status}: {said}")


_CAUSES: Sequence[tuple[str, str, int]] = (
    ("shop/loadgen", "shop/cart", 8080),
    ("monitoring/prometheus", "shop/cart", 9090),
    ("shop/frontend", "payments/checkout-api", 443),
    ("shop/frontend", "shop/cart", 6379),
    ("payments/fraud-worker", "payments/ledger-db", 5432),
    ("shop/catalog", "payments/ledger-db", 5432),
    ("shop/cart", "payments/checkout-api", 8443),
    ("shop/loadgen", "shop/catalog", 8081),
    ("monitoring/prometheus", "payments/checkout-api", 9090),
    ("payments/checkout-api", "monitoring/statsd", 9125),
    ("shop/loadgen", "payments/ledger-db", 5432),
    ("payments/fraud-worker", "shop/cart", 8080),
)


def of_a_storm(number: int, now: float) -> Fired:
    """Return one alert of a storm: each cause once, then half of them of the first, a quarter of the second, and on."""
    most = len(_CAUSES)
    cause = number if number < most else min(most - 1, (number & -number).bit_length() - 1)
    source, destination, port = _CAUSES[cause]
    pod = f"{source.partition('/')[2]}-{number:04}"
    severity = "critical" if cause < 3 else "warning"
    return Fired(source, destination, port, now, pod=pod, severity=severity)


# -- as it is asked for in JSON -------------------------------------------------------------------------------------


async def _fire(stand_in: StandIn, asked: Json) -> Json:
    sender, channel = _text(asked, "sender"), str(asked.get("channel") or "")
    source, destination = _text(asked, "source"), _text(asked, "destination")
    port, resolved = int(_number(asked, "port")), asked.get("resolved") is True
    await fire(stand_in, sender, channel, source, destination, port, resolved=resolved)
    return {}


async def _storm(stand_in: StandIn, asked: Json) -> Json:
    await storm(stand_in, int(_number(asked, "count")))
    return {}


async def _move(stand_in: StandIn, asked: Json) -> Json:
    move(stand_in, _number(asked, "seconds"))
    return {"ahead": stand_in.clock.ahead}


def _text(asked: Json, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value.strip():
        raise NotPossible(f"{name} is missing")
    return value.strip()[:253]


def _number(asked: Json, name: str) -> float:
    try:
        return float(asked.get(name) or 0)
    except (TypeError, ValueError):
        raise NotPossible(f"{name} is no number") from None


ASKED: dict[str, Callable[[StandIn, Json], Awaitable[Json]]] = {"fire": _fire, "storm": _storm, "move": _move}
