"""What the ends of flows are called in a list: workloads rather than pods, nodes and names rather than addresses."""

from collections.abc import Iterable

from handlers.connection.drop_groups import entity_of, name_of, names_told
from handlers.model.cluster import Node, Pod
from handlers.model.flow import Flow, FlowEnd

NO_NAMESPACE = "outside"
"""Where in a matrix of namespaces what is in none stands, without an entity of its own."""


class EndNames:
    """Names of ends. A flow tells the workload of pods on its own node alone, so that others have to tell the rest."""

    def __init__(self, flows: Iterable[Flow], pods: Iterable[Pod] = (), nodes: Iterable[Node] = ()) -> None:
        """Learn the names from all flows together, from pods and from nodes."""
        flows = tuple(flows)
        self._owners = {(pod.namespace, pod.name): pod.owner.name for pod in pods if pod.owner}
        for end in (end for flow in flows for end in (flow.source, flow.destination)):
            if end.pod and end.workloads:
                self._owners.setdefault((end.namespace, end.pod), end.workloads[0][1])
        self._nodes = {ip: node.name for node in nodes for ip in (*node.ips, *node.cilium_ips)}
        self._told = names_told(flows)

    def of(self, end: FlowEnd) -> str:
        """Return ``shop/cart``, ``node/worker-1``, ``api.example.com (world)``, ``198.18.10.20 (world)``."""
        if end.pod:
            return name_of(end, self._owners, self._told)
        if end.ip in self._nodes:
            return f"node/{self._nodes[end.ip]}"
        entity = entity_of(end)
        name = name_of(end, self._owners, self._told) or "?"
        return f"{name} ({entity})" if entity else name

    def to_ask(self, end: FlowEnd) -> str:
        """Return the name by which a question means this end; names that share an address mean none."""
        if not end.pod and end.ip in self._nodes:
            return f"node/{self._nodes[end.ip]}"
        name = name_of(end, self._owners, self._told)
        return end.ip if " " in name else name

    def namespace_of(self, end: FlowEnd) -> str:
        """Return the namespace of an end, else what it is to Cilium: ``world``, ``host``, ``nodes``."""
        if end.namespace:
            return end.namespace
        if end.ip in self._nodes:
            return "nodes"
        return entity_of(end).partition(" ")[0] or NO_NAMESPACE


def unnamed_namespaces(flows: Iterable[Flow]) -> frozenset[str]:
    """Return the namespaces of the pods whose workload no flow tells."""
    ends = [end for flow in flows for end in (flow.source, flow.destination) if end.pod]
    told = {(end.namespace, end.pod) for end in ends if end.workloads}
    return frozenset(end.namespace for end in ends if (end.namespace, end.pod) not in told)
