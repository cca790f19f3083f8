"""The source can look the destination's name up.

Before a client dials a name it asks the cluster's DNS. An egress default deny that forgets port 53 breaks every name
though the path itself is open, and a DNS rule that does not list the name makes the agent's proxy answer REFUSED. What
a ``toFQDNs`` rule allows is learnt from the answers that pass the proxy, so without a DNS rule it learns nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from handlers.connection.clause_words import nearest_in_words
from handlers.connection.dns import (
    DNS_NAMESPACE,
    dropped_queries,
    failed_lookup,
    name_looked_up,
    query_flows,
    refused_queries,
)
from handlers.connection.judgement import dns_decisions
from handlers.connection.legs import LEG_PARTS, Leg, places_of
from handlers.connection.observation import clock
from handlers.connection.parties import parties_of
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, config_assumption
from handlers.connection.policy_findings import evidence_of, policies_named
from handlers.connection.trial import Trial
from handlers.model.decision import Decision, DnsNameDiffers, Redirect, Verdict
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.party import PartyKind
from handlers.model.question import AboutConnection, AboutLookup
from handlers.model.rule import Origin
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, Meaning, resolve
from handlers.probes.probe import probe

DNS_DENIED = code(
    "DNS_DENIED",
    meaning="Egress policy of the source denies its DNS queries, so no name resolves.",
    template="{subject} cannot look up {name}: its DNS (53/UDP to {server}) is denied by {policies}",
    reason="{names} allows no look-up (53/UDP), so nothing tells the address of {name}",
    advice="Allow egress to the cluster's DNS on port 53; the path itself is judged below.",
)
DNS_NAME_REFUSED = code(
    "DNS_NAME_REFUSED",
    meaning="Queries pass the agent's proxy by a DNS rule that does not list this name: the answer is REFUSED.",
    template="{subject} may not look up {name}: the proxy answers REFUSED, since {rules} lists other names",
    reason="the DNS rule of {names} does not list {name}, so the proxy answers REFUSED",
    advice="Add the name, or a pattern that covers it, to the DNS rule. A * does not cross a dot.",
)
DNS_UNDECIDED = code(
    "DNS_UNDECIDED",
    meaning="Whether the source may ask the cluster's DNS cannot be told.",
    template="Whether {subject} may look up {name} cannot be told: {reason}",
)
DNS_QUERIES_DROPPED = code(
    "DNS_QUERIES_DROPPED",
    meaning="DNS queries of the source were dropped, though policy as it stands allows them.",
    template="{count} DNS quer{count:y|ies} of {subject} {count:was|were} dropped until {at}, though policy allows it",
    advice="Ask drops of the DNS servers: a full map or a lost node drops what policy allows.",
)
DNS_FAILS = code(
    "DNS_FAILS",
    meaning="Policy lets the source look the name up, and the look-up fails: DNS itself or its upstream is in trouble.",
    template="{subject} looks up {name} and gets no address: {how}, last at {at}",
    reason="{name} does not resolve: {how}",
    advice="Look at the cluster's DNS and at the upstream that it forwards to (its log, its ConfigMap).",
)
DNS_ALLOWED = code(
    "DNS_ALLOWED",
    meaning="The source may look the name up.",
    template="{subject} may look up {name}",
)


@probe(
    answers=(AboutConnection, AboutLookup),
    codes=(DNS_DENIED, DNS_NAME_REFUSED, DNS_UNDECIDED, DNS_QUERIES_DROPPED, DNS_FAILS, DNS_ALLOWED),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.DNS,
    blocking=True,
)
def dns_answers(question: AboutConnection | AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Judge the look-up of each distinct source; nothing where an address or a pod is dialled."""
    if isinstance(question, AboutLookup):
        source, name, asks_names = resolve(question.source, facts, End.SOURCE, None, None), question.name, True
        is_outside = False
        if source.obstacle:
            return
    else:
        ends = needed(Trial(question.connection, facts).ends)
        looked_up = name_looked_up(ends) if ends.are_clear else None
        if looked_up is None:
            return
        source, name, asks_names = ends.source, looked_up, False
        is_outside = ends.destination.meaning is Meaning.HOST_NAME
    said: set[str] = set()
    for place in places_of(source, facts):
        for finding in _judge(place, name, is_outside=is_outside, asks_names=asks_names, facts=facts):
            if finding.text not in said:
                said.add(finding.text)
                yield finding


def _judge(place: Place, name: str, *, is_outside: bool, asks_names: bool, facts: Facts) -> Iterator[Finding]:
    if place.kind is not PlaceKind.POD:
        return
    leg = Leg(place, place, Protocol.UDP, 53)
    for source in parties_of(leg, at_source=True, learns_names=False, facts=facts):
        if source.party.kind not in (PartyKind.ENDPOINT, PartyKind.INIT):
            continue
        decisions = dns_decisions(source.party, name, facts)
        if not decisions:
            # Of look-ups another check tells whether anybody answers.
            if not asks_names:
                yield _no_server(place, name, is_outside=is_outside)
            continue
        # A client asks one server after the other, so the best one counts; Service load balancing picks any of them.
        worst = min(decisions, key=lambda decision: _RANK.get(decision.verdict, 1))
        finding = _finding(worst, place, name, facts, asks_names=asks_names)
        assumption = config_assumption(facts)
        yield replace(finding, assumptions=(*finding.assumptions, assumption)) if assumption else finding


