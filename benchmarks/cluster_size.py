"""What questions cost on a small cluster and on a big one: calls, objects, bytes, processor seconds, peak memory.

The clusters are made here and answer lists as the API server does: as narrow as asked, in pages. Each question runs in
a process of its own, so that its peak memory is its own. Usage: ``cluster_size.py``.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from handlers.catalogue import CATALOGUE, understand
from handlers.engine import answer
from handlers.model.flow import Flow, FlowDirection, FlowEnd, FlowLog, FlowType, FlowVerdict
from handlers.model.scope import FlowQuery
from handlers.model.traffic import Protocol
from workers.collect import collect
from workers.sources.assemble import AssembledSource, Manifests
from workers.sources.assemble import resources as api
from workers.sources.assemble.resources import Resource, Select
from workers.sources.deadline import Deadline
from workers.sources.kube_transport import PAGE

SIZES = {"small": (3, 60, 12), "big": (500, 20_000, 2_000)}
"""Nodes, pods and policies."""
PODS_OF_A_NAMESPACE, PODS_OF_AN_APP = 20, 5
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPEN, BLOCKED = "why space-0/app-1 space-0/app-2 8080", "why space-1/app-1 space-0/app-2 8080"
QUESTIONS = (
    OPEN,
    BLOCKED,
    "policies space-0/app-2",
    "identity space-0/app-2",
    "identity 10.0.0.11",
    "drops space-0",
    "drops space-0/app-2",
    "lint",
    "matrix",
)


def _labels(pod: int) -> dict[str, str]:
    return {"app": f"app-{pod % PODS_OF_A_NAMESPACE // PODS_OF_AN_APP}", "tier": "backend", "release": "stable"}


def _space(pod: int) -> str:
    return f"space-{pod // PODS_OF_A_NAMESPACE}"


def _ip(pod: int) -> str:
    return f"10.{pod // 62_500}.{pod // 250 % 250}.{pod % 250 + 1}"


def _identity(pod: int) -> int:
    return 1000 + pod // PODS_OF_AN_APP


def _security_labels(pod: int) -> dict[str, str]:
    space = _space(pod)
    return {
        **{f"k8s:{key}": value for key, value in _labels(pod).items()},
        "k8s:io.cilium.k8s.policy.cluster": "default",
        "k8s:io.cilium.k8s.policy.serviceaccount": "default",
        "k8s:io.kubernetes.pod.namespace": space,
        "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name": space,
    }


class Made(AssembledSource):
    """A cluster by its size; nothing of it is kept, each list is written out and read back."""

    title = "a made cluster"

    def __init__(self, nodes: int, pods: int, policies: int) -> None:
        super().__init__()
        self._nodes, self._pods, self._policies = nodes, pods, policies
        self.calls, self.objects, self.size = 0, 0, 0
        self.making = 0.0
        """Seconds of processor that the making of the lists took: theirs, not the asker's."""

    def now(self) -> datetime:
        """Return a moment."""
        return NOW

    def close(self) -> None:
        """Hold nothing."""

    def manifests(self, resource: Resource[object], select: Select, deadline: Deadline) -> Manifests:
        """Return what the API server would, through JSON, page by page."""
        return Manifests(self._pages(resource, select), "kubernetes")

    def _pages(self, resource: Resource[object], select: Select) -> Iterator[Any]:
        wanted = (item for item in self._of(resource, select) if _is_selected(item, select))
        while True:
            started = time.thread_time()
            page = list(islice(wanted, PAGE))
            written = json.dumps(page)
            self.calls, self.objects, self.size = self.calls + 1, self.objects + len(page), self.size + len(written)
            self.making += time.thread_time() - started
            is_last = len(page) < PAGE
            del page
            yield from json.loads(written)
            if is_last:
                return

    def _of(self, resource: Resource[object], select: Select) -> Iterator[dict[str, Any]]:
        pods: Sequence[int] = range(self._pods)
        if select.namespace:
            space = select.namespace.removeprefix("space-")
            first = int(space) * PODS_OF_A_NAMESPACE if space.isdecimal() else self._pods
            pods = range(first, min(first + PODS_OF_A_NAMESPACE, self._pods))
        spaces = self._pods // PODS_OF_A_NAMESPACE
        if resource is api.NAMESPACES:
            yield from (_object(f"space-{one}", labels={"team": "one"}) for one in range(spaces))
            yield _object("kube-system")
        elif resource is api.NODES:
            for one in range(self._nodes):
                status = {"addresses": [{"type": "InternalIP", "address": f"192.168.{one // 250}.{one % 250 + 1}"}]}
                yield {**_object(f"node-{one}"), "status": status}
        elif resource is api.PODS:
            if select.namespace in (None, "kube-system"):
                yield from (_agent(one) for one in range(self._nodes))
            yield from map(self._pod, _at_address(select, pods))
        elif resource is api.CILIUM_ENDPOINTS:
            yield from map(self._endpoint, pods)
        elif resource is api.CILIUM_IDENTITIES:
            named = int(select.name) if select.name else None
            numbers = range(1000, _identity(self._pods - 1) + 1) if named is None else range(named, named + 1)
            for number in numbers:
                labels = _security_labels((number - 1000) * PODS_OF_AN_APP)
                yield {**_object(str(number)), "security-labels": labels}
        elif resource is api.NETWORK_POLICIES:
            each = max(1, self._policies // spaces)
            for space in sorted({_space(pod) for pod in pods}):
                yield from (_policy(space, one) for one in range(each))
        elif resource is api.CONFIG_MAPS:
            yield {**_object("cilium-config", "kube-system"), "data": {"enable-policy": "default"}}

    def _pod(self, pod: int) -> dict[str, Any]:
        """Write a pod of the size that pods have."""
        conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "Initialized", "PodScheduled")]
        filler = [{"name": f"SETTING_{one}", "value": "x" * 40} for one in range(20)]
        container = {
            "name": "main",
            "image": "registry.example/app:1",
            "env": filler,
            "ports": [{"containerPort": 8080, "name": "http"}],
        }
        return {
            "metadata": _metadata_of_pod(pod),
            "spec": {"nodeName": f"node-{pod % self._nodes}", "containers": [container]},
            "status": {"phase": "Running", "podIP": _ip(pod), "conditions": conditions},
        }

    def _endpoint(self, pod: int) -> dict[str, Any]:
        labels = [f"{key}={value}" for key, value in _security_labels(pod).items()]
        return {
            **_object(f"{_labels(pod)['app']}-{pod}", _space(pod)),
            "status": {
                "identity": {"id": _identity(pod), "labels": labels},
                "networking": {"addressing": [{"ipv4": _ip(pod)}], "node": f"192.168.0.{pod % self._nodes + 1}"},
                "named-ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                "state": "ready",
            },
        }

    def flows(self, query: FlowQuery, first: Sequence[str], deadline: Deadline) -> FlowLog:
        """Return some drops inside one namespace, heard on every node."""
        nodes = [f"node-{one}" for one in range(self._nodes)]
        flows = tuple(_drop(number) for number in range(50))
        since = dict.fromkeys(nodes, query.since)
        return FlowLog(flows, query.since, query.until, frozenset(nodes), covered_since=since)


