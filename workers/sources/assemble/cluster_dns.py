"""What is made of the objects of the cluster's own DNS: its Services, their EndpointSlices, and who changed what."""

from typing import TypeVar

from handlers.model.change import Change
from handlers.model.cluster import ClusterDns, Service
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
_RUNNERS = ("Deployment", "DaemonSet")


def cluster_dns(lists: Lists) -> ClusterDns:
    """Return the cluster's DNS; changes that cannot be listed are left out, since they only say who and when.

    Raises:
        UnreadError: if its Services or EndpointSlices could not be listed.
    """
    services = tuple(one for one in lists.some(api.SERVICES, _LABELLED) if _is_dns(one))
    names = {service.name for service in services}
    listed = lists.some(api.ENDPOINT_SLICES, _WITHIN)
    slices = tuple(part for part in listed if part.namespace == NAMESPACE and part.service in names)
    kinds = [kind for kind in api.WITH_CHANGES if kind.kind in (*_RUNNERS, "Service")]
    found = [change for kind in kinds for of_object in _listed(kind, lists) for change in of_object]
    return ClusterDns(services, slices, tuple(change for change in found if _concerns(change, names)))


def _is_dns(service: Service) -> bool:
    return service.namespace == NAMESPACE and service.labels.get("k8s-app") == APP


def _concerns(change: Change, services: set[str]) -> bool:
    """Whether a change is of one of the Services, or of what may run the servers: only its name tells that."""
    is_dns = change.name in services or (change.kind in _RUNNERS and "dns" in change.name)
    return change.namespace == NAMESPACE and is_dns


def _listed(kind: Resource[tuple[T, ...]], lists: Lists) -> tuple[tuple[T, ...], ...]:
    try:
        return lists.some(kind, _LABELLED if kind.kind in _RUNNERS else _WITHIN)
    except (UnreadError, MalformedError):
        return ()
