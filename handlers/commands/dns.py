"""``dns A [NAME]``: do the names that an endpoint looks up resolve, and if not, who fails?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, Reading, left_over
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_span import without_span
from handlers.connection.dns import DNS_APP, DNS_NAMESPACE, DNS_PORT, dns_pods
from handlers.connection.scope import connection_scope
from handlers.model.connection import Connection
from handlers.model.endpoint import EndpointName, Entity, HostName, Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.model.scope import FlowMatch, FlowQuery, Scope
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol
from handlers.names.grammar import End, Item, Word, is_bare_name, items, without_leads
from handlers.names.lexicon import Cue
from handlers.sentence.tokens import Said

USAGE = "dns A [NAME] [since 15m] [fresh]"


@dataclass(frozen=True, slots=True)
class Dns(AboutLookup):
    """Do look-ups of the endpoint work: of one name, or of whatever it asks for?"""

    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("dns", str(self.source), self.name, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return what the way to the cluster's DNS is judged by, its packets, and those of its servers to theirs."""
        dns = Named(DNS_NAMESPACE, DNS_APP, Kind.SERVICE)
        base = connection_scope(Connection(self.source, dns, DNS_PORT, Protocol.UDP), self.since, so_far)
        return replace(
            base,
            all_policies=None,
            identities=(),
            flows=self._flows(base.flows, so_far) if base.flows else None,
        )

    def _flows(self, own: FlowQuery, so_far: Facts) -> FlowQuery:
        """Add what the servers ask others, and whose queries else are dropped, to the flows of the endpoint."""
        servers = attempt(lambda: tuple(str(pod) for pod in dns_pods(so_far) if not pod.host_network))
        of_servers: tuple[FlowMatch, ...] = ()
        if not isinstance(servers, Lacking) and servers:
            of_servers = (
                FlowMatch(source_pods=servers, destination_ports=(DNS_PORT,)),
                FlowMatch(source_ports=(DNS_PORT,), destination_pods=servers),
            )
        dropped = FlowMatch(destination_ports=(DNS_PORT,), verdicts=("DROPPED",))
        return FlowQuery((*own.any_of, *of_servers, dropped), own.since, own.until)


def parse(text: str) -> Dns:
    """Read an endpoint, a name, and how far back.

    Raises:
        NotUnderstoodError: if no endpoint is named, or a word is left over.
    """
    source: EndpointName | None = None
    name = ""
    odd: list[Item] = []
    span, words = without_span(without_leads(items(text)))
    for item in words:
        match item:
            case End(name=found, port=None) if source is None and not isinstance(found, Entity | HostName):
                source = found
            case Word(text=word, port=None) if source is None and is_bare_name(item):
                source = Named(None, word.lower())
            case End(name=HostName(name=host), port=None) if source is not None and not name:
                name = host.rstrip(".").lower()
            case End(name=Named(namespace=str(space), name=service), port=None) if source is not None and not name:
                name = f"{service}.{space}.svc.cluster.local"
            case Word(text=word, port=None) if source is not None and not name and is_bare_name(item):
                name = word.lower()
            case _:
                odd.append(item)
    if odd:
        raise left_over(odd, USAGE)
    if source is None:
        raise NotUnderstoodError("Name who looks names up.", USAGE)
    return Dns(source, name, span or DEFAULT_SPAN)


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence about the look-ups of one endpoint; one that names what is looked up is about a connection."""
    if not sentence.has(Cue.LOOK_UP) or sentence.has(Cue.POLICY):
        return None
    ends = [token.item.name for token in sentence.tokens if isinstance(token.item, End) and token.item.port is None]
    sources = [name for name in ends if isinstance(name, Named) and name.namespace and name.kind is not Kind.NODE]
    if len(sources) != 1 or len(ends) != 1 or sentence.odd:
        return None
    since = sentence.span.span if sentence.span else DEFAULT_SPAN
    return Reading((Dns(sources[0], "", since),), 4)


def conclude(question: Dns, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say whether look-ups work, and who fails where they do not."""
    who = str(question.source)
    about = {"who": who, "name": question.name}
    problems = sorted(
        (one for one in findings if one.outcome is Outcome.PROBLEM), key=lambda one: (not one.blocking, -one.weight)
    )
    doubts = [one for one in findings if one.outcome in (Outcome.UNKNOWN, Outcome.BROKEN) and one.blocking]
    told = {one.code for one in problems}
    is_denied = bool(told & _DENIED) and "LOOKUPS_DROPPED" not in told
    noted = tuple(one.sentence for one in findings if one.code == "CHANGED_BY" and is_denied)
    if problems:
        what = "{name} does not resolve for {who}" if question.name else "Look-ups of {who} fail"
        why, remedy = problems[0].because, problems[0].advice
        more = (*(one.sentence for one in (*problems[1:3], *doubts[:1])), *noted)
        return Conclusion(
            Headline(Sentence(what, about), reason=why, remedy=remedy, more=more, assumed=_assumed(facts))
        )
    if doubts:
        what = "whether {name} resolves for {who}" if question.name else "whether look-ups of {who} work"
        claim = Sentence(what, about, lead=CANNOT_TELL)
        why, remedy = doubts[0].because, doubts[0].advice
        return Conclusion(Headline(claim, reason=why, remedy=remedy, assumed=_assumed(facts)))
    seen = next((one.sentence for one in findings if one.code in _SEEN), None)
    what = "Nothing stops {who} from looking up {name}" if question.name else "Nothing stops look-ups of {who}"
    more = (seen,) if seen is not None else ()
    return Conclusion(Headline(Sentence(what, about), more=(*more, *noted), assumed=_assumed(facts)))


_SEEN = ("LOOKUPS_ANSWERED", "LOOKUPS_UNNAMED", "LOOKUPS_NONE")
_DENIED = {"DNS_DENIED", "DNS_NAME_REFUSED", "LOOKUPS_REFUSED"}


def _assumed(facts: Facts) -> str:
    """Name a log that could not be read: it would tell an upstream that fails."""
    look = facts.look(Part.DNS_LOGS)
    logs = look.value if isinstance(look, Known) else ()
    return next((f"the servers' log says nothing ({log.missing})" for log in logs if log.lines is None), "")


def arrange(findings: Iterable[Finding]) -> list[Finding]:
    """Order by what hurts, then along the way."""
    return sorted(
        findings,
        key=lambda one: (one.outcome.order, not one.blocking, -one.weight, one.hop.order if one.hop else 99),
    )


COMMAND = Command(
    name="dns",
    usage=USAGE,
    summary="Do names resolve for an endpoint? Its resolver, policy, the proxy, the cluster's DNS and its upstream.",
    examples=("dns shop/frontend", "dns payments/checkout api.stripe.com"),
    question=Dns,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    arrange=arrange,
    keep=timedelta(seconds=30),
    leave_out=frozenset({Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES, Part.NAMED_PORTS, Part.API_SERVER}),
)
