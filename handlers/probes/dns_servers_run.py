"""The cluster's DNS servers run: the Service before them has a ready endpoint.

Without one every name fails, those of the cluster and those outside, while addresses go on working; no policy has
anything to do with it, and Hubble shows no drop.
"""

from collections.abc import Iterator

from handlers.connection.dns import DNS_NAMESPACE
from handlers.lookups.server_findings import DNS_SERVERS_DOWN, DNS_SERVERS_RUN, judged
from handlers.lookups.servers import dns_servers
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutLookup, AboutNodes
from handlers.probes.probe import probe

DNS_SERVERS_UNKNOWN = code(
    "DNS_SERVERS_UNKNOWN",
    meaning="No Service with the label k8s-app=kube-dns was found, so which servers answer is not known.",
    template="No DNS Service was found in {namespace} (label k8s-app=kube-dns); who answers names here is not known",
)


@probe(
    answers=(AboutLookup, AboutNodes),
    codes=(DNS_SERVERS_DOWN, DNS_SERVERS_UNKNOWN, DNS_SERVERS_RUN),
    needs=(Part.CLUSTER_DNS,),
    uses=(Part.SYSTEM_WORKLOADS,),
    hop=Hop.DNS,
    blocking=True,
)
def dns_servers_run(question: AboutLookup | AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Judge each Service of the cluster's DNS; they are the whole cluster's, so one node's question leaves them out."""
    if isinstance(question, AboutNodes) and question.node is not None:
        return
    found = dns_servers(facts)
    yield from map(judged, found)
    if not found and isinstance(question, AboutLookup):
        yield DNS_SERVERS_UNKNOWN.finding(Outcome.UNKNOWN, hop=Hop.DNS, namespace=DNS_NAMESPACE)
