"""What dropped a group of packets: the decision of the policies as they stand, on the labels that the flow carried."""

from handlers.connection.drop_groups import DropGroup, Owners
from handlers.connection.policies import names_on, policies_of
from handlers.model.cluster import Pod
from handlers.model.decision import Decision
from handlers.model.facts import Facts
from handlers.model.flow import Flow, FlowDirection, FlowEnd
from handlers.model.parts import Part
from handlers.model.party import NamedPort, Party
from handlers.model.rule import Direction
from handlers.model.snapshot import Known
from handlers.model.traffic import Traffic
from handlers.policy.parties import named_ports, party_of_flow_end


def owners_of(facts: Facts) -> Owners:
    """Return the workload of each pod that was read; none where pods are missing."""
    look = facts.look(Part.PODS)
    pods: tuple[Pod, ...] = look.value if isinstance(look, Known) else ()
    return {(pod.namespace, pod.name): pod.owner.name for pod in pods if pod.owner}


def decision_on(group: DropGroup, facts: Facts) -> Decision | None:
    """Return what policy says of a group of drops, None where the flow does not tell what it would be asked.

    Raises:
        PartMissingError: if the policies or the nodes were not read.
    """
    flow = group.example
    if flow.protocol is None or group.port is None or flow.direction is FlowDirection.UNKNOWN:
        return None
    direction = Direction.EGRESS if flow.direction is FlowDirection.EGRESS else Direction.INGRESS
    source, destination = _party(flow.source, flow, facts), _party(flow.destination, flow, facts)
    subject, peer = (source, destination) if direction is Direction.EGRESS else (destination, source)
    return policies_of(facts).decide(direction, subject, peer, Traffic(flow.protocol, group.port))


def _party(end: FlowEnd, flow: Flow, facts: Facts) -> Party:
    """Return an end as the flow's own node saw it: the labels are in the flow."""
    policies = policies_of(facts)
    return party_of_flow_end(
        end,
        node=flow.node,
        host_labels=policies.addresses.host_labels(policies.node_named(flow.node)),
        ports=_named_ports(end, facts),
        fqdn_names=() if end.pod else names_on(flow.node, end.ip, facts),
    )


def _named_ports(end: FlowEnd, facts: Facts) -> tuple[NamedPort, ...] | None:
    look = facts.look(Part.PODS)
    if not end.pod:
        return ()
    if not isinstance(look, Known):
        return None
    for pod in look.value:
        if (pod.namespace, pod.name) == (end.namespace, end.pod):
            return named_ports(pod.ports)
    return None
