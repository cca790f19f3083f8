"""``service NS/SVC [PORT]``: what stands behind a Service, and does every node send there?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.balancing.tables import backend_table, node_table
from handlers.commands.command import Command, Conclusion, NotUnderstoodError, left_over
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_span import without_span
from handlers.connection.backends import selected_pods
from handlers.connection.scope import connection_scope
from handlers.model.connection import Connection
from handlers.model.endpoint import EndpointName, Entity, EntityName, Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutService
from handlers.model.scope import FlowMatch, FlowQuery, Scope
from handlers.model.table import Table
from handlers.names.grammar import (
    End,
    Item,
    PortAsked,
    Word,
    is_bare_name,
    items,
    without_leads,
)
from handlers.names.resolve import End as Side
from handlers.names.resolve import Resolved, resolve

USAGE = "service NAMESPACE/SERVICE [PORT[/PROTO]] [since 15m] [fresh]"
MOST_AGENTS = 40
"""Agents whose load balancing is compared; the others are named as not asked."""
_MOST_PODS = 40


@dataclass(frozen=True, slots=True)
class ServicePath(AboutService):
    """Does the Service lead somewhere, from every node? ``since`` is how far back drops at its backends count."""

    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        port = f"{self.port}/{self.protocol}" if self.protocol and self.port else str(self.port or "")
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("service", str(self.service), port, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return what a connection from anybody would be judged by, and the agents that balance for it."""
        anybody = Connection(Entity(EntityName.WORLD), self.service, self.port, self.protocol)
        found = attempt(lambda: self.resolved(so_far))
        return replace(
            connection_scope(anybody, self.since, so_far),
            identities=(),
            all_policies=None,
            nodes=None if isinstance(found, Lacking) else self._nodes(found, so_far),
            flows=None if isinstance(found, Lacking) else self._flows(found, so_far),
        )

    def resolved(self, facts: Facts) -> Resolved:
        """Return what the name means.

        Raises:
            PartMissingError: if a part that tells it was not read.
        """
        return resolve(self.service, facts, Side.DESTINATION, self.port, self.protocol)

    def _nodes(self, found: Resolved, so_far: Facts) -> tuple[str, ...] | None:
        """Return the nodes whose agents are asked, those with pods behind the Service first."""
        nodes = attempt(lambda: [node.name for node in so_far.nodes])
        if isinstance(nodes, Lacking):
            return None
        if found.service is None:
            return ()
        pods = selected_pods(found.service, so_far.pods)
        near = dict.fromkeys(pod.node for pod in pods if pod.node in nodes)
        return tuple(dict.fromkeys(name for name in (*near, *nodes) if name))[:MOST_AGENTS]

    def _flows(self, found: Resolved, so_far: Facts) -> FlowQuery:
        """Return the flows to the pods behind the Service; of one without pods, what is sent to its address."""
        service = found.service
        pods = tuple(str(pod) for pod in selected_pods(service, so_far.pods) if not pod.host_network) if service else ()
        if len(pods) > _MOST_PODS and service:
            pods = (f"{service.namespace}/",)
        ips = () if pods else found.addresses or ("0.0.0.0",)  # noqa: S104 - an address that no flow has
        return FlowQuery((FlowMatch(destination_pods=pods, destination_ips=ips),), so_far.now - self.since, so_far.now)


def parse(text: str) -> ServicePath:
    """Read a Service, a port, and how far back.

    Raises:
        NotUnderstoodError: if no Service is named, or a word is left over.
    """
    name: EndpointName | None = None
    port: PortAsked | None = None
    odd: list[Item] = []
    span, words = without_span(without_leads(items(text)))
    for item in words:
        match item:
            case PortAsked() if port is None and not (item.protocol and item.protocol.is_icmp):
                port = item
            case End(name=found, port=behind) if name is None and not isinstance(found, Entity):
                name, port = _as_service(found), behind or port
            case Word(text=word, port=behind) if name is None and is_bare_name(item):
                name, port = Named(None, word.lower(), Kind.SERVICE), behind or port
            case _:
                odd.append(item)
    if odd:
        raise left_over(odd, USAGE)
    if name is None:
        raise NotUnderstoodError("Name one Service.", USAGE)
    asked = port or PortAsked(None, None)
    return ServicePath(name, asked.port, asked.protocol, span or DEFAULT_SPAN)