def _agent(node: int) -> dict[str, Any]:
    return {
        **_object(f"cilium-{node}", "kube-system", {"k8s-app": "cilium"}),
        "spec": {
            "nodeName": f"node-{node}",
            "hostNetwork": True,
            "containers": [{"name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.19.6"}],
        },
        "status": {"phase": "Running", "podIP": f"192.168.{node // 250}.{node % 250 + 1}"},
    }


def _metadata_of_pod(pod: int) -> dict[str, Any]:
    labels = _labels(pod)
    owner = {"kind": "ReplicaSet", "name": f"{labels['app']}-5d4f", "controller": True}
    found: dict[str, Any] = _object(f"{labels['app']}-{pod}", _space(pod), {**labels, "pod-template-hash": "5d4f"})
    return {**found["metadata"], "ownerReferences": [owner]}


def _object(name: str, namespace: str = "", labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": dict(labels or {}), **({"namespace": namespace} if namespace else {})}}


def _policy(space: str, number: int) -> dict[str, Any]:
    peer = {"podSelector": {"matchLabels": {"app": "app-1"}}}
    ports = [{"port": 8080 + number, "protocol": "TCP"}]
    return {
        **_object(f"allow-{number}", space),
        "spec": {
            "podSelector": {"matchLabels": {"app": f"app-{(number + 2) % 4}"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peer], "ports": ports}],
        },
    }


def _at_address(select: Select, pods: Sequence[int]) -> Sequence[int]:
    wanted = (select.fields or "").partition("status.podIP=")[2]
    return [pod for pod in pods if _ip(pod) == wanted] if wanted else pods


def _is_selected(item: Mapping[str, Any], select: Select) -> bool:
    metadata = item["metadata"]
    if select.name is not None and metadata["name"] != select.name:
        return False
    wanted = [pair.split("=") for pair in (select.labels or "").split(",") if "=" in pair]
    return all(metadata["labels"].get(key) == value for key, value in wanted)


def _drop(number: int) -> Flow:
    def end(pod: int, port: int) -> FlowEnd:
        labels = tuple(f"{key}={value}" for key, value in _security_labels(pod).items())
        return FlowEnd(_ip(pod), port, _identity(pod), _space(pod), f"{_labels(pod)['app']}-{pod}", labels)

    return Flow(
        time=NOW - timedelta(seconds=number + 1),
        verdict=FlowVerdict.DROPPED,
        type=FlowType.L3_L4,
        event_type=1,
        event_sub_type=133,
        node="node-0",
        source=end(0, 40_000),
        destination=end(10 + number % 5, 8080),
        protocol=Protocol.TCP,
        direction=FlowDirection.INGRESS,
        drop_reason="POLICY_DENIED",
    )


def measure(question: str, size: str) -> dict[str, Any]:
    """Ask one question of one cluster."""
    source = Made(*SIZES[size])
    asked = understand(question).question
    started = time.process_time()
    report = answer(asked, collect(asked, source, budget=120), CATALOGUE)
    seconds = time.process_time() - started - source.making
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return {
        "calls": source.calls,
        "objects": source.objects,
        "MiB": source.size / (1 << 20),
        "seconds": seconds,
        "peak MiB": peak,
        "says": str(report.headline.claim),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ask", nargs=2, metavar=("QUESTION", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(measure(*options.ask)))
        return
    print("a big cluster (500 nodes, 20,000 pods, 2,000 policies), and how many times a small one (3, 60, 12)\n")
    print("question                                      calls     objects     read MiB      seconds     peak MiB")
    for question in QUESTIONS:
        small, big = (_run(question, size) for size in ("small", "big"))
        cells = " ".join(
            f"{big[key]:7.{digits}f} {big[key] / max(small[key], 0.01):3.1f}x"
            for key, digits in (("calls", 0), ("objects", 0), ("MiB", 1), ("seconds", 2), ("peak MiB", 0))
        )
        print(f"{question:38} {cells}  {big['says'][:60]}", flush=True)


def _run(question: str, size: str) -> dict[str, Any]:
    output = subprocess.check_output([sys.executable, str(Path(__file__)), "--ask", question, size], text=True)  # noqa: S603
    found: dict[str, Any] = json.loads(output)
    return found


if __name__ == "__main__":
    main()
