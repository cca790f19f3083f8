"""Cilium's own pods: the namespace they run in, the agents, relay; and those of kube-proxy, which it may replace.

Platforms rename what they ship: GKE's DaemonSet is ``anetd``, Huawei's ``yangtse-cilium``, Deckhouse labels the agents
``app=agent``, OpenShift's live in the namespace ``cilium``. No table of platforms is kept: the labels of Cilium's chart
are looked for where Cilium usually is, then everywhere, and last a DaemonSet with a container of the agent's name.
"""

import threading
from dataclasses import dataclass, replace

from handlers.model.cluster import Pod, Service, Workload
from handlers.model.snapshot import Gap
from workers.sources.assemble import resources as api
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import Select
from workers.sources.convert import cilium
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnprovenError, UnreadError

DEFAULT_NAMESPACE = "kube-system"

PLAIN_PORT, TLS_PORT = 80, 443
"""Ports of relay's Service."""

AGENT_CONTAINER = "cilium-agent"
_APP = "k8s-app"
_AGENT_LABELS = {_APP: "cilium"}
_RELAY = "hubble-relay"
_RELAY_LABELS = (_APP, "app", "app.kubernetes.io/name")
"""Cilium's chart writes the first; charts of others one of the rest."""
_KUBE_PROXY, _ITS_LABELS = "kube-proxy", (_APP, "component")
"""kubeadm writes the first label, the clouds' static pods bear the second."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where relay runs: its ready pods, all of one namespace, and the Service before them, if there is one."""

    pods: tuple[Pod, ...]
    service: Service | None

    @property
    def namespace(self) -> str:
        """Return the namespace."""
        return self.pods[0].namespace

    @property
    def ports(self) -> frozenset[int]:
        """Return the ports of the Service."""
        return frozenset(port.port for port in self.service.ports) if self.service is not None else frozenset()

    @property
    def speaks_tls(self) -> bool:
        """Whether the Service's ports say that TLS is spoken (Cilium's chart, hubble.relay: 443 with TLS, else 80)."""
        return TLS_PORT in self.ports and PLAIN_PORT not in self.ports


class CiliumPods:
    """Finds the pods; which namespace they run in, and by which labels, is found out once."""

    def __init__(self, namespace: str | None = None) -> None:
        """Look in ``namespace`` first; None means where Cilium usually is."""
        self.likely = namespace or DEFAULT_NAMESPACE
        self._namespace: str | None = None
        self._labels = dict(_AGENT_LABELS)
        self._are_there = False
        self._unread: UnreadError | MalformedError | None = None
        self._lock = threading.Lock()

    def namespace(self, lists: Lists) -> str:
        """Return the namespace that the agents run in: the likely one if there are any, else the one with some."""
        with self._lock:
            if self._namespace is not None:
                return self._namespace
        return self._found(lists)[0]

    def are_there(self, lists: Lists) -> bool:
        """Whether there are agents, or a DaemonSet of theirs.

        Raises:
            UnreadError: if that cannot be told, since a list could not be read.
        """
        with self._lock:
            if self._are_there:
                return True
        self._found(lists)
        with self._lock:
            if self._unread is not None:
                raise self._unread
            return self._are_there

    def _found(self, lists: Lists) -> tuple[str, list[Pod]]:
        """Look for the agents, and remember where they are; of big clusters their list is not read a second time."""
        found, labels = _agents(lists, self.likely, _AGENT_LABELS), dict(_AGENT_LABELS)
        workload: Workload | None = None
        unread: UnreadError | MalformedError | None = None
        if not found:
            try:
                # Agents share the network of their node, which tenants' pods that bear their label may not.
                found = [pod for pod in _agents(lists, None, labels) if pod.host_network]
                if not found and (workload := _daemon_set(lists)) is not None:
                    labels = dict(workload.selector)
                    found = _agents(lists, workload.namespace, labels)
            except (UnreadError, MalformedError) as error:
                unread = error
        namespace = found[0].namespace if found else workload.namespace if workload else self.likely
        with self._lock:
            self._namespace, self._labels, self._unread = namespace, labels, unread
            self._are_there = bool(found or workload)
        return namespace, [pod for pod in found if pod.namespace == namespace]

    def every(self, lists: Lists) -> tuple[Pod, ...]:
        """Return agents, operator, relay, Envoy and what else Cilium's chart installs."""
        namespace = self.namespace(lists)
        selectors = (f"k8s-app in ({','.join(cilium.CILIUM_APPS)})", "io.cilium/app=operator")
        found = list(lists.some(api.PODS, *(Select(namespace, labels=selector) for selector in selectors)))
        with self._lock:
            has_own_labels = self._labels != _AGENT_LABELS
        if has_own_labels:
            found += self.agents(lists)
        return tuple({(pod.namespace, pod.name): pod for pod in found if cilium.is_cilium_pod(pod)}.values())

    def versions(self, lists: Lists) -> dict[str, str]:
        """Return the version of each node's agent, that of running ones first; none where it cannot be told."""
        try:
            return cilium.agent_versions(self.agents(lists))
        except (UnreadError, MalformedError):
            return {}

    def agents(self, lists: Lists, node: str | None = None) -> list[Pod]:
        """Return the agents' pods, of one node or of all; those that run come first."""
        with self._lock:
            known = self._namespace
        if known is None and node is None:
            found = self._found(lists)[1]
        else:
            namespace = known or self.namespace(lists)
            with self._lock:
                labels = self._labels
            found = _agents(lists, namespace, labels, node)
        return sorted(found, key=lambda pod: (pod.phase != "Running", pod.deleted, not pod.ready, pod.name))

    def relay(self, lists: Lists) -> Relay | None:
        """Find relay: in the agents' namespace, else wherever it runs; None where none is ready.

        Raises:
            UnreadError: if several namespaces have one, of which nothing tells the right one.
        """
        pods = _relays(lists, self.namespace(lists)) or _relays(lists, None)
        namespaces = sorted({pod.namespace for pod in pods})
        if len(namespaces) > 1:
            raise UnreadError(
                Gap.UNSUPPORTED,
                f"hubble-relay runs in several namespaces: {', '.join(namespaces[:5])}",
                "Set HUBBLE_SERVER to where the cluster's own Hubble listens.",
            )
        return Relay(tuple(pods), _service_of(lists, pods[0])) if pods else None


