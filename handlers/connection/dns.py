"""The cluster's own DNS: where names are looked up before anything is dialled."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.connection.ends import Ends
from handlers.connection.legs import places_of
from handlers.connection.observation import Observation, clock
from handlers.connection.places import Place
from handlers.connection.seen import DroppedPackets, drops_of, is_at
from handlers.model.cluster import Pod
from handlers.model.endpoint import HostName
from handlers.model.facts import Facts
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.parts import Part
from handlers.model.report import Observed
from handlers.model.snapshot import Known
from handlers.names.resolve import Meaning

DNS_NAMESPACE = "kube-system"
"""Namespace of the cluster DNS (Kubernetes, Using CoreDNS for Service Discovery)."""
DNS_APP = "kube-dns"
"""Value of the label ``k8s-app`` of its pods."""
DNS_PORT = 53


def name_looked_up(ends: Ends) -> str | None:
    """Return the name that the client has to look up, None where it dials an address or a pod."""
    destination = ends.destination
    if destination.by_address:
        return None
    if destination.meaning in (Meaning.HOST_NAME, Meaning.ENTRANCE):
        return destination.title
    if destination.service and isinstance(destination.asked, HostName) and destination.frontend:
        return destination.asked.name
    if destination.service:
        return f"{destination.service.name}.{destination.service.namespace}.svc.cluster.local"
    return None


def dns_pods(facts: Facts) -> tuple[Pod, ...]:
    """Return the running pods of the cluster DNS."""
    return tuple(
        pod
        for pod in facts.pods
        if pod.namespace == DNS_NAMESPACE and pod.labels.get("k8s-app") == DNS_APP and pod.is_running
    )


def query_flows(place: Place, facts: Facts) -> tuple[Flow, ...]:
    """Return the flows from a place to anybody's port 53, the proxy's records too; none where flows are missing."""
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return ()
    flows: tuple[Flow, ...] = look.value.flows
    return tuple(flow for flow in flows if flow.destination.port == DNS_PORT and is_at(flow.source, place))


@dataclass(frozen=True, slots=True)
class FailedLookup:
    """The newest look-up of a name that failed: ``rcode`` as servers answer (RFC 1035), None where none answered."""

    at: datetime
    rcode: int | None

    @property
    def in_words(self) -> str:
        """How it failed."""
        if self.rcode is None:
            return "no answer came"
        return f"the answer was {_RCODES.get(self.rcode, f'error {self.rcode}')}"


_RCODES = {2: "SERVFAIL", 3: "NXDOMAIN"}
_PATIENCE = timedelta(seconds=5)
"""How long a resolver waits for an answer (resolv.conf(5): timeout)."""


def failed_lookup(place: Place, name: str, facts: Facts) -> FailedLookup | None:
    """Return how the newest look-up of a name failed, None where it did not, or no proxy saw one.

    Only answers to the name itself count: search suffixes are answered NXDOMAIN as a rule.
    """
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return None
    own = [flow for flow in look.value.flows if flow.dns and flow.dns.query.rstrip(".").lower() == name]
    asked = [flow for flow in own if flow.dns and not flow.dns.is_response and is_at(flow.source, place)]
    answers = [flow for flow in own if flow.dns and flow.dns.is_response and is_at(flow.destination, place)]
    last = max(answers, key=lambda flow: flow.time, default=None)
    # The answer to one query may be what a ring no longer holds, or not yet.
    if last is None and len(asked) > 1 and look.value.until - max(flow.time for flow in asked) > _PATIENCE:
        return FailedLookup(max(flow.time for flow in asked), None)
    if last is None or last.dns is None or last.dns.rcode not in _RCODES:
        return None
    return FailedLookup(last.time, last.dns.rcode)


def refused_queries(name: str, flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """Return the queries for a name, or for it under a search suffix, that the proxy refused."""
    return tuple(
        flow for flow in flows if flow.dns and flow.verdict is FlowVerdict.DROPPED and _is_about(flow.dns.query, name)
    )


def dropped_queries(flows: tuple[Flow, ...]) -> tuple[DroppedPackets, ...]:
    """Return the DNS packets that were dropped before anybody could read a name."""
    return drops_of(flow for flow in flows if not flow.dns)


def observe_dns(ends: Ends, facts: Facts) -> Observation:
    """Return what flows showed of the look-up that comes before the connection."""
    name = name_looked_up(ends)
    if name is None:
        return Observation(Observed.NO_DATA, "no name is looked up")
    for place in places_of(ends.source, facts):
        flows = query_flows(place, facts)
        refused = refused_queries(name, flows)
        if refused:
            at = max(flow.time for flow in refused)
            detail = f"{len(refused)} DNS queries for the name were refused by the proxy, last at {clock(at)}"
            return Observation(Observed.DROPPED, detail, at)
        dropped = dropped_queries(flows)
        if dropped:
            count = sum(drop.count for drop in dropped)
            at = max(drop.last_at for drop in dropped)
            return Observation(Observed.DROPPED, f"{count} DNS queries were dropped, last at {clock(at)}", at)
    return Observation(Observed.NOTHING, "no DNS query was seen")


def _is_about(query: str, name: str) -> bool:
    query = query.rstrip(".").lower()
    return query == name or query.startswith(f"{name}.")
