"""The cluster's DNS servers run: the Service before them has a ready endpoint.

Without one every name fails, those of the cluster and those outside, while addresses go on working; no policy has
anything to do with it, and Hubble shows no drop.
"""

from collections.abc import Iterator

from handlers.connection.change_words import change_in_words
from handlers.connection.dns import DNS_NAMESPACE, name_looked_up
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.trial import Trial
from handlers.lookups.resolver import resolver_of
from handlers.lookups.servers import Servers, dns_servers
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection, AboutLookup, AboutNodes
from handlers.model.snapshot import Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

DNS_SERVERS_DOWN = code(
    "DNS_SERVERS_DOWN",
    meaning="The Service of the cluster's DNS has no ready endpoint: no name resolves, addresses work.",
    template="Service {service} of the cluster's DNS has 0 ready backends ({why}): every name fails, addresses work, "
    "and no policy is the cause",
    reason="Service {service} has 0 ready backends ({why})",
    advice="Bring CoreDNS back: look at its Deployment (replicas), its pods and their events.",
)
DNS_SERVERS_UNKNOWN = code(
    "DNS_SERVERS_UNKNOWN",
    meaning="No Service with the label k8s-app=kube-dns was found, so which servers answer is not known.",
    template="No DNS Service was found in {namespace} (label k8s-app=kube-dns); who answers names here is not known",
)
DNS_SERVERS_RUN = code(
    "DNS_SERVERS_RUN",
    meaning="The Service of the cluster's DNS has ready endpoints.",
    template="Service {service} of the cluster's DNS has {count} ready backend{count:|s}",
)


@probe(
    answers=(AboutLookup, AboutNodes, AboutConnection),
    codes=(DNS_SERVERS_DOWN, DNS_SERVERS_UNKNOWN, DNS_SERVERS_RUN),
    uses=(*PARTS, *OPTIONAL_PARTS, *LEG_PARTS, Part.CLUSTER_DNS, Part.SYSTEM_WORKLOADS),
    hop=Hop.DNS,
    blocking=True,
)
def dns_servers_run(question: AboutLookup | AboutNodes | AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge each Service of the cluster's DNS; they are the whole cluster's, so one node's question leaves them out."""
    if isinstance(question, AboutNodes) and question.node is not None:
        return
    if isinstance(question, AboutConnection):
        yield from _stopped(question, facts)
        return
    found = dns_servers(facts)
    for servers in found:
        yield _judge(servers)
    if not found and isinstance(question, AboutLookup):
        yield DNS_SERVERS_UNKNOWN.finding(Outcome.UNKNOWN, hop=Hop.DNS, namespace=DNS_NAMESPACE)


def _stopped(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Tell of a connection only what stops it: that nobody answers the look-up which its source begins with."""
    ends = needed(Trial(question.connection, facts).ends)
    if isinstance(facts.look(Part.CLUSTER_DNS), Missing) or not ends.are_clear or name_looked_up(ends) is None:
        return
    found = dns_servers(facts)
    if ends.destination.service in [servers.service for servers in found]:
        return  # the Service itself is asked about, and judged as one
    addresses = {ip for servers in found for ip in servers.service.cluster_ips}
    pods = [place.pod for place in places_of(ends.source, facts) if place.pod]
    asked = {ip for pod in pods for ip in resolver_of(pod, found[0].service).servers} if found else set()
    if asked & addresses and not any(servers.ready for servers in found):
        yield from map(_judge, found)


def _judge(servers: Servers) -> Finding:
    service, runner = servers.service, servers.runner
    evidence = [Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", "/spec")]
    if servers.ready:
        return DNS_SERVERS_RUN.finding(
            Outcome.FINE, hop=Hop.DNS, evidence=evidence, service=str(service), count=len(servers.ready)
        )
    if runner:
        ref = f"{runner.kind}/{runner.namespace}/{runner.name}"
        evidence.append(Evidence("kubernetes", ref, "/spec/replicas"))
    if change := servers.change:
        pointer = "/metadata/managedFields"
        evidence.append(Evidence("kubernetes", change.ref, pointer, at=change.at, excerpt=change.manager))
    return DNS_SERVERS_DOWN.finding(
        Outcome.PROBLEM,
        hop=Hop.DNS,
        blocking=True,
        evidence=evidence,
        weight=88,
        follow_up=f"service {service}",
        service=str(service),
        why=_why(servers),
    )


def _why(servers: Servers) -> Sentence:
    runner, change = servers.runner, servers.change
    told = change_in_words(change) if change else None
    if runner and runner.replicas == 0:
        words = Sentence("{kind} {name} wants 0 replicas", {"kind": str(runner.kind), "name": runner.name})
    elif runner:
        words = Sentence(
            "{kind} {name} has {ready} of {wanted} replicas ready",
            {"kind": str(runner.kind), "name": runner.name, "ready": runner.ready or 0, "wanted": runner.replicas},
        )
    elif servers.unready:
        words = Sentence("{count} that {count:is|are} not ready", {"count": len(servers.unready)})
    else:
        words = Sentence("no pod stands behind it")
    return Sentence("{words}; {told}", {"words": words, "told": told}) if told else words
