"""Alerts that nobody declared: read by their labels, and by the words of their names and annotations."""

import re
from collections.abc import Iterator

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.dialled import asked_for_names, dialled
from handlers.alerts.ends import named, side_of, target_of, victim_of
from handlers.alerts.known.cilium import drops_in
from handlers.alerts.known.entry import node_in
from handlers.alerts.labels import is_agent
from handlers.alerts.noise import (
    is_about_drops,
    is_about_other_matters,
    is_about_the_network,
    may_be_about_the_network,
    spaced,
)
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.model.endpoint import EndpointName, Kind, Named
from handlers.names.grammar import is_label

_NODE_IS_GONE = re.compile(r"\b(?:not[ -]?ready|unready|unreachable|not reachable)\b", re.IGNORECASE)

_DID_NOT_REACH = re.compile(
    r"\bdial (?:tcp|udp)\b|\b(?:get|head|post|put|patch|delete) \"?https?://|\bconnect(?:ing)? (?:to|service)\b",
    re.IGNORECASE,
)


def signals_of_unknown(alert: Alert, labels: Labels) -> Iterator[Signal]:
    """Read an alert that is not in the table: a pair is a question, one end is one where words say so."""
    words = f"{spaced(alert.name)} {alert.words}"
    is_network, is_other = is_about_the_network(words), is_about_other_matters(words)
    source, destination = side_of(labels, "source"), side_of(labels, "destination")
    if source is not None and destination is not None:
        if is_other and not is_network:
            yield _ignored("its words speak of other matters than the network")
        elif is_about_drops(words) or labels.get("reason"):
            yield from drops_in(labels)
        else:
            yield from drops_in(labels, claim=spaced(alert.name) or "an alert", cause=Cause.REQUESTS)
        return
    if is_other and not is_network:
        yield _ignored("its words speak of other matters than the network")
        return
    if is_network and (
        source is not None or destination is not None or labels.get("reason", "").upper()[:6] == "POLICY"
    ):
        yield from drops_in(labels)
        return
    yield from _of_one_end(alert, labels, is_network and not is_other, may_be_about_the_network(words) or is_network)


def _of_one_end(alert: Alert, labels: Labels, is_network: bool, is_perhaps: bool) -> Iterator[Signal]:
    end, node, namespace = _end(labels), node_in(labels), labels.get("namespace", "")
    decision = Decision.TRIAGE if is_network else Decision.ASK
    reason = "" if is_network else "nothing says that the network is the cause"
    claim = spaced(alert.name) if " " not in alert.name else alert.name
    claim = claim or "an alert"
    if is_agent(labels) or (alert.name.lower().startswith(("cilium", "hubble")) and end is None):
        yield Signal(Cause.AGENT, claim, node=node, decision=Decision.TRIAGE)
    elif isinstance(end, Named) and is_network and (server := asked_for_names(alert.words)) is not None:
        yield Signal(Cause.DNS, claim, source=end, destination=server)
    elif isinstance(end, Named) and is_network and (called := _called(alert.words)) is not None:
        yield Signal(Cause.REQUESTS, claim, source=end, destination=called[0], port=called[1])
    elif end is not None:
        yield Signal(Cause.OTHER, claim, destination=end, decision=decision, reason=reason)
    elif node and _NODE_IS_GONE.search(words := f"{alert.name} {alert.words}") and not is_about_other_matters(words):
        yield Signal(Cause.NODE, claim, node=node)
    elif node and (is_network or is_perhaps):
        yield Signal(Cause.NODE, claim, node=node, decision=decision, reason=reason)
    elif is_label(namespace) and (is_network or is_perhaps):
        yield Signal(Cause.OTHER, claim, namespace=namespace, decision=decision, reason=reason)
    elif is_network:
        doubt = "it speaks of the network and names nobody"
        yield Signal(Cause.OTHER, claim, decision=Decision.ASK, reason=doubt)
    elif is_perhaps and labels:
        doubt = "it names nobody in the cluster, and nothing says that the network is the cause"
        yield Signal(Cause.OTHER, claim, decision=Decision.ASK, reason=doubt)
    else:
        yield _ignored("it names nobody in the cluster, and its words say nothing of the network")


def _called(words: str) -> tuple[EndpointName, str] | None:
    """Return whom the workload did not reach: a URL alone is a link to a dashboard or a runbook."""
    called = dialled(words) if _DID_NOT_REACH.search(words) else None
    is_bare = called is not None and isinstance(called[0], Named) and called[0].namespace is None
    return None if is_bare else called


def _end(labels: Labels) -> EndpointName | None:
    if (victim := victim_of(labels)) is not None and victim.namespace is not None:
        return victim
    if (service := labels.get("service", "")) and (namespace := labels.get("namespace", "")):
        return named(namespace, service, Kind.SERVICE)
    target = target_of(labels.get("instance") or labels.get("target", ""))
    is_bare = target is not None and isinstance(target[0], Named) and target[0].namespace is None
    return target[0] if target is not None and not is_bare else None


def _ignored(reason: str) -> Signal:
    return Signal(Cause.OTHER, "is not about the network", decision=Decision.IGNORE, reason=reason)
