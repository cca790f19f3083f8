"""The names that the endpoint looks up resolve.

Flows show names and answers where queries pass the agent's proxy. Of names that are tried under search suffixes most
do not exist (``ndots``): that is how resolvers work, and no fault, unless nothing of what was tried exists.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from handlers.connection.coverage import coverage_of, nodes_in_words
from handlers.connection.dns import dns_pods
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.observation import clock
from handlers.connection.places import Place, PlaceKind
from handlers.connection.seen import is_at
from handlers.lookups.candidates import nearest_names
from handlers.lookups.resolver import CLUSTER_DOMAIN, resolver_of
from handlers.lookups.seen import DNS_PORT, Fate, Lookup, is_wrong, lookups_in, names_queried, packets_in
from handlers.lookups.servers import service_of_dns
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.flow import Flow
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

LOOKUPS_FAIL = code(
    "LOOKUPS_FAIL",
    meaning="The cluster's DNS answers SERVFAIL, or not at all: it cannot get the names from where it forwards to.",
    template="{names} {count:gets|get} {how} for {subject}, last at {at}{rest}",
    reason="{names} {count:gets|get} {how}{rest}",
    advice="Look at the cluster's DNS (its log) and at the upstream that it forwards to (ConfigMap coredns, forward).",
)
LOOKUP_NAME_WRONG = code(
    "LOOKUP_NAME_WRONG",
    meaning="A name does not exist, neither as it is nor under any search suffix: it is misspelt.",
    template="{name} does not exist: {subject} got NXDOMAIN for it under every search suffix, last at {at}{nearest}",
    reason="{name} does not exist under any search suffix{nearest}",
    advice="Correct the name where it is configured: SERVICE.NAMESPACE for a Service of another namespace.",
)
LOOKUPS_UNANSWERED = code(
    "LOOKUPS_UNANSWERED",
    meaning="Packets to port 53 left, and nothing came back.",
    template="{count} quer{count:y|ies} of {subject} {count:was|were} sent since {since}, and no answer was seen",
    advice="Look at the cluster's DNS pods, and at the path to their nodes.",
)
LOOKUPS_ANSWERED = code(
    "LOOKUPS_ANSWERED",
    meaning="The names that were looked up resolve.",
    template="{count} name{count:|s} that {subject} looked up {count:resolves|resolve} ({names}), last at {at}",
)
LOOKUPS_NOISE = code(
    "LOOKUPS_NOISE",
    meaning="NXDOMAIN for names under search suffixes: the resolver tries these before the name that was meant.",
    template="{count} NXDOMAIN answer{count:|s} to {subject} {count:is|are} tries under search suffixes "
    "(ndots {ndots}), and no fault",
)
LOOKUPS_UNNAMED = code(
    "LOOKUPS_UNNAMED",
    meaning="Queries are not proxied, so flows show that they are answered, and not which names.",
    template="{sent} quer{sent:y|ies} of {subject} {sent:was|were} sent and {answered} answered; which names is seen "
    "only where a DNS rule sends them through the proxy",
)
LOOKUPS_OF_NO_POD = code(
    "LOOKUPS_OF_NO_POD",
    meaning="No running pod with an address of its own stands behind the name: nothing tells the look-ups of a host.",
    template="{subject} has no running pod with an address of its own: flows and policies of pods tell nothing of its "
    "look-ups",
    advice="Ask for a pod on that node; look at the node's own /etc/resolv.conf.",
)
LOOKUPS_NONE = code(
    "LOOKUPS_NONE",
    meaning="No query of the endpoint was seen.",
    template="No query of {subject} was seen{short}",
)

_SHOWN = 4
_LONG = timedelta(seconds=1)


@probe(
    answers=(AboutLookup,),
    codes=(
        LOOKUPS_FAIL,
        LOOKUP_NAME_WRONG,
        LOOKUPS_UNANSWERED,
        LOOKUPS_ANSWERED,
        LOOKUPS_NOISE,
        LOOKUPS_UNNAMED,
        LOOKUPS_NONE,
        LOOKUPS_OF_NO_POD,
    ),
    needs=(*PARTS, Part.FLOWS),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.CLUSTER_DNS, Part.SYSTEM_WORKLOADS),
    hop=Hop.DNS,
    blocking=True,
)
def lookups_succeed(question: AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Tell each kind of failure once, with the names that it met, and what works beside it."""
    source = resolve(question.source, facts, End.SOURCE, None, None)
    places = [place for place in places_of(source, facts) if place.kind is PlaceKind.POD and place.pod]
    if source.obstacle:
        return
    subject = str(question.source)
    if not places:
        yield LOOKUPS_OF_NO_POD.finding(Outcome.UNKNOWN, hop=Hop.DNS, blocking=True, subject=subject)
        return
    mine = [flow for flow in facts.flows.flows if _is_of(flow, places)]
    records = [flow for flow in mine if flow.dns]
    pod = places[0].pod
    resolver = resolver_of(pod, service_of_dns(facts)) if pod else None
    if records and resolver:
        lookups = lookups_in(records, resolver, facts.flows.until)
        asked = [one for one in lookups if question.name in ("", one.name) or _is_under(one, question.name)]
        queried = names_queried(records)
        wrong = [one for one in asked if is_wrong(one, queried, resolver)]
        yield from _failed(asked, lookups, subject, places, facts)
        for lookup in wrong[:_SHOWN]:
            yield _wrong(lookup, subject, places[0], facts)
        yield from _fine(asked, subject, resolver.ndots)
        return
    yield _packets(mine, places, subject, facts)


