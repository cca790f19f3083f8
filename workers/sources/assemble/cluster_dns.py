"""What is made of the objects of the cluster's own DNS: its Services, their EndpointSlices, and who changed what."""

from dataclasses import dataclass
from typing import TypeVar

from handlers.model.change import Change
from handlers.model.cluster import ClusterDns, Service
from workers.sources.assemble import resources as api
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import Resource, Select
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnreadError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a distribution keeps its DNS: the namespace, and what labels the Service, and the workload behind it."""

    namespace: str
    label: str
    value: str

    @property
    def labelled(self) -> Select:
        return Select(self.namespace, labels=f"{self.label}={self.value}")

    def has(self, service: Service) -> bool:
        return service.namespace == self.namespace and service.labels.get(self.label) == self.value


_PLACES = (
    # CoreDNS keeps the label of its forerunner (kubernetes, cluster/addons/dns/coredns).
    _Place("kube-system", "k8s-app", "kube-dns"),
    # openshift/cluster-dns-operator, pkg/manifests: the Service dns-default.
    _Place("openshift-dns", "dns.operator.openshift.io/owning-dns", "default"),
)
"""The usual place first; another counts where that has no Service of DNS."""
_RUNNERS = ("Deployment", "DaemonSet")


def cluster_dns(lists: Lists) -> ClusterDns:
    """Return the cluster's DNS; changes that cannot be listed are left out, since they only say who and when.

    Raises:
        UnreadError: if its Services or EndpointSlices could not be listed.
    """
    services: tuple[Service, ...] = ()
    for place in _PLACES:
        services = tuple(one for one in lists.some(api.SERVICES, place.labelled) if place.has(one))
        if services:
            break
    else:
        place = _PLACES[0]
    names = {service.name for service in services}
    listed = lists.some(api.ENDPOINT_SLICES, Select(place.namespace))
    slices = tuple(part for part in listed if part.namespace == place.namespace and part.service in names)
    kinds = [kind for kind in api.WITH_CHANGES if kind.kind in (*_RUNNERS, "Service")]
    found = [change for kind in kinds for of_object in _listed(kind, place, lists) for change in of_object]
    return ClusterDns(services, slices, tuple(change for change in found if _concerns(change, place, names)))


def _concerns(change: Change, place: _Place, services: set[str]) -> bool:
    """Whether a change is of one of the Services, or of what may run the servers: only its name tells that."""
    is_dns = change.name in services or (change.kind in _RUNNERS and "dns" in change.name)
    return change.namespace == place.namespace and is_dns


def _listed(kind: Resource[tuple[T, ...]], place: _Place, lists: Lists) -> tuple[tuple[T, ...], ...]:
    try:
        return lists.some(kind, place.labelled if kind.kind in _RUNNERS else Select(place.namespace))
    except (UnreadError, MalformedError):
        return ()
