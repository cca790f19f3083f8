"""Where an egress gateway policy takes the traffic over, a gateway node exists.

A policy that selects the pod and the destination but no node makes the datapath drop the packet (NO_EGRESS_GATEWAY,
194), though Hubble shows it forwarded towards the network just before. One that works changes the address that the
other side sees.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from handlers.connection.addresses import known_addresses
from handlers.connection.labels import selector_matches
from handlers.connection.legs import LEG_PARTS, Leg
from handlers.connection.places import Place, PlaceKind
from handlers.connection.trial import Trial
from handlers.model.cluster import Node, PolicyObject
from handlers.model.endpoint import Entity, EntityName
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, Meaning
from handlers.probes.probe import probe

EGRESS_GATEWAY_NO_NODE = code(
    "EGRESS_GATEWAY_NO_NODE",
    meaning="An egress gateway policy selects the pod and the destination, but no node to leave through: packets drop.",
    template="{policy} sends {source} to {cidr} through a gateway, and {selector} matches no node",
    reason="{name} takes {cidr} out through a gateway, and {selector} matches no node",
    advice="Make egressGateway.nodeSelector match a ready node, or take the pod or the range out of the policy.",
)
EGRESS_GATEWAY_NOT_READY = code(
    "EGRESS_GATEWAY_NOT_READY",
    meaning="The only gateway nodes of the egress gateway policy are not ready.",
    template="{policy} sends {source} through {nodes}, which is not ready",
    reason="{name} takes {cidr} out through {nodes}, which is not ready",
    advice="Look at the gateway node, or widen egressGateway.nodeSelector.",
)
EGRESS_GATEWAY_USED = code(
    "EGRESS_GATEWAY_USED",
    meaning="The traffic leaves through a gateway node, with that node's address.",
    template="{policy} takes {source} out through {nodes}{address}",
)
EGRESS_GATEWAY_UNMAPPED = code(
    "EGRESS_GATEWAY_UNMAPPED",
    meaning="A gateway node matches, but the agent of the pod's node has found no gateway for it.",
    template="{policy} has a gateway node, but the agent of {node} knows no gateway for {source}",
    advice="Look at the agent's log; the egress gateway needs CiliumNode addresses and the feature on that agent.",
)

EGRESS_GATEWAY_UNCLEAR = code(
    "EGRESS_GATEWAY_UNCLEAR",
    meaning="An egress gateway policy selects the pod; whether it takes this destination depends on its address.",
    template="Whether {policy} takes {source} out through a gateway depends on the destination's address",
    advice="Ask for the address.",
)

EGRESS_GATEWAY_EXCLUDED = code(
    "EGRESS_GATEWAY_EXCLUDED",
    meaning="An egress gateway policy selects the pod, and excludes the destination: it leaves from its own node.",
    template="{policy} does not take {source} to {address}: its excludedCIDRs hold {excluded}, so that the other side "
    "sees the address of the pod's node",
    advice="Take the range out of excludedCIDRs if the traffic ought to leave through the gateway.",
)

EVERYTHING = ("0.0.0.0/0", "::/0")
UNCLEAR = "unclear"
"""Stands for a range that nobody can tell, since the destination's address is not known."""


