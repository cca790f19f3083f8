"""Kubernetes NetworkPolicy to normal form, as the agent translates it (pkg/k8s/network_policy.go).

Here an empty list is the same as an absent one, a missing ``from`` is everybody, and ``policyTypes`` does not switch
rules off: a section that it does not name is enforced all the same.
"""

from collections.abc import Mapping

from handlers.model.labels import CLUSTER_LABEL, NAMESPACE_LABEL
from handlers.model.rule import (
    WILDCARD,
    Direction,
    Effect,
    Implied,
    L4Protocol,
    LabelSelector,
    Origin,
    Peer,
    PeerKind,
    PeerScope,
    PolicyRef,
    PortProtocol,
    PortRule,
    Requirement,
    Rule,
    Subject,
    SubjectKind,
)
from handlers.policy.cidr import cidr_selectors, parse_prefix
from handlers.policy.config import PolicyConfig
from handlers.policy.ports import MAX_PORT
from handlers.policy.selectors import (
    RawRequirement,
    check_selector,
    compile_requirements,
    equals,
    exists,
    kubernetes_key,
    namespace_label_key,
    read_selector,
    selector_of,
)
from handlers.policy.shapes import PolicyError, as_mapping, as_text, integer_of, list_of, optional_mapping, text_of
from handlers.policy.syntax import is_service_name
from handlers.policy.versions import BLOCK_OPENS_NAMESPACE, BLOCK_REFUSED_WITH_LOCAL_CLUSTER

_PROTOCOLS = {"": L4Protocol.TCP, "TCP": L4Protocol.TCP, "UDP": L4Protocol.UDP, "SCTP": L4Protocol.SCTP}


def parse_network_policy(manifest: Mapping[str, object], policy: PolicyRef, config: PolicyConfig) -> list[Rule]:
    """Give the rules of a NetworkPolicy, one for each item and one for each direction that is isolated without items.

    Raises PolicyError for what cannot exist in a cluster: wrong types, selectors and prefixes that the API server
    refuses.
    """
    spec = as_mapping(manifest.get("spec"), "/spec")
    raw = read_selector(spec.get("podSelector"), "/spec/podSelector")
    check_selector(raw, lambda key: key)
    requirements = [one for one in compile_requirements(raw, kubernetes_key) if not _is_namespace(one)]
    requirements.append(
        equals(NAMESPACE_LABEL, policy.namespace, Implied.POLICY_NAMESPACE, pointer="/spec/podSelector")
    )
    subject = Subject(SubjectKind.ENDPOINTS, selector_of(requirements), "/spec/podSelector", policy.namespace)
    types = [
        as_text(value, f"/spec/policyTypes/{index}")
        for index, value in enumerate(list_of(spec, "policyTypes", "/spec"))
    ]
    if any(name not in ("Ingress", "Egress") for name in types):
        raise PolicyError("/spec/policyTypes must name Ingress or Egress")
    rules = [
        _rule(item, direction, Origin(policy, f"/spec/{direction}/{index}"), subject, config)
        for direction in Direction
        for index, item in enumerate(list_of(spec, direction, "/spec"))
    ]
    # A direction without items is isolated when policyTypes names it; without policyTypes ingress is (lines 254-279).
    isolated = {
        Direction.INGRESS: "Ingress" in types or "Egress" not in types,
        Direction.EGRESS: "Egress" in types,
    }
    for direction, is_isolated in isolated.items():
        if is_isolated and not any(rule.direction is direction for rule in rules):
            pointer = "/spec/policyTypes" if types else "/spec"
            rules.append(_make(direction, Origin(policy, pointer), subject, PeerScope.NOBODY, (), ()))
    return rules


def _is_namespace(requirement: Requirement) -> bool:
    return requirement.key == NAMESPACE_LABEL and requirement.operator == "Equals"


def _make(
    direction: Direction,
    origin: Origin,
    subject: Subject,
    scope: PeerScope,
    peers: tuple[Peer, ...],
    ports: tuple[PortRule, ...],
) -> Rule:
    return Rule(
        direction=direction,
        effect=Effect.ALLOW,
        subject=subject,
        scope=scope,
        peers=peers,
        ports=ports,
        default_deny=True,
        origin=origin,
    )


def _rule(item: object, direction: Direction, origin: Origin, subject: Subject, config: PolicyConfig) -> Rule:
    fields = as_mapping(item, origin.pointer)
    side = "from" if direction is Direction.INGRESS else "to"
    entries = list_of(fields, side, origin.pointer)
    peers: list[Peer] = []
    for index, entry in enumerate(entries):
        peers.extend(_peers(entry, f"{origin.pointer}/{side}/{index}", direction, subject.namespace, config))
    if not entries:
        peers = [Peer(PeerKind.ANY, (WILDCARD,), origin.pointer, "everybody")]
    ports = tuple(
        PortRule((port,), port.pointer)
        for port in (
            _port(entry, f"{origin.pointer}/ports/{index}")
            for index, entry in enumerate(list_of(fields, "ports", origin.pointer))
        )
    )
    # A peer without any selector stands for nobody; beside others it adds nothing.
    scope = PeerScope.LISTED if peers else PeerScope.NOBODY
    return _make(direction, origin, subject, scope, tuple(peers), ports)