_RANK = {Verdict.DENIED: 0, Verdict.DENIED_L7: 0, Verdict.ALLOWED: 2, Verdict.NOT_APPLICABLE: 2}


_ANY_NAME = "any name"
_ALLOW_DNS = "Allow egress to the cluster's DNS on port 53, UDP and TCP."


def _no_server(place: Place, name: str, *, is_outside: bool) -> Finding:
    return DNS_UNDECIDED.finding(
        Outcome.UNKNOWN,
        hop=Hop.DNS,
        blocking=is_outside,
        subject=_who(place),
        name=name or _ANY_NAME,
        reason=f"no running pod of the cluster DNS was found in {DNS_NAMESPACE}",
    )


def _finding(decision: Decision, place: Place, name: str, facts: Facts, *, asks_names: bool) -> Finding:
    shown = name or _ANY_NAME
    who, server = _who(place), str(decision.peer)
    miss = decision.nearest_miss
    match decision.verdict:
        case Verdict.DENIED if not decision.audited:
            finding = DNS_DENIED.finding(
                Outcome.PROBLEM,
                hop=Hop.DNS,
                blocking=True,
                evidence=evidence_of(decision, facts),
                subject=who,
                name=shown,
                policies=policies_named(decision),
                names=_names(decision.default_deny_by or decision.rules),
                server=server,
                advice=_ALLOW_DNS if asks_names else None,
            )
            return replace(finding, detail=nearest_in_words(miss, decision.peer)) if miss else finding
        case Verdict.DENIED_L7:
            clauses = miss.clauses if miss else ()
            origins = [clause.origin for clause in clauses if isinstance(clause, DnsNameDiffers)] or list(
                decision.rules
            )
            finding = DNS_NAME_REFUSED.finding(
                Outcome.PROBLEM,
                hop=Hop.DNS,
                blocking=True,
                evidence=[Evidence("kubernetes", str(origin.policy), origin.pointer) for origin in origins],
                subject=who,
                name=shown,
                names=_names(origins),
                rules=tuple(f"{origin.policy.kind} {origin.policy.short} {origin.pointer}" for origin in origins),
            )
            return replace(finding, detail=nearest_in_words(miss, decision.peer)) if miss else finding
        case Verdict.UNKNOWN | Verdict.ERROR:
            return DNS_UNDECIDED.finding(
                Outcome.UNKNOWN,
                hop=Hop.DNS,
                blocking=True,
                evidence=evidence_of(decision, facts),
                subject=who,
                name=shown,
                reason=", ".join(str(fact) for fact in decision.missing) or "its rules contradict each other",
            )
    return _seen(decision, place, name, facts, asks_names=asks_names)


def _seen(decision: Decision, place: Place, name: str, facts: Facts, *, asks_names: bool) -> Finding:
    """Policy allows it; say so, unless the flows disagree. Of look-ups another check tells what was seen."""
    flows = () if asks_names else query_flows(place, facts)
    dropped = dropped_queries(flows)
    refused = refused_queries(name, flows)
    if dropped or refused:
        at = max([*(drop.last_at for drop in dropped), *(flow.time for flow in refused)])
        passed = max((flow.time for flow in flows if flow.verdict not in ("DROPPED",)), default=None)
        if passed is None or at > passed:
            return DNS_QUERIES_DROPPED.finding(
                Outcome.PROBLEM,
                hop=Hop.DNS,
                evidence=[Evidence("hubble", f"Pod/{place.pod}", at=at)],
                subject=_who(place),
                count=sum(drop.count for drop in dropped) + len(refused),
                at=clock(at),
            )
    if not asks_names and (failed := failed_lookup(place, name, facts)):
        return DNS_FAILS.finding(
            Outcome.PROBLEM if failed.rcode else Outcome.UNKNOWN,
            hop=Hop.DNS,
            blocking=True,
            evidence=[Evidence("hubble", f"Pod/{place.pod}", at=failed.at)],
            subject=_who(place),
            name=name,
            how=failed.in_words,
            at=clock(failed.at),
        )
    proxied = ("queries pass the agent's DNS proxy, which learns the addresses",)
    return DNS_ALLOWED.finding(
        Outcome.FINE,
        hop=Hop.DNS,
        blocking=True,
        evidence=evidence_of(decision, facts),
        subject=_who(place),
        name=name or _ANY_NAME,
        assumptions=proxied if decision.redirect is Redirect.DNS else (),
    )


def _names(origins: Iterable[Origin]) -> tuple[str, ...]:
    """Return the first policy by name: a headline has no room for all."""
    return tuple(dict.fromkeys(origin.policy.name for origin in origins))[:1] or ("enforcement set to always",)


def _who(place: Place) -> str:
    return place.title.removeprefix("pod ")
