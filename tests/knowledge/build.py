"""Clusters in words: a test says what exists and what was seen, and asks a question of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from handlers.catalogue import CATALOGUE, Catalogue, understand
from handlers.engine import answer
from handlers.model.agent import AgentEndpoint, AgentStatus, HealthProbe, LoadBalancerEntry, PeerNode, ProbeWay
from handlers.model.change import Change, Changes
from handlers.model.cluster import (
    Backend,
    CiliumConfig,
    CiliumEndpoint,
    CiliumIdentity,
    ClusterDns,
    EndpointSlice,
    ForeignPolicies,
    Namespace,
    Node,
    Owner,
    Pod,
    PodPort,
    PolicyObject,
    Service,
    ServicePort,
    SlicePort,
    Workload,
)
from handlers.model.endpoint import Kind
from handlers.model.entrance import Entrance, Entrances
from handlers.model.event import Event
from handlers.model.finding import Finding
from handlers.model.flow import (
    DnsRecord,
    EventType,
    Flow,
    FlowDirection,
    FlowEnd,
    FlowLog,
    FlowPolicy,
    FlowType,
    FlowVerdict,
    HttpRecord,
    LostEvents,
    RelayNode,
    RelayStatus,
)
from handlers.model.labels import pod_identity_labels
from handlers.model.log import PodLog
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.scope import FlowMatch, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing, Snapshot
from handlers.model.traffic import Protocol
from workers.collect import collect

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
CLUSTER = "default"


def ago(seconds: float) -> datetime:
    """Say when, counted back from now."""
    return NOW - timedelta(seconds=seconds)


@dataclass
class FakeSource:
    """A source over a mapping; a part that is not in it is an empty list, never an error."""

    parts: Mapping[AnyPart, Known[Any] | Missing]
    per_node: Mapping[tuple[AnyPart, str], Known[Any] | Missing] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    title: str = "cluster of the test"

    def now(self) -> datetime:
        return NOW

    def close(self) -> None:
        pass

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        self.asks.append(ask)
        if ask.node is not None:
            return self.per_node.get((ask.part, ask.node)) or Missing(
                Gap.FORBIDDEN, "exec was refused", "Grant pods/exec."
            )
        found = self.parts.get(ask.part) or Missing(Gap.NOT_IN_DUMP, f"{ask.part} is not here")
        return found if isinstance(found, Missing) else replace(found, value=_narrowed(ask, found.value))


def _narrowed(ask: Ask, value: Any) -> Any:
    scope = ask.scope
    if ask.part is Part.FLOWS and scope.flows:
        return replace(value, flows=tuple(flow for flow in value.flows if _is_asked(flow, scope)))
    return ask.part.width.narrowed(scope, value) if isinstance(value, tuple) else value


def _is_asked(flow: Flow, scope: Scope) -> bool:
    query = scope.flows
    assert query is not None
    return query.since <= flow.time <= query.until and (
        not query.any_of or any(_matches(flow, match) for match in query.any_of)
    )


def _matches(flow: Flow, match: FlowMatch) -> bool:
    return (
        _one(flow.source, match.source_pods, match.source_ips, match.source_ports)
        and _one(flow.destination, match.destination_pods, match.destination_ips, match.destination_ports)
        and (not match.verdicts or flow.verdict in match.verdicts)
    )


def _one(end: FlowEnd, pods: Sequence[str], ips: Sequence[str], ports: Sequence[int]) -> bool:
    name = f"{end.namespace}/{end.pod}"
    return (
        (not pods or any(name == pod or (pod.endswith("/") and name.startswith(pod)) for pod in pods))
        and (not ips or end.ip in ips)
        and (not ports or end.port in ports)
    )


class Cluster:
    """Two nodes and a cluster DNS; everything else is said by the test. Methods return the cluster itself."""

    def __init__(self, *, version: str = "1.19.0", dns: bool = True, **options: str) -> None:
        self.nodes = [node("n1", 1), node("n2", 2)]
        self.namespaces: dict[str, Namespace] = {}
        self.pods: list[Pod] = []
        self.endpoints: list[CiliumEndpoint] = []
        self.services: list[Service] = []
        self.slices: list[EndpointSlice] = []
        self.policies: list[PolicyObject] = []
        self.gateways: list[PolicyObject] = []
        self.entrances = Entrances()
        self.workloads: list[Workload] = []
        self.flows: list[Flow] = []
        self.warnings: list[Event] = []
        self.silent: dict[str, str] = {}
        self.unlisted: set[str] = set()
        self.remembers: dict[str, float] = {}
        self.lost: tuple[LostEvents, ...] = ()
        self.truncated = False
        self.foreign = ForeignPolicies()
        self.gaps: dict[AnyPart, Missing] = {}
        self.held: dict[AnyPart, Known[Any]] = {}
        self.not_ready: dict[str, dict[str, Any]] = {}
        self.of_node: dict[tuple[AnyPart, str], Known[Any] | Missing] = {}
        self.config = CiliumConfig({key.replace("_", "-"): value for key, value in options.items()}, version)
        self.changes: list[Change] = []
        self.dns_logs: list[PodLog] = []
        self.balances = False
        self.has_kube_proxy: bool | None = None
        self._by_name: dict[str, Pod] = {}
        self._numbers: dict[tuple[str, ...], int] = {}
        self.namespace("kube-system")
        if dns:
            self.pod("kube-system/coredns-1", of="coredns", labels={"k8s-app": "kube-dns"}, ports=("dns:53/UDP",))

    def namespace(self, name: str, **labels: str) -> "Cluster":
        self.namespaces[name] = Namespace(name, {"kubernetes.io/metadata.name": name, **labels})
        return self

    def pod(
        self,
        name: str,
        *,
        of: str | None = None,
        kind: Kind = Kind.DEPLOYMENT,
        on: str = "n1",
        labels: Mapping[str, str] | None = None,
        ports: Sequence[str] = (),
        ready: bool | None = True,
        phase: str = "Running",
        host_network: bool = False,
        endpoint: bool = True,
        state: str = "ready",
        ip: str | None = None,
    ) -> "Cluster":
        """Add ``namespace/name``; ``of`` is its workload, whose name is also its label ``app``."""
        namespace, _, short = name.partition("/")
        if namespace not in self.namespaces:
            self.namespace(namespace)
        own = {"app": of or short, **(labels or {})}
        home = next(node for node in self.nodes if node.name == on)
        index = self.nodes.index(home) + 1
        address = ip if ip is not None else home.ips[0] if host_network else f"10.0.{index}.{len(self.pods) + 10}"
        self.add(
            Pod(
                namespace=namespace,
                name=short,
                labels=own,
                ips=(address,) if address else (),
                node=on,
                phase=phase,
                ready=ready,
                ports=tuple(map(_pod_port, ports)),
                service_account="default",
                host_network=host_network,
                owner=Owner(kind, of) if of else None,
                created_at=ago(7200),
            )
        )
        if endpoint and not host_network:
            identity = pod_identity_labels(
                pod_labels=own,
                namespace=namespace,
                namespace_labels=self.namespaces[namespace].labels,
                service_account="default",
                cluster=CLUSTER,
            )
            texts = tuple(sorted(str(label) for label in identity))
            number = self._numbers.setdefault(texts, 20_000 + len(self._numbers))
            self.endpoints.append(
                CiliumEndpoint(namespace, short, len(self.pods), number, texts, (address,), home.ips[0], (), state)
            )
        return self

    def add(self, pod: Pod) -> "Cluster":
        self.pods.append(pod)
        self._by_name[str(pod)] = pod
        return self

    def deploy(self, name: str, replicas: int = 1, **how: Any) -> "Cluster":
        """Add a Deployment with its pods ``NAME-1``, ``NAME-2``, ... ."""
        namespace, _, short = name.partition("/")
        if namespace not in self.namespaces:
            self.namespace(namespace)
        self.workloads.append(Workload(Kind.DEPLOYMENT, namespace, short, replicas, replicas, {"app": short}))
        for number in range(1, replicas + 1):
            self.pod(f"{name}-{number}", of=short, **how)
        return self

    def service(
        self,
        name: str,
        *ports: str,
        selector: Mapping[str, str] | str | None = "app",
        ready: bool | None = True,
        backends: Sequence[Backend] | None = None,
        ip: str | None = None,
        headless: bool = False,
        **more: Any,
    ) -> "Cluster":
        """Add a Service; a port is ``80->8080/TCP``, ``80->http`` or, with a nodePort, ``80@30080->8080``.

        Its slices come from the pods that it selects.
        """
        namespace, _, short = name.partition("/")
        if namespace not in self.namespaces:
            self.namespace(namespace)
        wanted = {"app": short} if selector == "app" else selector
        assert wanted is None or isinstance(wanted, Mapping)
        cluster_ip = "None" if headless else ip or f"10.96.0.{len(self.services) + 10}"
        kinds = tuple(_service_port(port, index, len(ports)) for index, port in enumerate(ports))
        service = Service(namespace, short, {}, wanted, more.pop("type", "ClusterIP"), (cluster_ip,), kinds, **more)
        self.services.append(service)
        chosen = [
            pod
            for pod in self.pods
            if wanted and pod.namespace == namespace and wanted.items() <= pod.labels.items() and pod.ips
        ]
        listed = (
            tuple(backends)
            if backends is not None
            else tuple(
                Backend(
                    pod.ips, ready if ready is not True else pod.ready, True, False, pod.node, (namespace, pod.name)
                )
                for pod in chosen
            )
        )
        resolved = [_slice_port(port, chosen) for port in kinds]
        self.slices.append(
            EndpointSlice(namespace, f"{short}-x", short, tuple(port for port in resolved if port), listed)
        )
        return self

    def policy(self, text: str, changed: float = 3600) -> "Cluster":
        """Add policies written as YAML; ``changed`` is how many seconds ago."""
        for manifest in yaml.safe_load_all(text):
            self.policies.append(_policy_object(manifest, changed))
        return self

    def gateway(self, text: str) -> "Cluster":
        self.gateways.append(_policy_object(yaml.safe_load(text), 3600))
        return self

    def entrance(self, *entrances: Entrance) -> "Cluster":
        """Add Ingresses and Gateways, with their routes."""
        self.entrances = replace(self.entrances, found=(*self.entrances.found, *entrances))
        return self

    def events(self, *events: Event) -> "Cluster":
        """Add warnings about objects."""
        self.warnings += events
        return self

    def without(self, *parts: AnyPart, gap: Gap = Gap.FORBIDDEN) -> "Cluster":
        for part in parts:
            self.gaps[part] = Missing(gap, f"reading {part} is not allowed", "Grant it.")
        return self

    def holding(self, part: AnyPart, value: Any) -> "Cluster":
        """Let a part be this, which no method makes."""
        self.held[part] = Known(value, NOW, "test")
        return self

    def down(self, node: str, **how: Any) -> "Cluster":
        """Let the agent of a node not run, so that it answers nothing."""
        self.not_ready[node] = how
        for part, name in list(self.of_node):
            if name == node:
                del self.of_node[part, name]
        return self

    def agent(self, node: str, part: AnyPart, value: Any) -> "Cluster":
        self.of_node[part, node] = Known(value, NOW, "agent")
        return self

    def healthy_agents(self) -> "Cluster":
        """Let both agents answer that all is well, and that they balance every Service as its slices say."""
        self.balances = True
        for node in self.nodes:
            peers = tuple(peer(other.name) for other in self.nodes if other is not node)
            self.agent(node.name, Part.AGENT_STATUS, AgentStatus("1.19.0", "Ok", "", {}, (), peers))
            self.agent(node.name, Part.AGENT_ENDPOINTS, self.agent_endpoints(node.name))
            for part in (
                Part.AGENT_NAMES,
                Part.AGENT_EGRESS,
                Part.AGENT_IDENTITIES,
                Part.AGENT_ADDRESSES,
                Part.AGENT_METRICS,
            ):
                self.agent(node.name, part, ())
        return self

    def agent_endpoints(self, node: str, **changes: Any) -> tuple[AgentEndpoint, ...]:
        return tuple(
            AgentEndpoint(
                **{
                    "id": entry.id or 0,
                    "namespace": entry.namespace,
                    "pod": entry.name,
                    "identity": entry.identity or 0,
                    "labels": entry.labels,
                    "ips": entry.ips,
                    "state": "ready",
                    "ingress_enforcing": None,
                    "egress_enforcing": None,
                    **changes,
                }
            )
            for entry in self.endpoints
            if self._pod(f"{entry.namespace}/{entry.name}").node == node
        )

    # What was seen

    def saw(
        self,
        source: str,
        destination: str,
        port: int | None = None,
        *,
        at: float = 60,
        verdict: FlowVerdict = FlowVerdict.FORWARDED,
        event: EventType = EventType.TRACE,
        point: str | None = None,
        node: str | None = None,
        reply: bool | None = False,
        flags: str = "SYN",
        client_port: int = 40_000,
        protocol: Protocol = Protocol.TCP,
        **more: Any,
    ) -> "Cluster":
        """Add one flow; an end is a pod's name, an address, or ``reserved:NAME@ADDRESS``."""
        icmp = protocol.is_icmp
        self.flows.append(
            Flow(
                time=ago(at),
                verdict=verdict,
                type=more.pop("kind", FlowType.L3_L4),
                event_type=event,
                event_sub_type=0,
                node=node or self._node_of(source),
                source=self.end(source, None if icmp else client_port),
                destination=self.end(destination, None if icmp else port),
                protocol=protocol,
                direction=more.pop("direction", FlowDirection.EGRESS),
                is_reply=reply,
                tcp_flags=frozenset(flags.split()) if protocol is Protocol.TCP else frozenset(),
                observation_point=point,
                uuid=str(len(self.flows)),
                **more,
            )
        )
        return self

    def sent(self, source: str, destination: str, port: int | None = None, **how: Any) -> "Cluster":
        return self.saw(source, destination, port, **{"point": "TO_OVERLAY", **how})

    def delivered(self, source: str, destination: str, port: int | None = None, **how: Any) -> "Cluster":
        return self.saw(
            source, destination, port, **{"point": "TO_ENDPOINT", "node": self._node_of(destination), **how}
        )

    def answered(self, source: str, destination: str, port: int = 0, **how: Any) -> "Cluster":
        """Add a reply to a connection from ``source``."""
        client = how.pop("client_port", 40_000)
        return self.saw(
            destination,
            source,
            client,
            **{
                "client_port": port,
                "reply": True,
                "flags": "SYN ACK",
                "point": "TO_ENDPOINT",
                "node": self._node_of(source),
                **how,
            },
        )

    def refused(self, source: str, destination: str, port: int, **how: Any) -> "Cluster":
        return self.answered(source, destination, port, **{"flags": "RST ACK", **how})

    def worked(self, source: str, destination: str, port: int, at: float = 60, **how: Any) -> "Cluster":
        """Add a whole successful exchange."""
        self.sent(source, destination, port, at=at, **how)
        self.delivered(source, destination, port, at=at - 0.01, **how)
        return self.answered(source, destination, port, at=at - 0.02, **how)

    def dropped(
        self,
        source: str,
        destination: str,
        port: int | None = None,
        *,
        reason: str = "POLICY_DENIED",
        at: float = 60,
        ingress: bool = True,
        times: int = 1,
        by: Sequence[str] = (),
        **how: Any,
    ) -> "Cluster":
        """Add a denied packet as Hubble shows it: a policy verdict, then a drop."""
        node = how.pop("node", None) or self._node_of(destination if ingress else source)
        direction = FlowDirection.INGRESS if ingress else FlowDirection.EGRESS
        named = tuple(FlowPolicy(*ref.split("/")) for ref in by)
        events = [EventType.DROP]
        if reason in ("POLICY_DENIED", "POLICY_DENY", "AUTH_REQUIRED"):
            events.insert(0, EventType.POLICY_VERDICT)
        for number in range(times):
            for event in events:
                self.saw(
                    source,
                    destination,
                    port,
                    at=at - number * 0.1,
                    verdict=FlowVerdict.DROPPED,
                    event=event,
                    node=node,
                    reply=None,
                    direction=direction,
                    drop_reason=reason,
                    denied_by=named if event is EventType.POLICY_VERDICT else (),
                    **how,
                )
        return self

    def audited(self, source: str, destination: str, port: int, at: float = 60) -> "Cluster":
        return self.saw(
            source,
            destination,
            port,
            at=at,
            verdict=FlowVerdict.AUDIT,
            event=EventType.POLICY_VERDICT,
            node=self._node_of(destination),
            direction=FlowDirection.INGRESS,
            reply=None,
        )

    def asked(self, source: str, query: str, at: float = 90) -> "Cluster":
        """Add a query that passed the proxy."""
        record = DnsRecord(f"{query}.", (), 0, False)
        how: dict[str, Any] = {"event": EventType.ACCESS_LOG, "kind": FlowType.L7, "protocol": Protocol.UDP}
        return self.saw(source, "kube-system/coredns-1", 53, at=at, dns=record, **how)

    def dns(
        self, source: str, query: str, *ips: str, refused: bool = False, at: float = 90, rcode: int = 0
    ) -> "Cluster":
        """Add a DNS record of the proxy: an answer with addresses or an error, or a refusal."""
        if refused:
            return self.saw(
                source,
                "kube-system/coredns-1",
                53,
                at=at,
                verdict=FlowVerdict.DROPPED,
                event=EventType.ACCESS_LOG,
                kind=FlowType.L7,
                protocol=Protocol.UDP,
                reply=None,
                dns=DnsRecord(f"{query}.", (), 5, False),
            )
        return self.saw(
            "kube-system/coredns-1",
            source,
            40_000,
            at=at,
            client_port=53,
            event=EventType.ACCESS_LOG,
            kind=FlowType.L7,
            protocol=Protocol.UDP,
            reply=True,
            dns=DnsRecord(f"{query}.", ips, rcode, True),
        )

    def http(self, source: str, destination: str, port: int, code: int, at: float = 60) -> "Cluster":
        """Add an HTTP exchange as the proxy logs it; 403 is its own refusal."""
        denied = code == 403
        self.saw(
            source,
            destination,
            port,
            at=at,
            verdict=FlowVerdict.DROPPED if denied else FlowVerdict.FORWARDED,
            event=EventType.ACCESS_LOG,
            kind=FlowType.L7,
            node=self._node_of(destination),
            reply=False,
            flags="",
            http=HttpRecord("GET", "http://x/", 0),
        )
        return self.saw(
            destination,
            source,
            40_000,
            at=at - 0.01,
            client_port=port,
            event=EventType.ACCESS_LOG,
            kind=FlowType.L7,
            reply=True,
            flags="",
            http=HttpRecord("GET", "http://x/", code),
        )

    def end(self, what: str, port: int | None) -> FlowEnd:
        """Return one end of a flow from its name."""
        if "@" in what:
            label, _, ip = what.partition("@")
            return FlowEnd(ip, port, 0, "", "", (label,))
        if "/" not in what:
            return FlowEnd(what, port, 2, "", "", ("reserved:world",))
        pod = self._pod(what)
        entry = next(
            (entry for entry in self.endpoints if (entry.namespace, entry.name) == (pod.namespace, pod.name)), None
        )
        return FlowEnd(
            pod.ips[0] if pod.ips else "",
            port,
            (entry.identity if entry else 0) or 0,
            pod.namespace,
            pod.name,
            entry.labels if entry else (),
        )

    def _pod(self, name: str) -> Pod:
        return self._by_name[name]

    def _node_of(self, what: str) -> str:
        return (self._by_name[what].node or "") if what in self._by_name else "n1"

    # Asking

    def source(self) -> FakeSource:
        log = FlowLog(
            flows=tuple(sorted(self.flows, key=lambda flow: flow.time)),
            since=ago(900),
            until=NOW,
            heard=frozenset(node.name for node in self.nodes) - set(self.silent) - self.unlisted,
            silent=self.silent,
            covered_since={
                node.name: ago(self.remembers.get(node.name, 900))
                for node in self.nodes
                if node.name not in {*self.silent, *self.unlisted}
            },
            lost=self.lost,
            truncated=self.truncated,
        )
        identities = {
            entry.identity: CiliumIdentity(entry.identity, entry.labels)
            for entry in self.endpoints
            if entry.identity is not None
        }
        values: dict[AnyPart, Any] = {
            Part.CONFIG: self.config,
            Part.NAMESPACES: tuple(self.namespaces.values()),
            Part.NODES: tuple(self.nodes),
            Part.API_SERVER: ("192.168.0.1:6443",),
            Part.PODS: tuple(self.pods),
            Part.CILIUM_PODS: tuple(self.cilium_pods()),
            Part.KUBE_PROXIES: self.kube_proxies(),
            Part.CLUSTER_DNS: self.cluster_dns(),
            Part.SYSTEM_WORKLOADS: tuple(one for one in self.workloads if one.namespace == "kube-system"),
            Part.CHANGES: Changes(tuple(self.changes)),
            Part.DNS_LOGS: tuple(self.dns_logs),
            Part.WORKLOADS: tuple(self.workloads),
            Part.SERVICES: tuple(self.services),
            Part.ENDPOINT_SLICES: tuple(self.slices),
            Part.POLICIES: tuple(self.policies),
            Part.ALL_SERVICES: tuple(self.services),
            Part.POLICY_SERVICES: (tuple(self.services), tuple(self.slices)),
            Part.ENTRANCES: self.entrances,
            Part.CIDR_GROUPS: (),
            Part.FOREIGN_POLICIES: self.foreign,
            Part.EGRESS_GATEWAYS: tuple(self.gateways),
            Part.CILIUM_ENDPOINTS: tuple(self.endpoints),
            Part.IDENTITIES: tuple(identities.values()),
            Part.NAMED_PORTS: tuple(port for pod in self.pods for port in pod.ports),
            Part.EVENTS: tuple(self.warnings),
            Part.FLOWS: log,
            Part.RELAY: RelayStatus(
                "1.19.0",
                tuple(RelayNode(node.name, "NODE_CONNECTED", "1.19.0", 10, 4095, 10) for node in self.nodes),
            ),
        }
        known: dict[AnyPart, Known[Any] | Missing] = {part: Known(value, NOW, "test") for part, value in values.items()}
        of_node = dict(self.of_node)
        for one in self.nodes if self.balances else ():
            of_node.setdefault((Part.AGENT_SERVICES, one.name), Known(self.table_of(one.name), NOW, "agent"))
        return FakeSource({**known, **self.held, **self.gaps}, of_node)

    def table_of(self, name: str) -> tuple[LoadBalancerEntry, ...]:
        """Return a node's table of Services, as an agent that has seen every slice fills it."""
        return tuple(
            entry
            for service in self.services
            for part in self.slices
            if (part.namespace, part.service) == (service.namespace, service.name) and not service.is_headless
            for entry in _entries(service, part, name)
        )

    def cluster_dns(self) -> ClusterDns:
        """Return the Service kube-dns before the pods that bear its label, and who changed it."""
        pods = [pod for pod in self.pods if pod.labels.get("k8s-app") == "kube-dns"]
        backends = tuple(
            Backend(pod.ips, pod.ready, pod.ready, False, pod.node, (pod.namespace, pod.name)) for pod in pods
        )
        labels = {"k8s-app": "kube-dns"}
        ports = (ServicePort("dns", 53, "UDP", 53), ServicePort("dns-tcp", 53, "TCP", 53))
        service = Service("kube-system", "kube-dns", labels, labels, "ClusterIP", ("10.96.0.10",), ports)
        part = EndpointSlice("kube-system", "kube-dns-x", "kube-dns", (SlicePort("dns", 53, "UDP"),), backends)
        changes = tuple(change for change in self.changes if change.name == "coredns")
        return ClusterDns((service,), (part,), changes)

    def beside_kube_proxy(self) -> "Cluster":
        self.has_kube_proxy = True
        return self

    def without_kube_proxy(self) -> "Cluster":
        self.has_kube_proxy = False
        return self

    def kube_proxies(self) -> tuple[Pod, ...]:
        """Return a kube-proxy for each node, unless Cilium replaces it, or the test says otherwise."""
        replaced = self.config.options.get("kube-proxy-replacement") == "true"
        if not (not replaced if self.has_kube_proxy is None else self.has_kube_proxy):
            return ()
        labels = {"k8s-app": "kube-proxy"}
        return tuple(
            Pod(
                "kube-system",
                f"kube-proxy-{one.name}",
                labels,
                (),
                one.name,
                "Running",
                True,
                (),
                "default",
                True,
                None,
            )
            for one in self.nodes
        )

    def cilium_pods(self) -> list[Pod]:
        kinds = [("cilium-" + node.name, "cilium", node.name) for node in self.nodes]
        kinds += [("cilium-operator-1", "cilium-operator", "n1"), ("hubble-relay-1", "hubble-relay", "n1")]
        pods = [_system_pod(*kind) for kind in kinds]
        return [
            replace(pod, ready=False, **self.not_ready[pod.node])
            if pod.node in self.not_ready and pod.labels["k8s-app"] == "cilium"
            else pod
            for pod in pods
        ]

    def snapshot(self, question: str) -> Snapshot:
        return collect(understand(question).question, self.source(), budget=30)

    def ask(self, question: str, catalogue: Catalogue = CATALOGUE) -> Report:
        return answer(catalogue.understand(question).question, self.snapshot(question), catalogue)


