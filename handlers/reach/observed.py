"""Flows that Hubble saw, as pairs of ends: to tell which of them a change would cut, and which rules they use."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.model.decision import BothSides, Verdict
from handlers.model.endpoint import EntityName
from handlers.model.flow import Flow, FlowEnd, FlowType, FlowVerdict
from handlers.model.labels import LabelSet
from handlers.model.party import Party, PartyKind
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.entities import ENTITIES, entity_of_kind, kind_of
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import Cluster

_PASSED = (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED, FlowVerdict.AUDIT)


@dataclass(frozen=True, slots=True)
class ObservedFlow:
    """Flows of one kind between two ends: how often they were seen, and whether they passed."""

    source: str
    destination: str
    traffic: Traffic
    count: int
    passed: bool

    def __str__(self) -> str:
        """Write ``shop/web -> shop/cart 8080/TCP``."""
        return f"{self.source} -> {self.destination} {self.traffic}"


@dataclass(frozen=True, slots=True)
class FlowFate:
    """An observed flow, and what policy says about it before and after a change."""

    flow: ObservedFlow
    before: Verdict
    after: Verdict
    is_audited: bool = False
    """After the change it is denied only by endpoints that audit instead of enforcing."""

    @property
    def is_cut(self) -> bool:
        """Whether the flow passed, and would not pass for certain any more."""
        is_allowed = self.after is Verdict.ALLOWED or self.is_audited
        return self.flow.passed and self.before is Verdict.ALLOWED and not is_allowed


def observed_flows(flows: Iterable[Flow]) -> tuple[ObservedFlow, ...]:
    """Count the new connections among flows: replies, application records and events without ports are left out."""
    counts: dict[tuple[str, str, Traffic], list[int]] = {}
    for flow in flows:
        if flow.type is not FlowType.L3_L4 or flow.is_reply or flow.protocol is None:
            continue
        traffic = _traffic(flow)
        if traffic is None or flow.verdict not in (*_PASSED, FlowVerdict.DROPPED):
            continue
        key = (_name(flow.source), _name(flow.destination), traffic)
        if not key[0] or not key[1]:
            continue
        count = counts.setdefault(key, [0, 0])
        count[0] += 1
        count[1] += flow.verdict in _PASSED
    return tuple(
        ObservedFlow(source, destination, traffic, seen, passed > 0)
        for (source, destination, traffic), (seen, passed) in counts.items()
    )


def _traffic(flow: Flow) -> Traffic | None:
    if flow.protocol is None:
        return None
    if flow.protocol.is_icmp:
        return Traffic(flow.protocol, flow.icmp_type) if flow.icmp_type is not None else None
    port = flow.destination.port
    # Ephemeral to well-known is a request; both drops and policy verdicts leave it open whether it is a reply.
    if port is None or (flow.is_reply is None and _looks_like_reply(flow)):
        return None
    return Traffic(flow.protocol, port)


def _looks_like_reply(flow: Flow) -> bool:
    if flow.protocol is Protocol.TCP and flow.tcp_flags:
        return {"SYN", "ACK"} <= flow.tcp_flags
    return False


def _name(end: FlowEnd) -> str:
    if end.pod:
        return f"{end.namespace}/{end.pod}"
    labels = LabelSet.parse(end.labels)
    kind = kind_of(labels)
    if kind is None:
        return "" if labels.namespace else end.ip  # a pod that the flow does not name, and that is gone by now
    return end.ip if kind is PartyKind.OUTSIDE and end.ip else str(entity_of_kind(kind))


class FlowJudge:
    """Decides observed flows under one state of the cluster."""

    def __init__(self, cluster: Cluster, policies: PolicySet) -> None:
        self._policies = policies
        self._pods = {str(pod): pod.party for pod in cluster.pods}
        self._by_ip = {ip: pod.party for pod in cluster.pods for ip in pod.party.ips if not pod.host_network}
        self._learnt = cluster.learnt

    def decide(self, flow: ObservedFlow) -> BothSides | None:
        """Decide a flow; None for one between ends that are not there any more."""
        source = self.party(flow.source)
        destination = self.party(flow.destination, source.node if source else "")
        if flow.source in ENTITIES and destination is not None:
            source = self.party(flow.source, destination.node)
        if source is None or destination is None:
            return None
        return self._policies.combine(source, destination, flow.traffic)

    def party(self, name: str, beside: str = "") -> Party | None:
        """Give the party of a pod, an entity or an address; ``beside`` is the node of the other end."""
        if name in ENTITIES:
            return self._policies.party_of_entity(EntityName(name), beside=beside)
        if "/" in name:
            return self._pods.get(name)
        pod = self._by_ip.get(name)
        if pod is not None:
            return pod
        try:
            return self._policies.party_of_ip(name, self._learnt.get(name))
        except ValueError:
            return None


def fates(flows: Iterable[ObservedFlow], before: FlowJudge, after: FlowJudge) -> Iterator[FlowFate]:
    """Give the flows whose verdict changes."""
    for flow in flows:
        first, second = before.decide(flow), after.decide(flow)
        if first is not None and second is not None and first.verdict is not second.verdict:
            yield FlowFate(flow, first.verdict, second.verdict, second.is_audited)
