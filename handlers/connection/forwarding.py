"""How nodes forward what arrives from outside for a Service: to which backends, and as whom.

A node that picks a backend of its own leaves the source as it is. For a backend elsewhere it puts an address of its
own in the source's place, unless it answers directly (DSR). Through a tunnel the identity goes along in the header,
and one that means something on a single node only, as that of a CIDR does, is the world there (Cilium,
bpf/lib/nodeport.h and bpf/lib/encap.h; recorded: packets from the other node's cilium_host bear reserved:world).
Without a tunnel the backend's node sees the other node. Clients in the cluster pick the backend when they connect,
whatever the traffic policy says, and stay themselves (bpf/bpf_sock.c; Services have a list of backends for them).
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from handlers.connection.backends import Target
from handlers.connection.places import Place, PlaceKind
from handlers.model.cluster import CiliumConfig, Node, Service
from handlers.model.endpoint import EntityName
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.names.frontends import Frontend, FrontendKind, outside_of
from handlers.names.resolve import Resolved

CILIUM_ENVOY = "192.192.192.192"
"""The backend that stands for Cilium's own proxy in Services of Ingress and Gateway API (operator/pkg/model)."""
_FORWARDING_MODE = "service.cilium.io/forwarding-mode"
_EXPOSED_AS = "service.cilium.io/type"
_RANGES_POLICY = "service.cilium.io/src-ranges-policy"


@dataclass(frozen=True, slots=True)
class Untold:
    """Why it cannot be told how packets go on, and what would help."""

    reason: str
    remedy: str


BEHIND_A_BALANCER = Untold(
    "the name is that of a load balancer outside, which may put an address of its own in the client's place",
    "Ask for world as the source, or for the Service behind it by its name.",
)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What Cilium's configuration says of load balancing."""

    replaces_kube_proxy: bool
    tunnels: bool
    mode: str
    """``snat``, ``dsr`` or ``hybrid`` (DSR for TCP)."""
    mode_by_service: bool
    for_pods: bool
    """Whether pods' connections are balanced when they connect, not only those of the host."""
    ranges_for_all: bool
    cluster_ips_outside: bool

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "Forwarding":
        """Read the data of ``cilium-config``; what is absent has the agent's default."""

        def is_on(name: str) -> bool:
            return options.get(name, "").strip().lower() in ("true", "1", "t")

        replacement = options.get("kube-proxy-replacement", "").strip().lower()
        routing, tunnel = options.get("routing-mode", "").strip().lower(), options.get("tunnel", "").strip().lower()
        replaces = replacement in ("true", "strict")
        return cls(
            replaces_kube_proxy=replaces or is_on("enable-node-port"),
            tunnels=routing != "native" and tunnel != "disabled",
            mode=(options.get("bpf-lb-mode") or options.get("node-port-mode") or "snat").strip().lower(),
            mode_by_service=is_on("bpf-lb-mode-annotation"),
            # Whoever replaces kube-proxy balances sockets, whatever bpf-lb-sock says (pkg/kpr/kpr.go).
            for_pods=(replaces or is_on("bpf-lb-sock")) and not is_on("bpf-lb-sock-hostns-only"),
            ranges_for_all=is_on("bpf-lb-source-range-all-types"),
            cluster_ips_outside=is_on("bpf-lb-external-clusterip"),
        )

    def keeps_source(self, target: Target, service: Service | None) -> bool:
        """Whether a node that forwards to another one leaves the source's address as it is."""
        mode = self.mode
        if self.mode_by_service and service:
            mode = service.annotations.get(_FORWARDING_MODE, mode).strip().lower()
        return mode == "dsr" or (mode == "hybrid" and target.protocol == "TCP")


def forwarding_of(facts: Facts) -> Forwarding | None:
    """Return how this cluster balances, None where its configuration was not read."""
    look = facts.look(Part.CONFIG)
    if not isinstance(look, Known):
        return None
    config: CiliumConfig = look.value
    return Forwarding.of(config.options)


def is_outside(place: Place) -> bool:
    """Whether a place is no part of the cluster."""
    return place.kind is PlaceKind.OUTSIDE or place.entity is EntityName.WORLD


def is_told_apart(place: Place) -> bool:
    """Whether a place is somebody in particular, whom an address of a load balancer would hide."""
    return not is_outside(place) or bool(place.ips)


def frontend_of(destination: Resolved, sources: Iterable[Place]) -> Frontend | None:
    """Return by what a Service or a pod is reached, None where it is dialled itself."""
    if destination.frontend or destination.service is None or destination.by_address:
        return destination.frontend
    return outside_of(destination.service) if any(map(is_outside, sources)) else None


