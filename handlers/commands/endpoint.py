"""``endpoint A``: what Cilium made of a pod, what it enforces, or why there is no endpoint."""

from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, left_over, worst_first
from handlers.connection.scope import name_scope
from handlers.endpoints.asked import Asked, endpoints_asked, pods_meant
from handlers.endpoints.rows import table_of
from handlers.model.endpoint import Entity, HostName
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutEndpoint
from handlers.model.scope import Scope
from handlers.names.grammar import End, Fresh, items

USAGE = "endpoint A [fresh]"
_MOST_AGENTS = 40


@dataclass(frozen=True, slots=True)
class EndpointOf(AboutEndpoint):
    """How are the endpoints of a pod, a workload, a Service or an address?"""

    def __str__(self) -> str:
        """Return the normal form."""
        return f"endpoint {self.endpoint}"

    def scope(self, so_far: Facts) -> Scope:
        """Return the namespace that the name means, with its policies, and the agents of its pods."""
        pods = attempt(lambda: pods_meant(self.endpoint, so_far)[1])
        nodes = None if isinstance(pods, Lacking) else tuple(dict.fromkeys(pod.node for pod in pods if pod.node))
        return replace(name_scope(self.endpoint, so_far), nodes=nodes and nodes[:_MOST_AGENTS], identities=())


def parse(text: str) -> EndpointOf:
    """Read one endpoint.

    Raises:
        NotUnderstoodError: if none is named, or a word is left over.
    """
    found = [item for item in items(text) if not isinstance(item, Fresh)]
    match found:
        case []:
            raise NotUnderstoodError("Name one pod, workload, Service or address.", USAGE)
        case [End(name=name, port=None)] if not isinstance(name, Entity | HostName):
            return EndpointOf(name)
        case [End(name=name, port=None), *odd] if odd and not isinstance(name, Entity | HostName):
            raise left_over(odd, USAGE)
    raise left_over(found, USAGE)


def conclude(question: EndpointOf, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say whether the endpoints are made, ready and enforced; the table has each of them."""
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    asked = attempt(lambda: endpoints_asked(question.endpoint, facts))
    known = asked if isinstance(asked, Asked) else None
    tables = (table_of(known),) if known and known.endpoints else ()
    notes = (known.found.note,) if known and known.found.note else ()
    candidates = tuple(f"endpoint {one}" for one in known.found.candidates) if known else ()
    title = known.found.title if known and known.found.obstacle is None else str(question.endpoint)
    values: dict[str, Value] = {"title": title, "count": len(problems)}
    if problems:
        claim = Sentence("{title}: {count} problem{count:|s, the worst}", values)
        headline = Headline(
            claim, reason=problems[0].because, remedy=problems[0].advice, more=tuple(one.because for one in doubts[:1])
        )
    elif any(doubt.blocking for doubt in doubts):
        claim = Sentence("how the endpoints of {title} are", values, lead=CANNOT_TELL)
        headline = Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice)
    elif known and known.made:
        count = len(known.made)
        claim = Sentence(
            "{title}: {made} endpoint{made: is|s are} ready and as policy wants {made:it|them}",
            {**values, "made": count},
        )
        headline = Headline(claim)
    else:
        headline = Headline(findings[0].sentence if findings else Sentence("{title} has no endpoints", values))
    return Conclusion(headline, notes=notes, candidates=candidates, tables=tables)


COMMAND = Command(
    name="endpoint",
    usage=USAGE,
    summary="The endpoint of a pod: state, identity, enforcement, audit mode, regeneration; or why it was never made.",
    examples=("endpoint shop/cart", "endpoint shop/pod/redis-0", "endpoint 10.0.1.17"),
    question=EndpointOf,
    parse=parse,
    phrases=(
        "endpoint|endpoints -policy -policies -identity -drops",
        "stuck containercreating|creating",
        "pod stuck containercreating",
        "containercreating",
        "pod|pods stuck|pending",
    ),
    conclude=conclude,
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset({Part.FLOWS, Part.RELAY, Part.AGENT_NAMES, Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES}),
)
