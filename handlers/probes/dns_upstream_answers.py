"""The servers that the cluster's DNS forwards to answer it.

CoreDNS asks them for every name that is not the cluster's own. While they are silent it answers SERVFAIL after its
time-out, and names of the cluster go on resolving. Its log names the server; flows show what it asked and got.
"""

from collections.abc import Iterator

from handlers.commands.services import Services
from handlers.connection.dns import dns_pods
from handlers.connection.observation import clock
from handlers.lookups.upstream import Upstream, upstreams
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

DNS_UPSTREAM_SILENT = code(
    "DNS_UPSTREAM_SILENT",
    meaning="A server that the cluster's DNS forwards to does not answer: names outside fail, the cluster's own work.",
    template="The upstream {server} does not answer the cluster's DNS: {how}; external names fail, the cluster's own "
    "resolve",
    reason="the upstream {server} of the cluster's DNS does not answer",
    advice="Repair the path to the upstream: the node's resolver, a firewall on port 53, egress policies of CoreDNS.",
)
DNS_UPSTREAM_RECOVERED = code(
    "DNS_UPSTREAM_RECOVERED",
    meaning="The cluster's DNS had failures with an upstream that are over, or older than what is looked at.",
    template="The upstream {server} failed until {at} and {count} line{count:|s} of the log say{count:s|} so; not now",
)
DNS_UPSTREAM_ANSWERS = code(
    "DNS_UPSTREAM_ANSWERS",
    meaning="The upstreams of the cluster's DNS answer.",
    template="The upstream {server} answers the cluster's DNS, last at {at}",
)


@probe(
    answers=(AboutLookup, Services),
    codes=(DNS_UPSTREAM_SILENT, DNS_UPSTREAM_RECOVERED, DNS_UPSTREAM_ANSWERS),
    needs=(Part.PODS,),
    uses=(Part.FLOWS, Part.DNS_LOGS),
    hop=Hop.DNS,
)
def dns_upstream_answers(_question: AboutLookup | Services, facts: Facts) -> Iterator[Finding]:
    """Judge each server that was asked, or that a log complains of."""
    pods = dns_pods(facts)
    flows, logs = facts.look(Part.FLOWS), facts.look(Part.DNS_LOGS)
    found = upstreams(
        flows.value.flows if isinstance(flows, Known) else (),
        frozenset(ip for pod in pods for ip in pod.ips),
        logs.value if isinstance(logs, Known) else (),
    )
    for upstream in found:
        yield from _judge(upstream, facts)


def _judge(upstream: Upstream, facts: Facts) -> Iterator[Finding]:
    if upstream.is_silent(facts.now):
        yield DNS_UPSTREAM_SILENT.finding(
            Outcome.PROBLEM,
            hop=Hop.DNS,
            evidence=_evidence(upstream),
            weight=72,
            server=upstream.address,
            how=_how(upstream),
        )
    elif upstream.failed_at:
        yield DNS_UPSTREAM_RECOVERED.finding(
            Outcome.FINE,
            hop=Hop.DNS,
            evidence=_evidence(upstream),
            server=upstream.address,
            at=clock(upstream.failed_at),
            count=upstream.failures,
        )
    elif upstream.answered_at:
        yield DNS_UPSTREAM_ANSWERS.finding(
            Outcome.FINE, hop=Hop.DNS, server=upstream.address, at=clock(upstream.answered_at)
        )


def _how(upstream: Upstream) -> Sentence:
    waited = Sentence("{waits} queries went to it and no answer was seen since", {"waits": upstream.waits})
    if not upstream.failed_at:
        return waited
    told = Sentence(
        "{count} line{count:|s} of its log {count:says|say} so, the last at {at} ({line})",
        {"count": upstream.failures, "at": clock(upstream.failed_at), "line": upstream.line[:160]},
    )
    return Sentence("{told}; {waited}", {"told": told, "waited": waited}) if upstream.waits > 1 else told


def _evidence(upstream: Upstream) -> list[Evidence]:
    found = []
    if upstream.failed_at:
        found.append(Evidence("kubernetes", f"Pod/{upstream.pod}", "log", upstream.failed_at, upstream.line[:160]))
    if upstream.asked_at:
        found.append(Evidence("hubble", f"Address//{upstream.address}", at=upstream.asked_at))
    return found