def untold(sources: Iterable[Place], frontend: Frontend, targets: Iterable[Target], facts: Facts) -> Untold | None:
    """Return why it cannot be told how packets get from here through a frontend, None where it can."""
    forwarding = forwarding_of(facts)
    if forwarding is None:
        return Untold("cilium-config could not be read, which says who forwards them, and how", "Let it be read.")
    if not forwarding.replaces_kube_proxy:
        return Untold(
            "Cilium does not replace kube-proxy here, and what does forward them may put another source in",
            "Look at kube-proxy, and ask for the pods behind it.",
        )
    service = frontend.service
    if any(target.ip == CILIUM_ENVOY for target in targets):
        return Untold(
            "Cilium's Envoy answers there (Ingress or Gateway API), and routes of HTTP are not read",
            "Ask for the host name that clients send, or from the entity ingress to the Service that the route names.",
        )
    exposed = service.annotations.get(_EXPOSED_AS) if service else None
    if exposed and not _is_exposed(frontend.kind, exposed):
        return Untold(
            f"the annotation {_EXPOSED_AS} limits how the Service is exposed",
            "Look at the annotation of the Service.",
        )
    if frontend.kind is FrontendKind.BALANCER_NAME and any(map(is_told_apart, sources)):
        return BEHIND_A_BALANCER
    for place in sources:
        if not is_outside(place) and (reason := _untold_inside(place, frontend, forwarding)):
            return Untold(reason, "Ask for the Service by its name, or for the pods behind it.")
    return None


def _untold_inside(place: Place, frontend: Frontend, forwarding: Forwarding) -> str:
    if place.kind is PlaceKind.POD and place.pod and not forwarding.for_pods:
        return "pods' connections are not balanced when they connect here (bpf-lb-sock, bpf-lb-sock-hostns-only)"
    here = frontend.node.name if frontend.node else None
    if frontend.kind is FrontendKind.EXTERNAL_IP:
        return "Cilium does not translate external IPs for clients in the cluster; routes outside decide"
    if frontend.kind is FrontendKind.HOST_PORT and place.node != here:
        return f"only clients on {here} get to its hostPorts by themselves; others are translated on the way"
    return ""


def _is_exposed(kind: FrontendKind, annotation: str) -> bool:
    types = {word.strip() for word in annotation.split(",")}
    wanted = {FrontendKind.NODE_PORT: "NodePort", FrontendKind.BALANCER_IP: "LoadBalancer"}.get(kind)
    return wanted is None or wanted in types


def refuses_source(place: Place, frontend: Frontend, facts: Facts) -> bool | None:
    """Whether the Service's source ranges leave a client out; None where they leave a part of what it can be out."""
    forwarding, service = forwarding_of(facts), frontend.service
    if forwarding is None or service is None or not service.source_ranges or not is_outside(place):
        return False
    if frontend.kind is not FrontendKind.BALANCER_IP and not forwarding.ranges_for_all:
        return False
    if not place.ips:
        return None
    is_denied = service.annotations.get(_RANGES_POLICY, "").strip().lower() == "deny"
    found = {_lies_in(ip, service.source_ranges) for ip in place.ips}
    if len(found) > 1 or None in found:
        return None
    return found == {is_denied}


def _lies_in(cidr: str, ranges: Iterable[str]) -> bool | None:
    network = ipaddress.ip_network(cidr, strict=False)
    partly = False
    for text in ranges:
        try:
            allowed = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError:
            return None
        if allowed.version == network.version and allowed.overlaps(network):
            if network.subnet_of(allowed):  # type: ignore[arg-type]
                return True
            partly = True
    return None if partly else False


def reached(frontend: Frontend, sources: Iterable[Place], targets: Iterable[Target]) -> tuple[Target, ...]:
    """Return the backends that the node may pick: with externalTrafficPolicy Local only its own, for those outside."""
    targets = tuple(targets)
    is_local = frontend.service is not None and frontend.service.external_traffic_policy == "Local"
    if not is_local or frontend.node is None or not any(map(is_outside, sources)):
        return targets
    return tuple(target for target in targets if target.node == frontend.node.name)


def as_seen_behind(place: Place, target: Target, frontend: Frontend, facts: Facts) -> Iterator[Place]:
    """Yield as whom a source may arrive at a backend: as itself, and as what another node makes of it."""
    service, forwarding = frontend.service, forwarding_of(facts)
    is_local_only = service is not None and service.external_traffic_policy == "Local"
    if not is_outside(place) or forwarding is None or service is None or is_local_only:
        yield place
        return
    through = frontend.node
    if through is None or target.node == through.name:
        yield place
    if through is None:
        others = tuple(node for node in facts.nodes if node.name != target.node)
        if others:
            yield _forwarded(place, target, others, service, forwarding, facts)
    elif target.node != through.name:
        yield _forwarded(place, target, (through,), service, forwarding, facts)


def _forwarded(
    place: Place, target: Target, through: tuple[Node, ...], service: Service, forwarding: Forwarding, facts: Facts
) -> Place:
    """Return the source as the backend's node sees it once one of these nodes has forwarded it."""
    name = through[0].name if len(through) == 1 else "another node"
    title = f"{place.title} through {name}"
    # What runs in the host's network is reached by the node's own address, which no tunnel is for.
    is_pod = target.pod is not None and not any(target.ip in node.ips for node in facts.nodes)
    is_tunnelled = forwarding.tunnels and is_pod
    is_kept = forwarding.keeps_source(target, service)
    if is_tunnelled:
        ips = place.ips if is_kept else tuple(ip for node in through for ip in node.cilium_ips)
        # Its packets are told by the forwarding node's address; where that is kept, by the world's labels.
        return Place(PlaceKind.FORWARDED, title, ips, entity=None if ips else EntityName.WORLD)
    if is_kept:
        return place
    if len(through) == 1:
        return Place(PlaceKind.NODE, title, through[0].ips, node=through[0].name)
    ips = tuple(ip for node in through for ip in node.ips)
    return Place(PlaceKind.ENTITY, title, ips, entity=EntityName.REMOTE_NODE)
