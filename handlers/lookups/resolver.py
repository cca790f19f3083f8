"""How a pod looks names up: which servers it asks, and which names it tries for one that is asked."""

from dataclasses import dataclass

from handlers.model.cluster import Pod, Service

CLUSTER_DOMAIN = "cluster.local"
NDOTS = 5
"""What Kubernetes writes where a pod sets none (Kubernetes, DNS for Services and Pods)."""
NODE_LOCAL_DNS = "169.254.20.10"
"""The address that NodeLocal DNSCache listens on by custom (kubernetes, cluster/addons/dns/nodelocaldns)."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """What stands in a pod's resolv.conf, as far as its specification tells.

    ``servers`` are empty where they are the node's own, which nobody here knows; then ``is_of_node`` is true.
    """

    servers: tuple[str, ...]
    search: tuple[str, ...]
    ndots: int
    is_of_node: bool = False

    def tries(self, name: str) -> tuple[str, ...]:
        """Return the names that may be asked for one: itself, and itself under each search suffix."""
        return (name, *(f"{name}.{suffix}" for suffix in self.search))

    def may_mean(self, query: str) -> tuple[str, ...]:
        """Return the names for which this query may have been asked, the shortest first."""
        cut = (query.removesuffix(f".{suffix}") for suffix in self.search if query.endswith(f".{suffix}"))
        return tuple(sorted({query, *cut}, key=lambda name: (len(name), name)))


def resolver_of(pod: Pod, dns: Service | None) -> Resolver:
    """Return a pod's resolver; ``dns`` is the Service of the cluster's own DNS."""
    told = pod.resolver
    in_cluster = told.policy == "ClusterFirstWithHostNet" or (told.policy == "ClusterFirst" and not pod.host_network)
    ndots = told.ndots if told.ndots is not None else NDOTS if in_cluster else 1
    if in_cluster:
        servers = tuple(ip for ip in dns.cluster_ips if ip) if dns else ()
        own = (f"{pod.namespace}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)
        return Resolver((*servers, *told.nameservers), (*own, *told.searches), ndots)
    is_of_node = told.policy != "None"
    return Resolver(told.nameservers, told.searches, ndots, is_of_node=is_of_node)
