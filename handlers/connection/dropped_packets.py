"""Whether packets that policy was seen to drop would pass under other policies.

They are decided by the identities that the node saw, not by those computed of the ends: a patch is for packets.
"""

from collections.abc import Iterator

from handlers.connection.seen import Side
from handlers.connection.trial import Trial
from handlers.model.decision import Verdict
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts, Lacking
from handlers.model.flow import EventType, Flow, FlowDirection, FlowEnd, FlowVerdict
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.party import Party, PartyKind
from handlers.model.rule import Direction
from handlers.model.snapshot import Known
from handlers.model.traffic import Traffic
from handlers.policy.cidr import parse_address
from handlers.policy.entities import kind_of
from handlers.policy.parties import named_ports, party_of_flow_end, party_of_labels
from handlers.policy.policy_set import PolicySet

_DENIED = (Verdict.DENIED, Verdict.DENIED_L7)
_DIRECTIONS = {FlowDirection.EGRESS: Direction.EGRESS, FlowDirection.INGRESS: Direction.INGRESS}


def would_profit(trial: Trial, live: PolicySet, before: PolicySet, after: PolicySet) -> bool:
    """Whether a step from ``before`` to ``after`` lets dropped packets pass, or ``live`` drops none of those seen."""
    facts = trial.facts
    dropped = [flow for flow in _dropped(trial) if not _passes(flow, live, facts)]
    return not dropped or any(_passes(flow, after, facts) and not _passes(flow, before, facts) for flow in dropped)


def _dropped(trial: Trial) -> Iterator[Flow]:
    """Yield one verdict of each kind of packet that policy dropped, as policies stand now."""
    look, stretches, change = trial.facts.look(Part.FLOWS), trial.stretches, trial.change
    if not isinstance(look, Known) or isinstance(stretches, Lacking):
        return
    since = None if change is None or isinstance(change, Lacking) else change.at
    told: set[tuple[object, ...]] = set()
    for flow in look.value.flows:
        if flow.verdict is not FlowVerdict.DROPPED or flow.event_type != EventType.POLICY_VERDICT:
            continue
        if not drop_reason(flow.drop_reason or "").is_policy or (since is not None and flow.time <= since):
            continue
        kind = (flow.node, flow.direction, flow.source.labels, flow.destination.labels, flow.destination.port)
        is_mine = any(
            flow.protocol is stretch.protocol
            and stretch.port in (None, flow.destination.port)
            and Side.of(stretch.sources).holds(flow.source)
            and Side.of(stretch.destinations).holds(flow.destination)
            for stretch in stretches
        )
        if is_mine and kind not in told:
            told.add(kind)
            yield flow


def _passes(flow: Flow, policies: PolicySet, facts: Facts) -> bool:
    direction = _DIRECTIONS.get(flow.direction)
    if direction is None or flow.protocol is None or flow.destination.port is None:
        return True
    ends = [_party(end, flow.node, policies, facts) for end in (flow.source, flow.destination)]
    subject, peer = ends if direction is Direction.EGRESS else ends[::-1]
    outcome, _ = policies.outcome(direction, subject, peer, Traffic(flow.protocol, flow.destination.port))
    return outcome.verdict not in _DENIED


def _party(end: FlowEnd, node: str, policies: PolicySet, facts: Facts) -> Party:
    labels = LabelSet.parse(end.labels)
    address = parse_address(end.ip)
    if kind_of(labels) is PartyKind.OUTSIDE:
        if address is None or address in policies.addresses.nodes:
            return party_of_labels(labels, name=end.ip)
        return policies.party_of_ip(end.ip, tuple(name.rstrip(".") for name in end.names))
    pod = next((pod for pod in facts.pods if end.pod and (pod.namespace, pod.name) == (end.namespace, end.pod)), None)
    host = policies.addresses.host_labels(policies.node_named(node))
    return party_of_flow_end(end, node=node, host_labels=host, ports=named_ports(pod.ports) if pod else ())