def peer(name: str, *, host: str = "", endpoint: str = "", at: float = 30) -> PeerNode:
    """Return a node as a prober sees it: the errors of its host and its health endpoint, empty where they answer."""
    told = ((False, host), (True, endpoint))
    return PeerNode(name, tuple(HealthProbe(way, of, error, ago(at)) for of, error in told for way in ProbeWay))


def node(name: str, index: int, *, ready: bool = True, **labels: str) -> Node:
    return Node(
        name,
        {"kubernetes.io/hostname": name, **labels},
        (f"192.168.0.{index}",),
        ready,
        (f"10.0.{index}.0/24",),
        (f"10.0.{index}.1",),
        (f"10.0.{index}.2",),
    )


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def the(report: Report, code: str) -> Finding:
    """Return the one finding of a code."""
    (found,) = [finding for finding in report.findings if finding.code == code]
    return found


def _system_pod(name: str, app: str, node: str) -> Pod:
    return Pod("kube-system", name, {"k8s-app": app}, (), node, "Running", True, (), "default", True, None)


def _entries(service: Service, part: EndpointSlice, node: str) -> Iterator[LoadBalancerEntry]:
    for port in service.ports:
        number = next((entry.port for entry in part.ports if entry.name == port.name), None)
        ready = [one for one in part.backends if one.ready is not False and number]
        own = [one for one in ready if one.node == node]
        inside = own if service.internal_traffic_policy == "Local" else ready
        outside = own if service.external_traffic_policy == "Local" else ready
        fronts = [(f"{ip}:{port.port}", "ClusterIP", inside) for ip in service.cluster_ips]
        fronts += [(f"0.0.0.0:{port.node_port}", "NodePort", outside)] if port.node_port else []
        fronts += [(f"{ip}:{port.port}", "LoadBalancer", outside) for ip in service.balancer_ips]
        fronts += [(f"{ip}:{port.port}", "ExternalIPs", outside) for ip in service.external_ips]
        for front, kind, backends in fronts:
            listed = tuple(f"{ip}:{number}" for one in backends for ip in one.addresses)
            yield LoadBalancerEntry(front, port.protocol, listed, service.namespace, service.name, kind)