def _peers(entry: object, pointer: str, direction: Direction, namespace: str, config: PolicyConfig) -> list[Peer]:
    """Read one peer; an ipBlock beside a selector counts on its own, as in the agent."""
    fields = as_mapping(entry, pointer)
    pods = optional_mapping(fields, "podSelector", pointer)
    namespaces = optional_mapping(fields, "namespaceSelector", pointer)
    block = optional_mapping(fields, "ipBlock", pointer)
    peers = []
    if pods is None and namespaces is None and direction is Direction.INGRESS and config.selector_cluster:
        if block is not None and config.holds(BLOCK_REFUSED_WITH_LOCAL_CLUSTER):
            raise PolicyError(f"combining FromEndpoints and FromCIDRSet is not supported yet ({pointer})")
        if config.holds(BLOCK_OPENS_NAMESPACE):
            pods = {}
    if pods is not None or namespaces is not None:
        selector, written = _pod_peer(pods, namespaces, pointer, namespace, config)
        peers.append(Peer(PeerKind.ENDPOINTS, (selector,), pointer, written))
    if block is not None:
        peers.append(_block_peer(block, f"{pointer}/ipBlock", config))
    return peers


def _pod_peer(
    pods: Mapping[str, object] | None,
    namespaces: Mapping[str, object] | None,
    pointer: str,
    namespace: str,
    config: PolicyConfig,
) -> tuple[LabelSelector, str]:
    raw = read_selector(pods, f"{pointer}/podSelector")
    check_selector(raw, lambda key: key)
    requirements = compile_requirements(raw, kubernetes_key)
    names_cluster = any(
        one.key == CLUSTER_LABEL and (one.operator != "Equals" or one.values[0]) for one in requirements
    )
    if config.selector_cluster and not names_cluster:
        requirements = [one for one in requirements if one.key != CLUSTER_LABEL]
        requirements.append(
            equals(CLUSTER_LABEL, config.selector_cluster, Implied.LOCAL_CLUSTER, pointer=f"{pointer}/podSelector")
        )
    written = f"pods with {_written(raw)}" if raw else "all pods"
    if namespaces is None:
        requirements = [one for one in requirements if not _is_namespace(one)]
        requirements.append(
            equals(NAMESPACE_LABEL, namespace, Implied.POLICY_NAMESPACE, pointer=f"{pointer}/podSelector")
        )
        return selector_of(requirements), f"{written} of this namespace"
    labels = read_selector(namespaces, f"{pointer}/namespaceSelector")
    check_selector(labels, lambda key: key)
    requirements.extend(compile_requirements(labels, namespace_label_key))
    if not labels:
        requirements.append(exists(NAMESPACE_LABEL, Implied.ANY_NAMESPACE, pointer=f"{pointer}/namespaceSelector"))
    where = f"namespaces with {_written(labels)}" if labels else "all namespaces"
    return selector_of(requirements), f"{written} of {where}"


def _written(raw: tuple[RawRequirement, ...]) -> str:
    return ",".join(
        f"{one.key}={one.values[0]}" if one.operator == "Equals" else f"{one.key} {one.operator} {','.join(one.values)}"
        for one in raw
    )


def _block_peer(block: Mapping[str, object], pointer: str, config: PolicyConfig) -> Peer:
    cidr = text_of(block, "cidr", pointer)
    network = parse_prefix(cidr)
    if network is None:
        raise PolicyError(f"{pointer}/cidr is no prefix")
    excepts = [
        as_text(value, f"{pointer}/except/{index}") for index, value in enumerate(list_of(block, "except", pointer))
    ]
    carved = []
    for index, text in enumerate(excepts):
        except_network = parse_prefix(text)
        if except_network is None:
            raise PolicyError(f"{pointer}/except/{index} is no prefix")
        carved.append(except_network)
    written = cidr + (f" except {', '.join(excepts)}" if excepts else "")
    return Peer(
        PeerKind.CIDR, cidr_selectors(network, carved, config), pointer, written, cidr=cidr, excepts=tuple(excepts)
    )


def _port(item: object, pointer: str) -> PortProtocol:
    """Read a port entry: without a protocol TCP, without a port every port (lines 316-353)."""
    fields = as_mapping(item, pointer)
    protocol = _PROTOCOLS.get(text_of(fields, "protocol", pointer).upper())
    if protocol is None:
        raise PolicyError(f"{pointer}/protocol must be TCP, UDP or SCTP")
    end_port = integer_of(fields, "endPort", pointer, 0, MAX_PORT)
    value = fields.get("port")
    name, port = "", 0
    if isinstance(value, str) and is_service_name(value):
        # Kept as written: a NetworkPolicy's port name is not folded to lower case.
        name = value
    elif isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        port = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        port = value
    elif value is not None:
        raise PolicyError(f"{pointer}/port must be a number or a port name")
    if not 0 <= port <= MAX_PORT:
        raise PolicyError(f"{pointer}/port is out of range")
    return PortProtocol(port=port, end_port=end_port, protocol=protocol, pointer=pointer, name=name)
