"""Cilium's own pods: the namespace they run in, the agents, relay; and those of kube-proxy, which it may replace."""

import threading

from handlers.model.cluster import Pod, Service
from workers.sources.assemble import resources as api
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import Select
from workers.sources.convert import cilium
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnprovenError, UnreadError

DEFAULT_NAMESPACE = "kube-system"

_AGENTS = "k8s-app=cilium"
_RELAY = "hubble-relay"
_KUBE_PROXY, _ITS_LABELS = "kube-proxy", ("k8s-app", "component")
"""kubeadm writes the first label, the clouds' static pods bear the second."""


class CiliumPods:
    """Finds the pods; which namespace they run in is found out once."""

    def __init__(self, namespace: str | None = None) -> None:
        """Look in ``namespace`` first; None means where Cilium usually is."""
        self.likely = namespace or DEFAULT_NAMESPACE
        self._namespace: str | None = None
        self._lock = threading.Lock()

    def namespace(self, lists: Lists) -> str:
        """Return the namespace that the agents run in: the likely one if there are any, else the one with some."""
        with self._lock:
            if self._namespace is not None:
                return self._namespace
        return self._found(lists)[0]

    def _found(self, lists: Lists) -> tuple[str, list[Pod]]:
        """Look for the agents, and remember where they are; of big clusters their list is not read a second time."""
        found = _agents(lists, self.likely)
        if not found:
            try:
                found = _agents(lists, None)
            except UnreadError:
                found = []
        namespace = found[0].namespace if found else self.likely
        with self._lock:
            self._namespace = namespace
        return namespace, [pod for pod in found if pod.namespace == namespace]

    def every(self, lists: Lists) -> tuple[Pod, ...]:
        """Return agents, operator, relay, Envoy and what else Cilium's chart installs."""
        namespace = self.namespace(lists)
        selectors = (f"k8s-app in ({','.join(cilium.CILIUM_APPS)})", "io.cilium/app=operator")
        found = lists.some(api.PODS, *(Select(namespace, labels=selector) for selector in selectors))
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
            found = _agents(lists, known or self.namespace(lists), node)
        return sorted(found, key=lambda pod: (pod.phase != "Running", pod.deleted, not pod.ready, pod.name))

    def relay_pods(self, lists: Lists) -> list[Pod]:
        """Return the pods of hubble-relay that are ready."""
        found = lists.some(api.PODS, Select(self.namespace(lists), labels=f"k8s-app={_RELAY}"))
        return [pod for pod in found if pod.labels.get("k8s-app") == _RELAY and pod.ready and not pod.deleted]

    def relay_service(self, lists: Lists) -> Service | None:
        """Return the Service of hubble-relay, None where there is none."""
        try:
            found = lists.some(api.SERVICES, Select(self.namespace(lists), name=_RELAY))
        except UnprovenError:
            return None
        return next((service for service in found if service.name == _RELAY), None)


def kube_proxies(lists: Lists) -> tuple[Pod, ...]:
    """Return the pods of kube-proxy."""
    selects = (Select(DEFAULT_NAMESPACE, labels=f"{label}={_KUBE_PROXY}") for label in _ITS_LABELS)
    found = {(pod.namespace, pod.name): pod for pod in lists.some(api.PODS, *selects)}
    return tuple(
        pod
        for pod in found.values()
        if pod.namespace == DEFAULT_NAMESPACE and any(pod.labels.get(label) == _KUBE_PROXY for label in _ITS_LABELS)
    )


def _agents(lists: Lists, namespace: str | None, node: str | None = None) -> list[Pod]:
    select = Select(namespace, labels=_AGENTS, fields=f"spec.nodeName={node}" if node else None)
    return [
        pod
        for pod in lists.some(api.PODS, select)
        if pod.labels.get("k8s-app") == "cilium" and node in (None, pod.node)
    ]