def _as_service(name: EndpointName) -> EndpointName:
    return replace(name, kind=Kind.SERVICE) if isinstance(name, Named) and name.kind is None else name


def conclude(question: ServicePath, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say whether the Service leads somewhere, and what is wrong with it."""
    found = attempt(lambda: question.resolved(facts))
    service = found.service if isinstance(found, Resolved) else None
    title = f"Service {service}" if service else str(question.service)
    problems = _worst(findings, Outcome.PROBLEM)
    doubts = [one for one in (*_worst(findings, Outcome.BROKEN), *_worst(findings, Outcome.UNKNOWN)) if one.blocking]
    works = next((one.sentence for one in findings if one.code == "SERVICE_HAS_BACKENDS"), None)
    tables = tuple(_tables(question, found, facts)) if isinstance(found, Resolved) else ()
    if problems:
        claim = Sentence("{title} has {count} problem{count:|s, the worst}", {"title": title, "count": len(problems)})
        changed = [one for one in findings if one.code == "CHANGED_BY" and _is_young(one, question, facts)]
        more = tuple(one.sentence for one in (*problems[1:3], *doubts[:1], *changed[:1]))
        why, remedy = problems[0].because, problems[0].advice
        return Conclusion(Headline(claim, reason=why, remedy=remedy, more=more), tables=tables)
    if service is None or (doubts and works is None):
        lead = Sentence("what is behind {title}", {"title": title}, lead=CANNOT_TELL)
        reason = doubts[0] if doubts else None
        return Conclusion(
            Headline(lead, reason=reason.because if reason else None, remedy=reason.advice if reason else ""),
            candidates=found.candidates if isinstance(found, Resolved) else (),
            tables=tables,
        )
    more = tuple(doubt.sentence for doubt in doubts[:1])
    return Conclusion(Headline(works or Sentence("{title} is there", {"title": title}), more=more), tables=tables)


def _is_young(change: Finding, question: ServicePath, facts: Facts) -> bool:
    """Whether a change is within the time that is looked at."""
    return any(one.at and facts.now - one.at <= question.since for one in change.evidence)


def _worst(findings: tuple[Finding, ...], outcome: Outcome) -> list[Finding]:
    """Return the findings of an outcome: what stops traffic first."""
    return sorted((one for one in findings if one.outcome is outcome), key=lambda one: (not one.blocking, -one.weight))


def _tables(question: ServicePath, found: Resolved, facts: Facts) -> Iterator[Table]:
    for table in (
        attempt(lambda: backend_table(question, found, facts)),
        attempt(lambda: node_table(question, found, facts)),
    ):
        if isinstance(table, Table):
            yield table


COMMAND = Command(
    name="service",
    usage=USAGE,
    summary="What stands behind a Service, and whether every node sends there: ports, backends, policies, maps.",
    examples=("service shop/cart", "service shop/cart 8080", "service kube-system/kube-dns 53/udp"),
    question=ServicePath,
    parse=parse,
    conclude=conclude,
    phrases=(
        "service|svc backend|backends",
        "backends|endpoints behind|of -policy",
        "service|svc endpoint|endpoints -policy",
        "service|svc selector|nodeport|loadbalancer",
        "why service|svc no backend|backends|endpoint|endpoints",
    ),
    keep=timedelta(seconds=30),
    leave_out=frozenset({Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES, Part.NAMED_PORTS, Part.API_SERVER}),
)
