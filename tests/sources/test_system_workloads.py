"""Workloads of Cilium and kube-proxy: the same live and from a dump, as far as a dump keeps them."""

from pathlib import Path

import pytest

from handlers.model.parts import Part
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Gap
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.sources.asking import known, missing
from workers.sources.sysdump import SysdumpSource

BESIDE = "42-kube-proxy-beside-kpr"
WORKLOADS, KUBE_PROXIES = Ask(Part.SYSTEM_WORKLOADS, Scope()), Ask(Part.KUBE_PROXIES, Scope())


def test_a_cluster_and_its_dump_tell_the_same_of_cilium(tmp_path: Path) -> None:
    with lab(BESIDE, tmp_path) as cluster:
        live = cluster.source()
        of_live, proxies = known(live, WORKLOADS), known(live, KUBE_PROXIES)
        live.close()
    dump = SysdumpSource(unpacked_dump(BESIDE, tmp_path))
    of_dump = known(dump, WORKLOADS)
    assert {one.name: (one.replicas, one.ready, one.updated) for one in of_dump} == {
        "cilium": (2, 2, 2),
        "cilium-operator": (1, 1, 1),
        "hubble-relay": (1, 1, 1),
    }
    assert all(one in of_live for one in of_dump)
    assert {one.name for one in of_live} - {one.name for one in of_dump} == {"coredns", "kube-proxy"}
    assert known(dump, KUBE_PROXIES) == proxies
    assert {pod.node for pod in proxies} == {"lab-node-1", "lab-node-2"}
    dump.close()


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.98])
def test_a_workload_whose_file_was_cut_is_not_taken_for_one_without_ready_pods(kept: float, tmp_path: Path) -> None:
    folder = unpacked_dump(BESIDE, tmp_path)
    (path,) = folder.glob("cilium-operator-deployment-*")
    written = path.read_bytes()
    path.write_bytes(written[: int(len(written) * kept)])
    dump = SysdumpSource(folder)
    assert missing(dump, WORKLOADS).gap is Gap.MALFORMED
    dump.close()
