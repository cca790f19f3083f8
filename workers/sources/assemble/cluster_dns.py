"""What is made of the objects of the cluster's own DNS: Services, EndpointSlices, and who runs the servers."""

from typing import TypeVar

from handlers.model.change import Change
from handlers.model.cluster import ClusterDns, Service, Workload
from workers.sources.assemble import resources as api
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import Resource, Select
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnreadError

T = TypeVar("T")

NAMESPACE, APP = "kube-system", "kube-dns"
"""CoreDNS keeps the label ``k8s-app`` of its forerunner (kubernetes, cluster/addons/dns/coredns)."""
_LABELLED = Select(NAMESPACE, labels=f"k8s-app={APP}")
_WITHIN = Select(NAMESPACE)
_DEPLOYMENTS, _DAEMON_SETS = api.WORKLOADS[0], api.WORKLOADS[2]
_RUNNERS = ("Deployment", "DaemonSet", "Service")


def cluster_dns(lists: Lists) -> ClusterDns:
    """Return the cluster's DNS; who runs it is left open where that cannot be listed.

    Raises:
        UnreadError: if its Services or EndpointSlices could not be listed.
    """
    services = tuple(one for one in lists.some(api.SERVICES, _LABELLED) if _is_dns(one))
    names = {service.name for service in services}
    slices = lists.some(api.ENDPOINT_SLICES, _WITHIN)
    listed = tuple(part for part in slices if part.namespace == NAMESPACE and part.service in names)
    try:
        workloads = tuple(
            one for one in lists.of((_DEPLOYMENTS, _WITHIN), (_DAEMON_SETS, _WITHIN)) if _runs(one, services)
        )
    except UnreadError as error:
        return ClusterDns(services, listed, None, _changes(lists, names), error.missing.detail)
    return ClusterDns(services, listed, workloads, _changes(lists, names | {one.name for one in workloads}))


def _is_dns(service: Service) -> bool:
    return service.namespace == NAMESPACE and service.labels.get("k8s-app") == APP


def _runs(workload: Workload, services: tuple[Service, ...]) -> bool:
    selectors = [service.selector.items() for service in services if service.selector]
    return workload.namespace == NAMESPACE and any(selector <= workload.selector.items() for selector in selectors)


def _changes(lists: Lists, names: set[str]) -> tuple[Change, ...]:
    """Return the changes of these objects; what cannot be listed is left out, since they only say who and when."""
    kinds = [kind for kind in api.WITH_CHANGES if kind.kind in _RUNNERS]
    found = [change for kind in kinds for of_object in _listed(kind, lists) for change in of_object]
    return tuple(change for change in found if change.namespace == NAMESPACE and change.name in names)


def _listed(kind: Resource[tuple[T, ...]], lists: Lists) -> tuple[tuple[T, ...], ...]:
    try:
        return lists.some(kind, _WITHIN)
    except (UnreadError, MalformedError):
        return ()
