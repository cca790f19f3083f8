"""The policies in reach, compiled once for a snapshot, with what they refer to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.connection.settings import settings_of
from handlers.model.cluster import EndpointSlice, Node, PolicyObject, Service
from handlers.model.facts import Facts
from handlers.model.flow import Flow
from handlers.model.parts import Part
from handlers.model.rule import PolicyRef, PolicyStatus
from handlers.model.snapshot import AnyPart, Known
from handlers.policy import surroundings as around
from handlers.policy.mentions import CIDR_GROUPS, TO_SERVICES, some_policy_has
from handlers.policy.parties import named_ports
from handlers.policy.policy_set import PolicySet, compile_policies

POLICY_PARTS: tuple[AnyPart, ...] = (Part.POLICIES, Part.NODES)
"""Parts without which no policy decision is made: one unseen policy could flip a default deny."""
POLICY_OPTIONAL_PARTS: tuple[AnyPart, ...] = (
    Part.CONFIG,
    Part.FOREIGN_POLICIES,
    Part.NAMESPACES,
    Part.API_SERVER,
    Part.CIDR_GROUPS,
    Part.POLICY_SERVICES,
    Part.CILIUM_ENDPOINTS,
    Part.NAMED_PORTS,
    Part.AGENT_NAMES,
    Part.AGENT_IDENTITIES,
    Part.AGENT_ADDRESSES,
    Part.AGENT_ENDPOINTS,
    Part.FLOWS,
    Part.RELAY,
)
"""Parts that policies may refer to; where one is missing and matters, the decision is unknown and says so."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A change of a policy: flows from before it tell nothing of today."""

    policy: str
    """``Kind/namespace/name``"""
    at: datetime


def policies_of(facts: Facts) -> PolicySet:
    """Return every policy read, compiled.

    Raises:
        PartMissingError: if the policies or the nodes were not read.
    """
    return facts.once("policies", lambda: policies_in(facts.policies, facts))


def statuses_of(facts: Facts) -> tuple[PolicyStatus, ...]:
    """Return how the agents take each policy: by their own word where they gave it, else as their sanitizer judges.

    Raises:
        PartMissingError: if the policies or the nodes were not read.
    """
    refused = [
        PolicyStatus(PolicyRef(policy.kind, policy.namespace, policy.name), valid=False, reason=reason)
        for policy in facts.policies
        if (reason := _refused_by_agents(policy)) is not None
    ]
    return (*policies_of(facts).statuses, *refused)


def unjudged_policies(facts: Facts, among: Collection[PolicyRef] | None = None) -> tuple[str, ...]:
    """Name the policies (of ``among``; None: all) of which it could not be told whether agents accept them.

    Raises:
        PartMissingError: if the policies or the nodes were not read.
    """
    statuses = (one for one in policies_of(facts).statuses if among is None or one.policy in among)
    return tuple(f"{one.policy.kind} {one.policy.short}" for one in statuses if one.unjudged)


def _refused_by_agents(policy: PolicyObject) -> str | None:
    """Return the agents' own reason for refusing a policy (condition Valid: cnp_types.go:264-284), else None."""
    status = policy.manifest.get("status")
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    for condition in conditions if isinstance(conditions, list) else ():
        if isinstance(condition, Mapping) and condition.get("type") == "Valid" and condition.get("status") == "False":
            return str(condition.get("message") or "the agents refuse it")
    return None


def config_assumption(facts: Facts) -> str | None:
    """Return what is assumed about settings and versions because it could not be read, None where it was read."""
    return settings_of(facts).assumption


def config_doubts(facts: Facts) -> tuple[str, ...]:
    """Return what of settings, versions and other policies leaves an answer about the whole cluster in doubt."""
    return settings_of(facts).doubts


def newest_change(facts: Facts, among: Collection[str] | None = None) -> PolicyChange | None:
    """Return the newest change of the policies ``among`` these (``Kind/namespace/name``; None: any), None for none."""
    look = facts.look(Part.POLICIES)
    if not isinstance(look, Known):
        return None
    changes = [
        PolicyChange(policy.ref, policy.changed_at)
        for policy in look.value
        if policy.changed_at and (among is None or policy.ref in among)
    ]
    return max(changes, key=lambda change: change.at, default=None)