@probe(
    answers=(AboutConnection,),
    codes=(
        EGRESS_GATEWAY_UNCLEAR,
        EGRESS_GATEWAY_EXCLUDED,
        EGRESS_GATEWAY_NO_NODE,
        EGRESS_GATEWAY_NOT_READY,
        EGRESS_GATEWAY_USED,
        EGRESS_GATEWAY_UNMAPPED,
    ),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, Part.EGRESS_GATEWAYS, *LEG_PARTS, Part.AGENT_EGRESS, Part.AGENT_NAMES, Part.FLOWS),
    hop=Hop.EGRESS_GATEWAY,
    blocking=True,
)
def egress_gateway_exists(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge every policy that selects a source and a destination outside."""
    trial = Trial(question.connection, facts)
    ends = needed(trial.ends)
    is_world = ends.destination.asked == Entity(EntityName.WORLD)
    if not ends.are_clear or not (is_world or ends.destination.meaning in (Meaning.OUTSIDE, Meaning.HOST_NAME)):
        return
    said: set[tuple[str, str]] = set()
    for leg in needed(trial.legs):
        for policy in facts.egress_gateways:
            cidr = _taken_over(policy, leg, facts)
            if cidr == UNCLEAR:
                yield _unclear(policy, leg.source)
            elif cidr and (policy.ref, leg.source.title) not in said:
                said.add((policy.ref, leg.source.title))
                yield _judge(policy, leg.source, cidr, facts)
            elif cidr is None and (policy.ref, leg.source.title) not in said:
                for address, excluded in _left_out(policy, leg, facts):
                    said.add((policy.ref, leg.source.title))
                    yield _excluded(policy, leg.source, address, excluded)


def _taken_over(policy: PolicyObject, leg: Leg, facts: Facts) -> str | None:
    """Return the destination range of the policy that takes this leg over, None where it does not."""
    spec = _mapping(policy.manifest.get("spec"))
    if leg.source.kind is not PlaceKind.POD or not _selects(spec, leg.source, facts):
        return None
    addresses = known_addresses(leg.destination, leg.source.node, facts)
    if not addresses:
        # Somewhere outside: a policy for everything takes it over, one for some ranges may.
        ranges = [str(cidr) for cidr in spec.get("destinationCIDRs") or ()]
        return next((cidr for cidr in ranges if cidr in EVERYTHING), UNCLEAR if ranges else None)
    excluded = [str(cidr) for cidr in spec.get("excludedCIDRs") or ()]
    for cidr in spec.get("destinationCIDRs") or ():
        if any(
            _inside(address, str(cidr)) and not any(_inside(address, out) for out in excluded) for address in addresses
        ):
            return str(cidr)
    return None


def _left_out(policy: PolicyObject, leg: Leg, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield each address that the policy's ranges hold and its exceptions take out again, with the exception."""
    spec = _mapping(policy.manifest.get("spec"))
    if leg.source.kind is not PlaceKind.POD or not _selects(spec, leg.source, facts):
        return
    ranges = [str(cidr) for cidr in spec.get("destinationCIDRs") or ()]
    for address in known_addresses(leg.destination, leg.source.node, facts):
        for out in map(str, spec.get("excludedCIDRs") or ()):
            if _inside(address, out) and any(_inside(address, cidr) for cidr in ranges):
                yield address, out


def _excluded(policy: PolicyObject, source: Place, address: str, excluded: str) -> Finding:
    # It stops nothing, but the other side may let in the gateway's address alone.
    return EGRESS_GATEWAY_EXCLUDED.finding(
        Outcome.PROBLEM,
        hop=Hop.EGRESS_GATEWAY,
        evidence=[Evidence("kubernetes", policy.ref, "/spec/excludedCIDRs")],
        policy=policy.ref,
        source=source.title,
        address=address,
        excluded=excluded,
    )


def _selects(spec: Mapping[str, Any], place: Place, facts: Facts) -> bool:
    pod = place.pod
    if pod is None:
        return False
    space = next((space for space in facts.namespaces if space.name == pod.namespace), None)
    # The pod's namespace is a label of its own here (Cilium, Documentation/network/egress-gateway).
    labels = {
        **pod.labels,
        "io.kubernetes.pod.namespace": pod.namespace,
        "k8s:io.kubernetes.pod.namespace": pod.namespace,
    }
    node = next((node for node in facts.nodes if node.name == pod.node), None)
    for selector in spec.get("selectors") or ():
        rule = _mapping(selector)
        matches = [
            selector_matches(rule.get("podSelector"), labels),
            selector_matches(rule.get("namespaceSelector"), space.labels if space else {}),
            selector_matches(rule.get("nodeSelector"), node.labels if node else {}),
        ]
        if all(matches) and any(
            rule.get(key) is not None for key in ("podSelector", "namespaceSelector", "nodeSelector")
        ):
            return True
    return False


def _unclear(policy: PolicyObject, source: Place) -> Finding:
    return EGRESS_GATEWAY_UNCLEAR.finding(
        Outcome.UNKNOWN,
        hop=Hop.EGRESS_GATEWAY,
        blocking=True,
        evidence=[Evidence("kubernetes", policy.ref, "/spec/destinationCIDRs")],
        policy=policy.ref.replace("//", " "),
        source=source.title,
    )


def _judge(policy: PolicyObject, source: Place, cidr: str, facts: Facts) -> Finding:
    spec = _mapping(policy.manifest.get("spec"))
    gateways = [_mapping(spec.get("egressGateway")), *map(_mapping, spec.get("egressGateways") or ())]
    gateways = [gateway for gateway in gateways if gateway]
    nodes = [
        node
        for node in facts.nodes
        if any(selector_matches(gateway.get("nodeSelector"), node.labels) for gateway in gateways)
    ]
    kind, _, name = policy.ref.partition("//")
    values: dict[str, Any] = {"policy": f"{kind} {name}", "name": name, "source": source.title, "cidr": cidr}
    pointer = "/spec/egressGateway/nodeSelector" if "egressGateway" in spec else "/spec/egressGateways"
    evidence = [Evidence("kubernetes", policy.ref, pointer)]
    if not nodes:
        return EGRESS_GATEWAY_NO_NODE.finding(
            Outcome.PROBLEM,
            hop=Hop.EGRESS_GATEWAY,
            blocking=True,
            evidence=evidence,
            selector=tuple(_selector_in_words(gateway.get("nodeSelector")) for gateway in gateways),
            **values,
        )
    if all(node.ready is False for node in nodes):
        return EGRESS_GATEWAY_NOT_READY.finding(
            Outcome.PROBLEM, hop=Hop.EGRESS_GATEWAY, blocking=True, evidence=evidence, nodes=_names(nodes), **values
        )
    if _agent_finds_no_gateway(source, cidr, facts):
        return EGRESS_GATEWAY_UNMAPPED.finding(
            Outcome.PROBLEM, hop=Hop.EGRESS_GATEWAY, blocking=True, evidence=evidence, node=source.node, **values
        )
    address = next((gateway.get("egressIP") for gateway in gateways if gateway.get("egressIP")), None)
    return EGRESS_GATEWAY_USED.finding(
        Outcome.FINE,
        hop=Hop.EGRESS_GATEWAY,
        blocking=True,
        evidence=[Evidence("kubernetes", policy.ref, "/spec")],
        nodes=_names(nodes),
        address=f" with the address {address}" if address else "",
        **values,
    )


def _agent_finds_no_gateway(source: Place, cidr: str, facts: Facts) -> bool:
    look = facts.look(Part.AGENT_EGRESS)
    if not isinstance(look, Known):
        return False
    entries = look.value.on(source.node)
    return isinstance(entries, Known) and any(
        entry.source_ip in source.ips and entry.destination_cidr == cidr and entry.gateway_ip is None
        for entry in entries.value
    )


def _selector_in_words(selector: object) -> str:
    labels = _mapping(_mapping(selector).get("matchLabels"))
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "its nodeSelector"


def _names(nodes: list[Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _overlaps(address: str, cidr: str) -> bool:
    try:
        one, other = ipaddress.ip_network(address, strict=False), ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return one.version == other.version and one.overlaps(other)


def _inside(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_network(address).subnet_of(ipaddress.ip_network(cidr, strict=False))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