def _service_of(lists: Lists, pod: Pod) -> Service | None:
    """Return the Service before a pod of relay: the one of relay's name, else one that selects it."""
    try:
        named = lists.some(api.SERVICES, Select(pod.namespace, name=_RELAY))
    except UnprovenError:
        named = ()
    for service in named:
        if (service.namespace, service.name) == (pod.namespace, _RELAY):
            return service
    return next(
        (
            service
            for service in lists.some(api.SERVICES, Select(pod.namespace))
            if service.namespace == pod.namespace
            and service.selector
            and service.selector.items() <= pod.labels.items()
        ),
        None,
    )


def kube_proxies(lists: Lists) -> tuple[Pod, ...]:
    """Return the pods of kube-proxy."""
    selects = (Select(DEFAULT_NAMESPACE, labels=f"{label}={_KUBE_PROXY}") for label in _ITS_LABELS)
    found = {(pod.namespace, pod.name): pod for pod in lists.some(api.PODS, *selects)}
    return tuple(
        pod
        for pod in found.values()
        if pod.namespace == DEFAULT_NAMESPACE and any(pod.labels.get(label) == _KUBE_PROXY for label in _ITS_LABELS)
    )


def _relays(lists: Lists, namespace: str | None) -> list[Pod]:
    for label in _RELAY_LABELS:
        found = [
            pod
            for pod in lists.some(api.PODS, Select(namespace, labels=f"{label}={_RELAY}"))
            if pod.labels.get(label) == _RELAY and pod.ready and not pod.deleted
        ]
        if found:
            return [pod for pod in found if namespace in (None, pod.namespace)]
    return []


def _daemon_set(lists: Lists) -> Workload | None:
    """Return the DaemonSet whose pods have a container of the agent's name; those of several namespaces are none."""
    (kind,) = (kind for kind in api.SYSTEM_WORKLOADS if kind.kind == "DaemonSet")
    found = [one for one in lists.every(kind) if AGENT_CONTAINER in one.containers and one.selector]
    return found[0] if len({one.namespace for one in found}) == 1 else None


def _agents(lists: Lists, namespace: str | None, labels: dict[str, str], node: str | None = None) -> list[Pod]:
    """Return agents' pods, labelled as Cilium's chart does: by that everything else knows them."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    select = Select(namespace, labels=selector, fields=f"spec.nodeName={node}" if node else None)
    return [
        pod if labels == _AGENT_LABELS else replace(pod, labels={**pod.labels, **_AGENT_LABELS})
        for pod in lists.some(api.PODS, select)
        if labels.items() <= pod.labels.items() and node in (None, pod.node) and namespace in (None, pod.namespace)
    ]