def policies_in(objects: Sequence[PolicyObject], facts: Facts) -> PolicySet:
    """Return these policies compiled, with the cluster's configuration and surroundings."""
    config = settings_of(facts).config
    manifests = [policy.manifest for policy in in_force(objects)]
    return compile_policies(manifests, config=config, surroundings=_surroundings(facts))


def in_force(objects: Sequence[PolicyObject]) -> list[PolicyObject]:
    """Leave out what the agents refuse: it enforces nothing, whatever we make of it."""
    return [policy for policy in objects if _refused_by_agents(policy) is None]


def _surroundings(facts: Facts) -> around.Surroundings:
    api_server = facts.look(Part.API_SERVER)
    groups = facts.look(Part.CIDR_GROUPS) if some_policy_has(CIDR_GROUPS, facts.policies) else None
    ports = facts.look(Part.NAMED_PORTS)
    names = facts.look(Part.AGENT_NAMES)
    flows = facts.look(Part.FLOWS)
    is_some_name_known = isinstance(names, Known) or isinstance(flows, Known)
    return around.Surroundings(
        services=_services(facts),
        cidr_groups=tuple(map(_group, groups.value)) if isinstance(groups, Known) else None,
        nodes=tuple(policy_node(node) for node in facts.nodes),
        kube_apiserver=tuple(map(_host, api_server.value)) if isinstance(api_server, Known) else None,
        # Which names an address has is told per node, party by party; here only whether anything is known at all.
        fqdn_cache={} if is_some_name_known else None,
        named_ports=named_ports(ports.value) if isinstance(ports, Known) else None,
    )


def some_policy_names_services(so_far: Facts) -> bool:
    """Whether a policy that was read refers to Services, so that every Service has to be read."""
    policies = so_far.look(Part.POLICIES)
    return isinstance(policies, Known) and some_policy_has(TO_SERVICES, policies.value)


def policy_node(node: Node) -> around.Node:
    """Return a node as the engine sees it; ``cilium_host`` is one of its addresses."""
    return around.Node(node.name, node.ips + node.cilium_ips, node.labels)


def _services(facts: Facts) -> tuple[around.Service, ...] | None:
    look = facts.look(Part.POLICY_SERVICES)
    if not isinstance(look, Known):
        return None
    services: tuple[Service, ...] = look.value[0]
    slices: tuple[EndpointSlice, ...] = look.value[1]
    addresses: dict[tuple[str, str], list[str]] = {}
    for part in slices:
        backends = addresses.setdefault((part.namespace, part.service), [])
        backends += [address for backend in part.backends for address in backend.addresses]
    return tuple(
        around.Service(
            service.namespace,
            service.name,
            service.labels,
            service.selector or {},
            tuple(addresses.get((service.namespace, service.name), ())),
        )
        for service in services
    )


def _group(group: PolicyObject) -> around.CidrGroup:
    metadata, spec = group.manifest.get("metadata"), group.manifest.get("spec")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    cidrs = spec.get("externalCIDRs") if isinstance(spec, dict) else None
    return around.CidrGroup(
        group.name,
        {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {},
        tuple(str(cidr) for cidr in cidrs) if isinstance(cidrs, list) else (),
    )


def _host(endpoint: str) -> str:
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]") if port.isdigit() and host else endpoint


def names_on(node: str | None, address: str, facts: Facts) -> tuple[str, ...] | None:
    """Return the DNS names that a node's agent has for an address, None where nothing tells.

    The agent's cache tells; so do flows of that node to the address, since they carry the names it had.
    """
    learnt: set[str] = set()
    is_known = False
    cache = facts.look(Part.AGENT_NAMES)
    if isinstance(cache, Known) and isinstance(answer := cache.value.on(node), Known):
        is_known = True
        learnt |= {entry.name.rstrip(".") for entry in answer.value if address in entry.ips}
    flows = facts.look(Part.FLOWS)
    if isinstance(flows, Known):
        seen: list[Flow] = [
            flow for flow in flows.value.flows if flow.destination.ip == address and node in (None, flow.node)
        ]
        is_known = is_known or bool(seen)
        learnt |= {name.rstrip(".") for flow in seen for name in flow.destination.names}
    return tuple(sorted(learnt)) if is_known else None
