"""The case format of the conformance data: a cluster, policies, options and queries, and the answers to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.model.cluster import Pod, PodPort
from handlers.model.decision import Decision, Verdict
from handlers.model.endpoint import EntityName
from handlers.model.labels import LabelSet
from handlers.model.party import NamedPort, Party
from handlers.model.traffic import HttpRequest, Protocol, Traffic
from handlers.policy.config import Enforcement, PolicyConfig, beyond_version, identity_label_filter
from handlers.policy.parties import labels_of_pod, party_of_pod, party_of_unread_node
from handlers.policy.policy_set import PolicySet, compile_policies
from handlers.policy.shapes import (
    PolicyError,
    as_mapping,
    as_text,
    integer_of,
    list_of,
    optional_boolean,
    optional_mapping,
    text_map,
    text_of,
)
from handlers.policy.surroundings import CidrGroup, Node, Service, Surroundings
from handlers.policy.versions import (
    BLOCK_OPENS_NAMESPACE,
    LOCAL_CLUSTER_DEFAULT,
    SERVICE_SELECTOR_LOSES_DOTS,
    SNAPSHOT,
    Version,
)

Mapped = Mapping[str, object]

_MENDED = frozenset({BLOCK_OPENS_NAMESPACE, SERVICE_SELECTOR_LOSES_DOTS})
"""Defects of the snapshot that are mended in cases that name no version, unless they ask for the tree as it is."""


class CaseError(ValueError):
    """A case is not in the format."""


def config_of(options: Mapped) -> PolicyConfig:
    """Read the options of a case; raises CaseError."""
    try:
        as_is = optional_boolean(options, "treeAsIs", "/options") or False

        def flag(name: str, default: bool) -> bool:
            value = optional_boolean(options, name, "/options")
            return default if value is None else value

        named = text_of(options, "ciliumVersion", "/options")
        version = Version.parse(named) if named else SNAPSHOT
        modes = [as_text(mode, "/options/policyCIDRMatchMode") for mode in list_of(options, "policyCIDRMatchMode", "")]
        return PolicyConfig(
            version=version,
            label_filter=identity_label_filter("", version),
            enforcement=Enforcement(text_of(options, "enforcement", "/options") or "default"),
            cluster_name=text_of(options, "clusterName", "/options") or "default",
            always_allow_localhost=text_of(options, "allowLocalhost", "/options") != "policy",
            cidr_matches_nodes="nodes" in modes,
            host_firewall=flag("enableHostFirewall", False),
            node_selector_labels=flag("enableNodeSelectorLabels", False),
            non_default_deny=flag("enableNonDefaultDeny", True),
            ipv6=flag("ipv6", False),
            default_local_cluster=flag("policyDefaultLocalCluster", LOCAL_CLUSTER_DEFAULT.holds_in(version)),
            extended_protocols=flag("extendedIPProtocols", False),
            beyond=beyond_version(version),
            undone=frozenset() if named or as_is else _MENDED,
        )
    except ValueError as error:
        raise CaseError(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Pod:
    """A pod of a case."""

    party: Party
    host_network: bool


class Case:
    """One case, compiled."""

    def __init__(self, document: Mapped) -> None:
        """Read a case; raises CaseError."""
        try:
            self.name = text_of(document, "id", "")
            cluster = as_mapping(document.get("cluster"), "/cluster")
            self.config = config_of(as_mapping(document.get("options"), "/options"))
            self.nodes = tuple(_node(item, f"/cluster/nodes/{i}") for i, item in _items(cluster, "nodes"))
            pods = [self._pod(cluster, item, f"/cluster/pods/{i}") for i, item in _items(cluster, "pods")]
            self.pods = {pod.party.name: pod for pod in pods}
            self.pods_by_ip = {ip: pod for pod in pods if not pod.host_network for ip in pod.party.ips}
            self.queries = [as_mapping(item, f"/queries/{i}") for i, item in _items(document, "queries")]
            objects = [as_mapping(item, f"/policies/{i}") for i, item in _items(document, "policies")]
            self.surroundings = self._surroundings(cluster, pods)
        except PolicyError as error:
            raise CaseError(str(error)) from error
        self.policies: PolicySet = compile_policies(objects, config=self.config, surroundings=self.surroundings)

    def _pod(self, cluster: Mapped, item: object, pointer: str) -> _Pod:
        fields = as_mapping(item, pointer)
        namespace, name = text_of(fields, "namespace", pointer), text_of(fields, "name", pointer)
        its_cluster = text_of(fields, "cluster", pointer)
        namespace_labels: Mapping[str, str] = {}
        for _, entry in _items(cluster, "namespaces"):
            one = as_mapping(entry, "/cluster/namespaces")
            if text_of(one, "name", "/cluster/namespaces") == namespace:
                namespace_labels = text_map(one, "labels", "/cluster/namespaces")
        pod = Pod(
            namespace=namespace,
            name=name,
            labels=text_map(fields, "labels", pointer),
            ips=tuple(ip for ip in (text_of(fields, "ip", pointer), *_texts(fields, "ips", pointer)) if ip),
            node=text_of(fields, "node", pointer),
            phase="Running",
            ready=None,
            ports=tuple(_port(entry, pointer) for entry in list_of(fields, "ports", pointer)),
            service_account=text_of(fields, "serviceAccount", pointer),
            host_network=optional_boolean(fields, "hostNetwork", pointer) or False,
            owner=None,
        )
        own = self.config.cluster_name
        labels = labels_of_pod(pod, namespace_labels, self.config, cluster=its_cluster or own)
        return _Pod(replace(party_of_pod(pod, labels), managed=its_cluster in ("", own)), pod.host_network)

    def _surroundings(self, cluster: Mapped, pods: Sequence[_Pod]) -> Surroundings:
        fqdn = as_mapping(cluster.get("fqdn"), "/cluster/fqdn")
        return Surroundings(
            services=tuple(_service(item, f"/cluster/services/{i}") for i, item in _items(cluster, "services")),
            cidr_groups=tuple(_group(item, f"/cluster/cidrGroups/{i}") for i, item in _items(cluster, "cidrGroups")),
            nodes=self.nodes,
            kube_apiserver=tuple(_texts(cluster, "kubeApiserver", "/cluster")),
            fqdn_cache={name: tuple(_texts(fqdn, name, "/cluster/fqdn")) for name in fqdn},
            named_ports=tuple(port for pod in pods for port in pod.party.named_ports or ()),
            ports_of=_ports_by_identity(pods),
            identities=tuple(dict.fromkeys(pod.party.labels for pod in pods if not pod.host_network)),
        )

    def parties(self, query: Mapped) -> tuple[Party, Party]:
        """Give source and destination of a query; raises CaseError."""
        source = as_mapping(query.get("src"), "/src")
        destination = as_mapping(query.get("dst"), "/dst")
        ends = [None if "entity" in end else self._party(end) for end in (source, destination)]
        resolved = []
        for end, found, other in zip((source, destination), ends, reversed(ends), strict=True):
            resolved.append(self._entity(as_text(end["entity"], "/entity"), other) if found is None else found)
        return resolved[0], resolved[1]

    def _party(self, end: Mapped) -> Party:
        if "pod" in end:
            pod = self.pods.get(as_text(end["pod"], "/pod"))
            if pod is None:
                raise CaseError("a query names a pod that is not in the cluster")
            return self._node_of(pod) if pod.host_network else pod.party
        if "node" in end:
            node = next((one for one in self.nodes if one.name == end["node"]), None)
            if node is None:
                raise CaseError("a query names a node that is not in the cluster")
            return self.policies.party_of_node(node)
        if "ip" in end:
            ip = as_text(end["ip"], "/ip")
            pod = self.pods_by_ip.get(ip)
            return pod.party if pod is not None else self._address(ip)
        raise CaseError("a query's end is no pod, node, ip or entity")

    def _address(self, ip: str) -> Party:
        try:
            return self.policies.party_of_ip(ip)
        except ValueError as error:
            raise CaseError(str(error)) from error

    def _node_of(self, pod: _Pod) -> Party:
        clusters = (pod.party.labels.cluster, "" if pod.party.managed else None)
        node = next((one for one in self.nodes if one.name == pod.party.node and one.cluster in clusters), None)
        if node is None:
            return party_of_unread_node(pod.party.name, self.policies.addresses, pod.party.ips)
        return replace(self.policies.party_of_node(node), name=pod.party.name)

    def _entity(self, name: str, other: Party | None) -> Party:
        try:
            entity = EntityName(name)
        except ValueError as error:
            raise CaseError(f"unknown entity {name[:40]!r}") from error
        beside = other.node if other is not None and other.managed else ""
        party = self.policies.party_of_entity(entity, beside=beside)
        # The judge asks for the policy of no entity but a node that is known.
        return replace(party, managed=bool(party.node))

    def answers(self) -> list[dict[str, object]]:
        """Answer every query in the judge's format; raises CaseError."""
        return [self._answer(query) for query in self.queries]

    def _answer(self, query: Mapped) -> dict[str, object]:
        try:
            source, destination = self.parties(query)
            both = self.policies.combine(source, destination, traffic_of(query))
        except PolicyError as error:
            raise CaseError(str(error)) from error
        return {
            "verdict": str(both.verdict),
            "egress": side_answer(both.egress),
            "ingress": side_answer(both.ingress),
        }

    def answer_line(self) -> dict[str, object]:
        """Give the whole answer: queries and policy statuses; raises CaseError."""
        return {
            "id": self.name,
            "answers": self.answers(),
            "policy_status": [
                {
                    "policy": str(status.policy),
                    "valid": status.valid,
                    **({"error": status.reason} if status.reason else {}),
                    **({"ignored": status.ignored} if status.ignored else {}),
                }
                for status in self.policies.statuses
            ],
        }


