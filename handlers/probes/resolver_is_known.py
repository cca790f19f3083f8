"""The endpoint asks the cluster's DNS for its names.

A pod with dnsPolicy Default, and one in the host's network without ClusterFirstWithHostNet, asks its node's own
servers, which know no name of the cluster.
"""

from collections.abc import Iterator

from handlers.connection.legs import LEG_PARTS, places_of
from handlers.lookups.resolver import NODE_LOCAL_DNS, Resolver, resolver_of
from handlers.lookups.servers import service_of_dns
from handlers.model.cluster import Pod
from handlers.model.endpoint import HostName
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, is_cluster_name, resolve
from handlers.probes.probe import probe

RESOLVER_IS = code(
    "RESOLVER_IS",
    meaning="Which servers a pod asks, under which suffixes, and from how many dots on the name itself first.",
    template="{pod} asks {servers}, tries suffixes {search}, and the name itself first from {ndots} dots on{also}",
)
RESOLVER_IS_OF_NODE = code(
    "RESOLVER_IS_OF_NODE",
    meaning="The pod asks its node's own servers, which know no name of the cluster.",
    template="{pod} asks the servers of its node {node} (dnsPolicy {policy}{why}), which know no name of the cluster",
    advice="Set dnsPolicy to ClusterFirst, for a pod in the host's network to ClusterFirstWithHostNet.",
)


@probe(
    answers=(AboutLookup,),
    codes=(RESOLVER_IS, RESOLVER_IS_OF_NODE),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.CLUSTER_DNS, Part.SYSTEM_WORKLOADS),
    hop=Hop.DNS,
)
def resolver_is_known(question: AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Tell the resolver of each distinct pod; of pods that are alike one."""
    source = resolve(question.source, facts, End.SOURCE, None, None)
    if source.obstacle:
        return
    said: set[Resolver] = set()
    for pod in (place.pod for place in places_of(source, facts) if place.pod):
        resolver = resolver_of(pod, service_of_dns(facts))
        if resolver not in said:
            said.add(resolver)
            yield _finding(pod, resolver, question.name, facts)


def _finding(pod: Pod, resolver: Resolver, name: str, facts: Facts) -> Finding:
    evidence = [Evidence("kubernetes", f"Pod/{pod}", "/spec/dnsPolicy")]
    if resolver.is_of_node:
        is_lost = bool(name) and (is_cluster_name(HostName(name)) or "." not in name)
        return RESOLVER_IS_OF_NODE.finding(
            Outcome.PROBLEM if is_lost else Outcome.FINE,
            hop=Hop.DNS,
            blocking=is_lost,
            evidence=evidence,
            weight=60,
            pod=str(pod),
            node=pod.node,
            policy=pod.resolver.policy,
            why=Sentence(" in the host's network") if pod.host_network else "",
        )
    return RESOLVER_IS.finding(
        Outcome.FINE,
        hop=Hop.DNS,
        evidence=evidence,
        pod=str(pod),
        servers=resolver.servers or ("servers that are not known",),
        search=resolver.search,
        ndots=resolver.ndots,
        also=_also(resolver, facts),
    )


def _also(resolver: Resolver, facts: Facts) -> Sentence | str:
    """Say that a cache on the node answers first, where one is seen."""
    look = facts.look(Part.SYSTEM_WORKLOADS)
    workloads = look.value if isinstance(look, Known) else ()
    is_cached = NODE_LOCAL_DNS in resolver.servers or any(one.name == "node-local-dns" for one in workloads)
    return Sentence("; NodeLocal DNSCache on its node answers first") if is_cached else ""
