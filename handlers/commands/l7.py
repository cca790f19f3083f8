"""``l7 POLICY`` and ``l7 A B``: does a proxy read the requests, and does it let only those pass that it should?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, left_over
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_connection import typed_connection
from handlers.commands.typed_span import without_span
from handlers.connection.l7_filters import L7Filter, filters_of_connection, filters_of_policy
from handlers.connection.scope import connection_scope
from handlers.connection.trial import Trial
from handlers.model.endpoint import Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Hop, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery, Scope
from handlers.names.grammar import End, Word, is_bare_name, items, without_leads

USAGE = "l7 NAMESPACE/POLICY [since 15m] | l7 A B [PORT] [http METHOD PATH] [since 15m] [fresh]"
MOST_AGENTS = 6
"""Agents asked about one policy; its pods on other nodes are named as not asked."""
MOST_PODS_IN_A_FILTER = 40
"""Pods named in a flow filter; beyond, the filter names their namespaces."""


class L7:
    """Either form of the question; ``filters`` of both tells where a proxy has to read."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class L7OfPolicy(L7):
    """Is a policy's L7 part in force? ``namespace`` is None for a cluster-wide policy."""

    namespace: str | None
    name: str
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        return f"l7 {self.called}{_since(self.since)}"

    @property
    def called(self) -> str:
        """Write ``namespace/name``."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def scope(self, so_far: Facts) -> Scope:
        """Return the pods that the policy may select, their agents, and the flows at those that it does."""
        found = attempt(lambda: self.filters(so_far))
        pods = () if isinstance(found, Lacking) else tuple({str(one.pod): one.pod for one in found}.values())
        nodes = tuple(dict.fromkeys(pod.node for pod in pods if pod.node))
        names = tuple(map(str, pods))
        if len(names) > MOST_PODS_IN_A_FILTER:
            names = tuple(dict.fromkeys(f"{pod.namespace}/" for pod in pods))
        matches = (FlowMatch(destination_pods=names), FlowMatch(source_pods=names))
        is_known = not isinstance(found, Lacking)
        return Scope(
            namespaces=(self.namespace,) if self.namespace else None,
            all_namespaces=self.namespace is None,
            pods=(PodQuery(namespace=self.namespace),),
            nodes=nodes[:MOST_AGENTS] if is_known else None,
            flows=FlowQuery(matches, so_far.now - self.since, so_far.now) if is_known and names else None,
        )

    def filters(self, facts: Facts) -> tuple[L7Filter, ...]:
        """Return what the policy has read at each pod that it selects."""
        return filters_of_policy(self.namespace, self.name, facts)


@dataclass(frozen=True, slots=True)
class L7OfConnection(AboutConnection, L7):
    """Is what the source asks of the destination read by a proxy, and what does it let pass?"""

    hops: ClassVar[frozenset[Hop] | None] = frozenset(
        {Hop.RESOLVE, Hop.SERVICE, Hop.EGRESS_POLICY, Hop.INGRESS_POLICY, Hop.L7}
    )
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        return f"l7 {self.connection}{_since(self.since)}"

    @property
    def called(self) -> str:
        """Name both ends."""
        return self.connection.in_words

    def scope(self, so_far: Facts) -> Scope:
        """Return how wide to read: as for any connection."""
        return connection_scope(self.connection, self.since, so_far)

    def filters(self, facts: Facts) -> tuple[L7Filter, ...]:
        """Return what is read at either end."""
        return filters_of_connection(Trial(self.connection, facts))


def _since(span: timedelta) -> str:
    return "" if span == DEFAULT_SPAN else f" since {span_in_words(span)}"


def parse(text: str) -> L7OfPolicy | L7OfConnection:
    """Read a policy, or two ends.

    Raises:
        NotUnderstoodError: if neither is named, or a word is left over.
    """
    span, left = without_span(without_leads(items(text)))
    since = span or DEFAULT_SPAN
    match left:
        case []:
            raise NotUnderstoodError("Name a policy, or two ends.", USAGE)
        case [End(name=Named(namespace=str(namespace), name=name, kind=None), port=None)]:
            return L7OfPolicy(namespace, name, since)
        case [Word(text=name, port=None) as word] if is_bare_name(word):
            return L7OfPolicy(None, name.lower(), since)
        case [_]:
            raise left_over(left, USAGE)
    connection, asked_since = typed_connection(text, USAGE)
    return L7OfConnection(connection, asked_since or DEFAULT_SPAN)


def conclude(question: L7OfPolicy | L7OfConnection, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say whether requests are read and filtered as the policies say."""
    values = {"called": question.called}
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    in_doubt = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    doubts = [finding for finding in in_doubt if finding.blocking]
    if problems:
        worst = problems[0]
        claim = Sentence("Requests of {called} are not filtered as policy says", values)
        if worst.code in ("L7_REFUSED", "L7_REFUSES"):
            claim = Sentence("The proxy refuses requests of {called}", values)
        return Conclusion(Headline(claim, place=worst.hop, reason=worst.because, remedy=worst.advice))
    if doubts:
        claim = Sentence("whether requests of {called} are filtered", values, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, place=doubts[0].hop, reason=doubts[0].because, remedy=doubts[0].advice))
    if any(finding.code == "L7_NOTHING_TO_READ" for finding in findings):
        claim = Sentence("No L7 rule is about {called}: no proxy reads its requests", values)
        return Conclusion(Headline(claim))
    return Conclusion(Headline(Sentence("The proxy reads the requests of {called} and filters them", values)))


def arrange(findings: Iterable[Finding]) -> list[Finding]:
    """Order by illness, then by weight, what stops the filter first."""
    return sorted(findings, key=lambda finding: (finding.outcome.order, -finding.weight, finding.text))


COMMAND = Command(
    name="l7",
    usage=USAGE,
    summary="L7 policy: valid, redirected, Envoy running, requests seen and refused, and what lifts the filter.",
    examples=("l7 shop/catalog-l7", "l7 shop/frontend shop/catalog 80"),
    question=L7,
    parse=parse,
    conclude=conclude,
    phrases=("l7 policy|policies|rule|rules|filter", "http policy|rule|rules", "envoy proxy"),
    arrange=arrange,
    keep=timedelta(seconds=60),
    leave_out=frozenset({Part.ALL_POLICIES, Part.IDENTITIES}),
)
