"""A cluster for whole-cluster questions, from a case: policies and identities in one document."""

from collections.abc import Mapping

from handlers.policy.cases import Case, CaseError
from handlers.reach.cluster import Cluster, ClusterPod


def cluster_of_case(document: Mapping[str, object]) -> Cluster:
    """Read a case in the format of the conformance data; queries and answers are not needed. Raises CaseError."""
    case = Case(document)
    listed = document.get("policies")
    manifests = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    cache = case.surroundings.fqdn_cache or {}
    learnt: dict[str, list[str]] = {}
    for name, addresses in cache.items():
        for address in addresses:
            learnt.setdefault(address, []).append(name)
    return Cluster(
        manifests=tuple(manifests),
        config=case.config,
        surroundings=case.surroundings,
        pods=tuple(_pod(name, case) for name in case.pods),
        learnt={address: tuple(names) for address, names in learnt.items()},
    )


def _pod(full_name: str, case: Case) -> ClusterPod:
    namespace, _, name = full_name.partition("/")
    own, _ = case.parties({"src": {"pod": full_name}, "dst": {"pod": full_name}})
    return ClusterPod(namespace, name, own, host_network=case.pods[full_name].host_network)


__all__ = ["CaseError", "cluster_of_case"]
