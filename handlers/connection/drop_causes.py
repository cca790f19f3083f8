"""What dropped a group of packets: the decision of the policies as they stand, on the labels that the flow carried."""

from dataclasses import dataclass

from handlers.connection.change_words import change_in_words
from handlers.connection.drop_groups import DropGroup, Owners
from handlers.connection.policies import names_on, policies_of
from handlers.connection.policy_findings import policies_named
from handlers.model.change import newest
from handlers.model.cluster import Pod
from handlers.model.decision import Decision, Verdict
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Sentence
from handlers.model.flow import Flow, FlowDirection, FlowEnd
from handlers.model.parts import Part
from handlers.model.party import NamedPort, Party
from handlers.model.rule import Direction
from handlers.model.snapshot import Known
from handlers.model.traffic import Traffic
from handlers.policy.parties import named_ports, party_of_flow_end
from handlers.policy.policy_set import PolicySet


def owners_of(facts: Facts) -> Owners:
    """Return the workload of each pod that was read; none where pods are missing."""
    look = facts.look(Part.PODS)
    pods: tuple[Pod, ...] = look.value if isinstance(look, Known) else ()
    return {(pod.namespace, pod.name): pod.owner.name for pod in pods if pod.owner}


def decision_on(group: DropGroup, facts: Facts, policies: PolicySet | None = None) -> Decision | None:
    """Return what policy says of a group of drops, None where the flow does not tell what it would be asked.

    ``policies`` are others than those in force, to ask what they would say.

    Raises:
        PartMissingError: if the policies or the nodes were not read.
    """
    flow = group.example
    if flow.protocol is None or group.port is None or flow.direction is FlowDirection.UNKNOWN:
        return None
    direction = Direction.EGRESS if flow.direction is FlowDirection.EGRESS else Direction.INGRESS
    source, destination = _party(flow.source, flow, facts), _party(flow.destination, flow, facts)
    subject, peer = (source, destination) if direction is Direction.EGRESS else (destination, source)
    return (policies or policies_of(facts)).decide(direction, subject, peer, Traffic(flow.protocol, group.port))


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


@dataclass(frozen=True, slots=True)
class DropCause:
    """Why packets were dropped, in words, and the policies that did it as ``Kind/namespace/name``, none for others."""

    words: Sentence
    policies: tuple[str, ...] = ()


def cause_of(group: DropGroup, facts: Facts) -> DropCause:
    """Return what dropped a group: the policies that Hubble names, or that deny it as they stand, else the reason."""
    known = drop_reason(group.reason)
    if not known.is_policy:
        return DropCause(Sentence("{meaning}", {"meaning": known.meaning}))
    if group.example.denied_by:
        refs = tuple(policy.ref for policy in group.example.denied_by)
        return DropCause(Sentence("denied by {policies}", {"policies": refs}), refs)
    decision = attempt(lambda: decision_on(group, facts))
    if decision is None or isinstance(decision, Lacking) or decision.verdict is not Verdict.DENIED:
        return DropCause(Sentence("by a policy, which those that were read do not explain"))
    origins = decision.default_deny_by or decision.rules
    refs = tuple(dict.fromkeys(str(origin.policy) for origin in origins))
    return DropCause(Sentence("denied by {policies}", {"policies": policies_named(decision)}), refs)


def told_with_change(cause: DropCause, facts: Facts) -> Sentence:
    """Return the cause, and who changed its policies last, where that was read."""
    look = facts.look(Part.CHANGES)
    changes = look.value.found if isinstance(look, Known) else ()
    change = newest(one for one in changes if one.ref in cause.policies)
    if change is None:
        return cause.words
    return Sentence("{cause}; {change}", {"cause": cause.words, "change": change_in_words(change)})