def _ports_by_identity(pods: Iterable[_Pod]) -> Mapping[LabelSet, tuple[NamedPort, ...]]:
    found: dict[LabelSet, tuple[NamedPort, ...]] = {}
    for pod in pods:
        if not pod.host_network:
            found[pod.party.labels] = (*found.get(pod.party.labels, ()), *(pod.party.named_ports or ()))
    return found


def side_answer(decision: Decision) -> dict[str, object]:
    """Write one side in the judge's format; a refusal by the proxy is an allowed side with ``l7`` denied there."""
    verdict = Verdict.ALLOWED if decision.verdict is Verdict.DENIED_L7 else decision.verdict
    answer: dict[str, object] = {
        "verdict": str(verdict),
        "reason": str(decision.reason),
        "enforced": decision.enforced,
        "default_deny": decision.default_deny,
        "rules": [str(policy) for policy in decision.entry_policies],
        "also_rules": sorted({str(origin.policy) for origin in decision.also_rules}),
        "selected_by": [str(policy) for policy in decision.selected_by],
    }
    if decision.redirect is not None:
        answer["redirect"] = str(decision.redirect)
        answer["l7_open"] = decision.l7_open
    if decision.l7 is not None:
        answer["l7"] = "allowed" if decision.l7 is Verdict.ALLOWED else "denied"
    return answer


