"""The one maker of parties: whatever an end of a flow is, here it becomes what policy sees.

| of what is known | made by |
|---|---|
| a pod, with the labels that its CiliumEndpoint has or that are computed | ``party_of_pod`` |
| a CiliumEndpoint alone | ``party_of_endpoint`` |
| the labels of an identity | ``party_of_labels`` |
| an end of a flow, as the node that reports it saw it | ``party_of_flow_end`` |
| an entity by name | ``party_of_entity`` |
| a node, or a pod in its network; a node that is not among those read | ``party_of_node``, ``party_of_unread_node`` |
| an address outside; a DNS name without one | ``party_of_address``, ``party_of_host_name`` |

``handlers/policy/pods.py`` finds in a snapshot what belongs to a pod. ``PolicySet.party_of_ip`` and its neighbours
know the addresses and nodes of a cluster.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from handlers.model.cluster import CiliumEndpoint, Pod, PodPort
from handlers.model.endpoint import EntityName
from handlers.model.flow import FlowEnd
from handlers.model.labels import NAMESPACE_LABEL, Label, LabelSet, pod_identity_labels
from handlers.model.party import MissingFact, NamedPort, Party, PartyKind
from handlers.model.reserved import RESERVED_IDENTITIES
from handlers.policy.addresses import AddressBook
from handlers.policy.cidr import Address, parse_address, world_label
from handlers.policy.config import PolicyConfig
from handlers.policy.entities import ENTITIES, kind_of
from handlers.policy.surroundings import Node
from handlers.policy.views import GOVERNED_KINDS


def named_ports(ports: Iterable[PodPort]) -> tuple[NamedPort, ...]:
    """Give the container ports that have a name."""
    return tuple(NamedPort(port.name, port.port, port.protocol) for port in ports if port.name)


def labels_of_pod(
    pod: Pod, namespace_labels: Mapping[str, str], config: PolicyConfig, *, cluster: str = ""
) -> LabelSet:
    """Compute the labels of a pod's identity from its objects; without ``cluster`` it is one of this cluster."""
    return pod_identity_labels(
        pod_labels=pod.labels,
        namespace=pod.namespace,
        namespace_labels=namespace_labels,
        service_account=pod.service_account,
        cluster=cluster or config.cluster_name,
        label_filter=config.label_filter,
    )


def party_of_labels(labels: LabelSet, *, name: str = "", ports: tuple[NamedPort, ...] | None = ()) -> Party:
    """Give whoever bears the labels of an identity, on no particular node."""
    kind = kind_of(labels) or PartyKind.ENDPOINT
    return Party(kind, labels, name=name, managed=kind in GOVERNED_KINDS, named_ports=ports)


def party_of_pod(pod: Pod, labels: LabelSet, *, identity: int | None = None, audit: bool | None = None) -> Party:
    """Give a pod that has a network of its own; ``labels`` are those of its identity, ``audit`` its own option."""
    return replace(
        party_of_labels(labels, name=str(pod), ports=named_ports(pod.ports)),
        ips=pod.ips,
        node=pod.node or "",
        identity=identity,
        unfiltered=tuple(sorted(pod.labels.items())),
        audit=audit,
    )


def party_of_endpoint(endpoint: CiliumEndpoint, *, node: str = "", audit: bool | None = None) -> Party:
    """Give a pod of which only the CiliumEndpoint is known; ``node`` is the name of the node that it names.

    An endpoint without labels has those of its reserved identity, else some that nobody told.
    """
    labels, missing = LabelSet.parse(endpoint.labels), frozenset[MissingFact]()
    if not endpoint.labels:
        reserved = RESERVED_IDENTITIES.get(endpoint.identity or 0)
        is_told = reserved is not None and bool(endpoint.identity)
        labels = LabelSet.reserved(reserved[0]) if reserved and is_told else LabelSet((_in(endpoint.namespace),))
        missing = frozenset() if is_told else frozenset({MissingFact.LABELS})
    name = f"{endpoint.namespace}/{endpoint.name}"
    return replace(
        party_of_labels(labels, name=name, ports=named_ports(endpoint.named_ports)),
        missing=missing,
        ips=endpoint.ips,
        node=node,
        identity=endpoint.identity,
        unfiltered=tuple((label.key, label.value) for label in labels),
        audit=audit,
    )


def _in(namespace: str) -> Label:
    return Label(key=NAMESPACE_LABEL, value=namespace)


