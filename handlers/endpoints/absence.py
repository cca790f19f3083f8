"""Why a pod has no endpoint: what kubelet and the scheduler complained of last.

The messages are those of Cilium's CNI plugin and of the agent's API (plugins/cilium-cni/cmd/cmd.go,
api/v1/openapi.yaml: postIpamFailure), which kubelet quotes in its event.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.cluster import Pod
from handlers.model.event import Event

_BEFORE_THE_ENDPOINT = frozenset(
    "FailedCreatePodSandBox FailedMount FailedAttachVolume NetworkNotReady FailedPodSandBoxStatus".split()
)
"""Reasons of kubelet's events about a pod whose network has not been set up yet."""
_AGENT_IS_SILENT = re.compile(
    r"is the agent running|cilium\.sock|agent client|connect to cilium agent|/v1/\S+: EOF|deadline exceeded", re.I
)
_NO_ADDRESS = re.compile(r"postIpamFailure|range is full|no more IPs|no (?:more )?(?:ips?|addresses)\b|exhausted", re.I)
_TOO_BUSY = re.compile(r"TooManyRequests|\b429\b|rate limit", re.I)
_SANDBOX = re.compile(r'^Failed to create pod sandbox: .*?(?:plugin type="[^"]*" name="[^"]*" failed \(add\): )', re.S)
_LONGEST = 300


class Cause(StrEnum):
    """What keeps an endpoint from being made."""

    NOT_SCHEDULED = "not scheduled"
    NO_ADDRESS = "no address"
    AGENT_SILENT = "agent silent"
    TOO_BUSY = "too busy"
    VOLUME = "volume"
    OTHER = "other"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Absence:
    """Why an endpoint was not made, in kubelet's or the scheduler's own words; ``event`` is None where nobody says."""

    cause: Cause
    words: str = ""
    event: Event | None = None


def absence_of(pod: Pod, events: Iterable[Event]) -> Absence:
    """Return why a pod has no endpoint, by the newest warning about it that can tell."""
    reasons = _BEFORE_THE_ENDPOINT if pod.node else frozenset({"FailedScheduling"})
    mine = [
        event
        for event in events
        if (event.namespace, event.kind, event.name) == (pod.namespace, "Pod", pod.name) and event.reason in reasons
    ]
    newest = max(mine, key=lambda event: event.last_at.timestamp() if event.last_at else 0, default=None)
    if newest is None:
        return Absence(Cause.UNTOLD if pod.node else Cause.NOT_SCHEDULED)
    return Absence(_cause(newest), _SANDBOX.sub("", newest.message)[:_LONGEST].strip(), newest)


def _cause(event: Event) -> Cause:
    if event.reason == "FailedScheduling":
        return Cause.NOT_SCHEDULED
    if event.reason in ("FailedMount", "FailedAttachVolume"):
        return Cause.VOLUME
    if _AGENT_IS_SILENT.search(event.message):
        return Cause.AGENT_SILENT
    if _TOO_BUSY.search(event.message):
        return Cause.TOO_BUSY
    return Cause.NO_ADDRESS if _NO_ADDRESS.search(event.message) else Cause.OTHER