def _is_of(flow: Flow, places: Sequence[Place]) -> bool:
    asks = flow.destination.port == DNS_PORT and any(is_at(flow.source, place) for place in places)
    return asks or (flow.source.port == DNS_PORT and any(is_at(flow.destination, place) for place in places))


def _is_under(lookup: Lookup, name: str) -> bool:
    return lookup.name.startswith(f"{name}.") or f"{lookup.name}.".startswith(f"{name}.svc.{CLUSTER_DOMAIN}.")


def _failed(
    asked: Sequence[Lookup], every: Sequence[Lookup], subject: str, places: Sequence[Place], facts: Facts
) -> Iterator[Finding]:
    evidence = [Evidence("hubble", f"Pod/{place.pod}") for place in places[:_SHOWN]]
    for fate in (Fate.FAILED, Fate.ERROR, Fate.SILENCE):
        failed = [one for one in asked if one.fate is fate]
        if not failed:
            continue
        took = max((one.took for one in failed if one.took), default=None)
        slow = f" after about {round(took.total_seconds())} s" if took and took >= _LONG else ""
        how = f"error {failed[-1].rcode}" if fate is Fate.ERROR else str(fate)
        at = failed[-1].at
        yield LOOKUPS_FAIL.finding(
            Outcome.PROBLEM,
            hop=Hop.DNS,
            blocking=True,
            evidence=[Evidence("hubble", one.ref, at=at, excerpt=f"{failed[-1].name}: {how}") for one in evidence],
            weight=70,
            follow_up="service kube-system/kube-dns",
            names=_names(failed),
            count=len(failed),
            how=f"{how}{slow}",
            subject=subject,
            at=clock(at),
            rest=_rest(failed, every),
        )


def _rest(failed: Sequence[Lookup], every: Sequence[Lookup]) -> Sentence | str:
    """Return what the failing names have in common, where the others tell it."""
    inside = [one for one in every if one.query.endswith(CLUSTER_DOMAIN) and one.fate is Fate.ANSWERED]
    if inside and not any(one.query.endswith(CLUSTER_DOMAIN) for one in failed):
        return Sentence("; external names only: {inside} resolves", {"inside": inside[-1].name})
    return ""


def _wrong(lookup: Lookup, subject: str, place: Place, facts: Facts) -> Finding:
    namespace = place.pod.namespace if place.pod else ""
    near = nearest_names(lookup.name, namespace, facts)
    return LOOKUP_NAME_WRONG.finding(
        Outcome.PROBLEM,
        hop=Hop.DNS,
        evidence=[Evidence("hubble", f"Pod/{place.pod}", at=lookup.at, excerpt=f"{lookup.name}: NXDOMAIN")],
        weight=40,
        name=lookup.name,
        subject=subject,
        at=clock(lookup.at),
        nearest=Sentence("; nearest is {near}", {"near": near}) if near else "",
    )


def _fine(lookups: Sequence[Lookup], subject: str, ndots: int) -> Iterator[Finding]:
    answered = [one for one in lookups if one.fate is Fate.ANSWERED]
    if answered:
        yield LOOKUPS_ANSWERED.finding(
            Outcome.FINE,
            hop=Hop.DNS,
            count=len(answered),
            subject=subject,
            names=_names(answered),
            at=clock(answered[-1].at),
        )
    noise = sum(one.noise for one in lookups if one.fate is not Fate.NOT_THERE)
    if noise:
        yield LOOKUPS_NOISE.finding(Outcome.FINE, hop=Hop.DNS, count=noise, subject=subject, ndots=ndots)


def _names(lookups: Sequence[Lookup]) -> tuple[str, ...]:
    return nodes_in_words(one.name for one in lookups)


def _packets(mine: Sequence[Flow], places: Sequence[Place], subject: str, facts: Facts) -> Finding:
    """Judge packets alone: answered, unanswered, or none; drops are judged with the policy that made them."""
    log = facts.flows
    servers = {str(pod) for pod in dns_pods(facts)}
    packets = packets_in(
        [flow for flow in mine if flow.destination.port == DNS_PORT],
        [flow for flow in mine if flow.source.port == DNS_PORT],
    )
    if packets.is_unanswered(log) and servers and packets.last_sent_at:
        since = packets.last_answer_at or log.since
        return LOOKUPS_UNANSWERED.finding(
            Outcome.PROBLEM,
            hop=Hop.DNS,
            evidence=[Evidence("hubble", f"Pod/{places[0].pod}", at=packets.last_sent_at)],
            weight=60,
            count=packets.sent,
            subject=subject,
            since=clock(since),
        )
    if packets.sent:
        return LOOKUPS_UNNAMED.finding(
            Outcome.FINE, hop=Hop.DNS, subject=subject, sent=packets.sent, answered=packets.answered
        )
    silent = coverage_of(log, {place.node for place in places if place.node}).silent
    short = Sentence("; {nodes} were not heard", {"nodes": nodes_in_words(silent)}) if silent else ""
    return LOOKUPS_NONE.finding(
        Outcome.UNKNOWN if silent else Outcome.NOT_APPLICABLE,
        hop=Hop.DNS,
        blocking=bool(silent),
        subject=subject,
        short=short,
    )