def traffic_of(query: Mapped) -> Traffic:
    """Read what a query sends; raises CaseError or PolicyError."""
    name = text_of(query, "protocol", "")
    protocol = next((one for one in Protocol if one.upper() == name.upper()), None)
    if protocol is None:
        raise CaseError(f"unknown protocol {name[:20]!r}")
    http = optional_mapping(query, "http", "")
    request = None
    if http is not None:
        request = HttpRequest(
            method=text_of(http, "method", "/http"),
            path=text_of(http, "path", "/http"),
            host=text_of(http, "host", "/http"),
            headers=tuple(text_map(http, "headers", "/http").items()),
        )
    return Traffic(protocol=protocol, port=integer_of(query, "port", "", 0, 0xFFFF), http=request)


def _items(parent: Mapped, name: str) -> Iterable[tuple[int, object]]:
    return enumerate(list_of(parent, name, ""))


def _texts(parent: Mapped, name: str, pointer: str) -> list[str]:
    return [as_text(item, f"{pointer}/{name}") for item in list_of(parent, name, pointer)]


def _port(item: object, pointer: str) -> PodPort:
    fields = as_mapping(item, pointer)
    number = integer_of(fields, "port", pointer, 0, 0xFFFF)
    return PodPort(text_of(fields, "name", pointer), number, text_of(fields, "protocol", pointer) or "TCP")


def _node(item: object, pointer: str) -> Node:
    fields = as_mapping(item, pointer)
    return Node(
        name=text_of(fields, "name", pointer),
        ips=tuple(_texts(fields, "ips", pointer)),
        labels=text_map(fields, "labels", pointer),
        cluster=text_of(fields, "cluster", pointer),
    )


def _service(item: object, pointer: str) -> Service:
    fields = as_mapping(item, pointer)
    return Service(
        namespace=text_of(fields, "namespace", pointer),
        name=text_of(fields, "name", pointer),
        labels=text_map(fields, "labels", pointer),
        selector=text_map(fields, "selector", pointer),
        endpoints=tuple(_texts(fields, "endpoints", pointer)),
    )


def _group(item: object, pointer: str) -> CidrGroup:
    fields = as_mapping(item, pointer)
    metadata = as_mapping(fields.get("metadata"), f"{pointer}/metadata")
    spec = as_mapping(fields.get("spec"), f"{pointer}/spec")
    return CidrGroup(
        name=text_of(metadata, "name", f"{pointer}/metadata"),
        labels=text_map(metadata, "labels", f"{pointer}/metadata"),
        cidrs=tuple(_texts(spec, "externalCIDRs", f"{pointer}/spec")),
    )
