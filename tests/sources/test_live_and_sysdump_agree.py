"""One moment of a cluster, read live, from its sysdump or from a recording, is the same to the model."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.model.parts import PARTS, Part
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Missing
from handlers.model.width import IN_NAMESPACES, OF_IDENTITIES, OF_PODS
from tests.cluster.lab import Lab, lab
from tests.cluster.record import NAMES
from tests.sampling import one_in
from tests.sources.asking import every_ask, known, whole
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource

# Typed clients drop or null empty lists of optional fields while a dump is written.
_DROPPED_BY_THE_DUMP = ("egressGateways", "excludedCIDRs")


def _policies(value: Any) -> Any:
    return [
        (
            policy.ref,
            policy.changed_at,
            {
                field: {name: item for name, item in body.items() if name not in _DROPPED_BY_THE_DUMP}
                for field, body in policy.manifest.items()
                if field == "spec"
            },
        )
        for policy in value
    ]


def _endpoints(value: Any) -> Any:
    return sorted((item.id, item.identity, item.labels, item.ips, item.pod, item.ingress_enforcing) for item in value)


def _map(value: Any) -> Any:
    """Counters move between the two readings."""
    return {(e.endpoint, e.ingress, e.deny, e.identity, e.protocol, e.port, e.prefix) for e in value}


def _status(value: Any) -> Any:
    """The agents went on probing each other between the two readings."""
    peers = [
        (peer.name, [(probe.way, probe.of_endpoint, probe.error, probe.at is not None) for probe in peer.probes])
        for peer in value.peers
    ]
    return value.version, value.state, peers, value.proxy_redirects, value.kube_proxy_replacement, value.failing


def _names(value: Any) -> Any:
    return [(item.name, item.ips, item.endpoint) for item in value]


def _foreign(value: Any) -> Any:
    """A dump keeps no list of these kinds, and says of which it tells nothing."""
    return value.found, value.unlisted


def _logs(value: Any) -> Any:
    return [(log.namespace, log.pod, log.container) for log in value]


def _entrances(value: Any) -> Any:
    """A dump holds Gateways only where Cilium serves them, and says so."""
    return value.found, value.unlisted


def _cut_down(value: Any) -> Any:
    """These records were cut down before managed fields were read; the dumps have them."""
    if isinstance(value, tuple):
        return tuple(map(_cut_down, value))
    return dataclasses.replace(value, changes=()) if hasattr(value, "changes") else value


def _dns(value: Any) -> Any:
    """A dump has no workloads, and these were cut down before managed fields were read."""
    return _cut_down(value.services), value.slices


_COMPARED: dict[AnyPart, Callable[[Any], Any]] = {
    Part.CONFIG: _cut_down,
    Part.CLUSTER_DNS: _dns,
    Part.FOREIGN_POLICIES: _foreign,
    Part.PODS: _cut_down,
    Part.CILIUM_PODS: _cut_down,
    Part.SERVICES: _cut_down,
    Part.ALL_SERVICES: _cut_down,
    Part.ALL_POLICIES: _cut_down,
    Part.POLICY_SERVICES: _cut_down,
    Part.ENTRANCES: _entrances,
    Part.POLICIES: _policies,
    Part.OPERATOR_LOGS: _logs,
    Part.DNS_LOGS: _logs,
    Part.EGRESS_GATEWAYS: _policies,
    Part.AGENT_ENDPOINTS: _endpoints,
    Part.AGENT_POLICY_MAP: _map,
    Part.AGENT_STATUS: _status,
    Part.AGENT_NAMES: _names,
}
_AT_ANOTHER_MOMENT = {Part.FLOWS, Part.AGENT_METRICS}
_CUT_DOWN = {Part.CHANGES}
"""These dumps were cut down before managed fields were read."""
_IN_NO_DUMP = {Part.WORKLOADS, Part.SYSTEM_WORKLOADS, Part.RELAY, Part.CIDR_GROUPS, Part.EVENTS, Part.AGENT_LOG}
"""In none of these, which were cut down before logs and events were read."""
_NOT_RECORDED = {Part.AGENT_NODES, Part.AGENT_CONFIG}
"""In neither form of these moments; those of operators' faults have it."""