def _pod_port(text: str) -> PodPort:
    name, _, rest = text.rpartition(":")
    number, _, protocol = rest.partition("/")
    number, _, host_port = number.partition("@")
    return PodPort(name or None, int(number), protocol or "TCP", int(host_port) if host_port else None)


def _service_port(text: str, index: int, count: int) -> ServicePort:
    dialled, _, target = text.partition("->")
    target, _, protocol = target.partition("/")
    name = f"p{index}" if count > 1 else None
    dialled, _, at_node = dialled.partition("@")
    behind = int(target) if target.isdigit() else target or None
    return ServicePort(name, int(dialled), protocol or "TCP", behind, int(at_node) if at_node else None)


def _slice_port(port: ServicePort, pods: Sequence[Pod]) -> SlicePort | None:
    """Resolve a target as the endpoint slice controller does: a name by the pods' own ports."""
    target: int | str | None = port.target if port.target is not None else port.port
    if isinstance(target, str):
        target = next((entry.port for pod in pods for entry in pod.ports if entry.name == target), None)
        if target is None:
            return None
    return SlicePort(port.name, target, port.protocol)


def _policy_object(manifest: Mapping[str, Any], changed: float) -> PolicyObject:
    metadata = manifest["metadata"]
    return PolicyObject(manifest["kind"], metadata.get("namespace") or "", metadata["name"], manifest, ago(changed))


def deny_all(namespace: str, app: str, *, egress: bool = False, name: str = "deny-all") -> str:
    """Return a NetworkPolicy that puts an app under default deny in one direction."""
    direction = "Egress" if egress else "Ingress"
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  podSelector: {{matchLabels: {{app: {app}}}}}
  policyTypes: [{direction}]
"""


def allow_from(namespace: str, app: str, peer: str, port: int, *, name: str = "allow") -> str:
    """Return a policy that lets an app of the same namespace in on one port, and nobody else."""
    return f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  endpointSelector: {{matchLabels: {{app: {app}}}}}
  ingress:
  - fromEndpoints: [{{matchLabels: {{app: {peer}}}}}]
    toPorts: [{{ports: [{{port: "{port}", protocol: TCP}}]}}]
"""


def shop(**options: Any) -> Cluster:
    """Return the usual story: a frontend on one node and a cart behind a Service on the other."""
    return (
        Cluster(**options)
        .deploy("shop/frontend", on="n1")
        .deploy("shop/cart", on="n2", ports=("http:8080",))
        .service("shop/cart", "80->8080")
        .healthy_agents()
    )