def party_of_flow_end(
    end: FlowEnd,
    *,
    node: str,
    host_labels: LabelSet,
    ports: tuple[NamedPort, ...] | None = (),
    fqdn_names: tuple[str, ...] | None = (),
) -> Party:
    """Give an end of a flow in the eyes of the node that reports it: its labels are those of the flow.

    ``host_labels`` are those by which host policies select this node; ``fqdn_names`` are the names that it has for an
    address outside.
    """
    labels = LabelSet.parse(end.labels)
    # Flows do not name every pod, but whoever bears the label of a namespace is one.
    kind = kind_of(labels) or (PartyKind.ENDPOINT if end.pod or labels.namespace else PartyKind.OUTSIDE)
    is_host = kind is PartyKind.HOST
    return Party(
        kind,
        labels,
        name=f"{end.namespace}/{end.pod}" if end.pod else end.ip,
        ips=(end.ip,),
        node=node,
        managed=kind in GOVERNED_KINDS or is_host,
        host_labels=host_labels if is_host else None,
        local_labels=labels if is_host else None,
        named_ports=ports,
        fqdn_names=fqdn_names if kind is PartyKind.OUTSIDE else (),
    )


def party_of_entity(entity: EntityName, book: AddressBook, *, beside: Node | None = None, ip_version: int = 4) -> Party:
    """Give an entity; ``beside`` is the node of the other end, where that is known: the one that ``host`` means.

    With dual stack the world is one entity for each IP version.
    """
    if entity is EntityName.HOST:
        return party_of_host(beside, book)
    known = ENTITIES[entity]
    is_world = entity is EntityName.WORLD
    return Party(
        known.kind,
        LabelSet((world_label(ip_version, book.config),)) if is_world else known.labels,
        name=str(entity),
        managed=known.kind in GOVERNED_KINDS,
    )


def party_of_host(node: Node | None, book: AddressBook) -> Party:
    """Give the node of the other end, as what runs there sees it; None where it is not known which node that is."""
    seen = book.local_labels(node)
    return Party(
        PartyKind.HOST,
        seen,
        name=str(EntityName.HOST),
        node=node.name if node else "",
        host_labels=book.host_labels(node),
        local_labels=seen,
    )


def party_of_node(node: Node, book: AddressBook, address: Address | None = None) -> Party:
    """Give a particular node, seen at one of its addresses (its first unless told otherwise)."""
    if address is None:
        address = next((found for found in map(parse_address, node.ips) if found is not None), None)
    ips = node.ips if address is None else (str(address), *(ip for ip in node.ips if ip != str(address)))
    return Party(
        PartyKind.NODE,
        book.node_labels(node, address),
        name=node.name,
        ips=ips,
        node=node.name,
        managed=node.cluster in ("", book.config.cluster_name),
        host_labels=book.host_labels(node),
        local_labels=book.local_labels(node),
        missing=book.missing if book.config.cidr_matches_nodes else book.missing & {MissingFact.KUBE_APISERVER},
    )


def party_of_unread_node(name: str, book: AddressBook, ips: tuple[str, ...] = ()) -> Party:
    """Give a node, or a pod in its network, of which no object was read: its labels are not known.

    Whether it is the API server is told by its address, where both are known.
    """
    addresses = {address for address in map(parse_address, ips) if address is not None}
    is_api_server = not book.apiservers.isdisjoint(addresses)
    config = book.config
    missing = {MissingFact.NODES} if config.node_selector_labels or config.host_firewall else set()
    if not is_api_server and (not addresses or MissingFact.KUBE_APISERVER in book.missing):
        missing.add(MissingFact.KUBE_APISERVER)
    if config.cidr_matches_nodes:
        missing.add(MissingFact.ADDRESS)
    entity = EntityName.KUBE_APISERVER if is_api_server else EntityName.REMOTE_NODE
    return Party(
        PartyKind.REMOTE_NODE,
        ENTITIES[entity].labels,
        name=name,
        ips=ips,
        managed=False,
        missing=frozenset(missing),
    )


def party_of_address(text: str, book: AddressBook, fqdn_names: tuple[str, ...] | None, *, with_dns: bool) -> Party:
    """Give whom an address belongs to that is no pod's: a node, or somebody outside.

    ``fqdn_names`` are the DNS names that the node's cache has for it, None where that was not read; ``with_dns`` adds
    the labels of what the surroundings have learnt. Raises ValueError for what is no address.
    """
    address = parse_address(text)
    if address is None:
        raise ValueError(f"{text[:60]!r} is no IP address")
    node = book.nodes.get(address)
    if node is not None:
        return party_of_node(node, book, address)
    return Party(
        PartyKind.OUTSIDE,
        book.outside_labels(address, with_dns=with_dns),
        ips=(str(address),),
        managed=False,
        fqdn_names=fqdn_names,
        missing=book.missing if fqdn_names is None else book.missing - {MissingFact.DNS_NAMES},
    )


def party_of_host_name(name: str, book: AddressBook, *, fqdn_names: tuple[str, ...] = (), ip_version: int = 4) -> Party:
    """Give somebody outside of whom only a DNS name is known; ``fqdn_names`` are the names that would be learnt."""
    return replace(
        party_of_entity(EntityName.WORLD, book, ip_version=ip_version),
        name=name,
        fqdn_names=fqdn_names,
        missing=frozenset({MissingFact.ADDRESS, MissingFact.CIDR_GROUPS}),
    )