_NARROW = {
    "one namespace": Scope(namespaces=("shop",)),
    "two namespaces": Scope(namespaces=("payments", "shop", "shop")),
    "a namespace that is not there": Scope(namespaces=("nowhere",)),
    "cluster-wide objects alone": Scope(namespaces=()),
    "pods by label": Scope(pods=(PodQuery("shop", labels="app in (cart, frontend)"),)),
    "pods by node": Scope(pods=(PodQuery(node="lab-node-2"),)),
    "a pod by its address, and its namespace": Scope(pods=(PodQuery(ip="10.244.0.166"), PodQuery("shop"))),
    "identities by number": Scope(identities=(50404, 23279, 99999, 1)),
}


@pytest.mark.parametrize("scope", _NARROW.values(), ids=list(_NARROW))
def test_what_is_asked_narrowly_is_narrowed_alike(scope: Scope, baseline: Lab) -> None:
    live, dump = baseline.source(), SysdumpSource(baseline.record.sysdump)
    narrowed = [part for part in PARTS if part.width in (IN_NAMESPACES, OF_PODS, OF_IDENTITIES)]
    parts = [part for part in narrowed if part.width.is_known(scope) and part not in _IN_NO_DUMP | _CUT_DOWN]
    assert parts
    for part in parts:
        shown = _COMPARED.get(part, lambda value: value)
        of_live, of_dump = shown(known(live, Ask(part, scope))), shown(known(dump, Ask(part, scope)))
        assert sorted(map(str, of_live)) == sorted(map(str, of_dump)), part
    live.close()
    dump.close()


def test_what_a_running_cluster_told_is_told_again_by_its_recording(baseline: Lab, tmp_path: Path) -> None:
    recording = RecordingSource(baseline.source(), tmp_path / "r.gz")
    answers = {ask: recording.read(ask, 10) for ask in every_ask(baseline.now)}
    recording.close()
    replay = ReplaySource(tmp_path / "r.gz")
    assert replay.now() == baseline.now
    for ask, answer in answers.items():
        assert replay.read(ask, 10) == answer, ask


@pytest.mark.parametrize("name", one_in(2, NAMES))
def test_the_two_agree(name: str, tmp_path: Path) -> None:
    with lab(name, tmp_path) as running:
        live, dump = running.source(), SysdumpSource(running.record.sysdump)
        for ask in every_ask(running.now):
            if ask.part in _AT_ANOTHER_MOMENT | _CUT_DOWN | _NOT_RECORDED:
                continue
            of_live = known(live, ask)
            if ask.part in _IN_NO_DUMP:
                assert isinstance(dump.read(ask, 10), Missing)
                continue
            shown = _COMPARED.get(ask.part, lambda value: value)
            assert shown(of_live) == shown(known(dump, ask)), ask
        live.close()
        dump.close()


@pytest.mark.parametrize("name", one_in(3, NAMES))
def test_flows_that_both_have_read_alike(name: str, tmp_path: Path) -> None:
    with lab(name, tmp_path) as running:
        live, dump = running.source(), SysdumpSource(running.record.sysdump)
        ask = Ask(Part.FLOWS, whole(running.now))
        of_live, of_dump = known(live, ask), known(dump, ask)
        by_uuid = {flow.uuid: flow for flow in of_dump.flows}
        shared = [flow for flow in of_live.flows if flow.uuid in by_uuid]
        assert len(shared) > len(of_live.flows) // 2
        assert all(flow == by_uuid[flow.uuid] for flow in shared)
        assert of_live.heard == of_dump.heard
        live.close()
        dump.close()
