"""``audit``: which endpoints are in policy audit mode, and what would enforcing cut?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, worst_first
from handlers.commands.since import span_in_words
from handlers.commands.typed_namespace import typed_namespace
from handlers.connection.coverage import coverage_of, is_shorter, nodes_in_words
from handlers.connection.policies import some_policy_names_services
from handlers.flows.about import About
from handlers.flows.stopped import namespaces_of_stopped
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.flow import FlowVerdict
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Gap, Known

USAGE = "audit [NAMESPACE] [since 1h] [fresh]"
SPAN = timedelta(hours=1)
"""How far back is looked for what passed only because of audit mode, when nothing is said."""
MOST_AGENTS = 40
"""Agents asked in one run; the others are named as not asked."""
_MOST_NAMESPACES = 10
_MOST_PAIRS = 3
_POLICY = "Policy/"


@dataclass(frozen=True, slots=True)
class Audit:
    """What audits instead of enforcing: in one namespace, or everywhere (None)."""

    namespace: str | None = None
    since: timedelta = SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        since = "" if self.since == SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("audit", self.namespace, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the namespace, those at the other end of what was audited, and the agents of its pods' nodes."""
        namespaces = self._namespaces(so_far)
        everywhere = self.namespace is None or (namespaces is not None and len(namespaces) > _MOST_NAMESPACES)
        return Scope(
            namespaces=() if everywhere else namespaces,
            all_namespaces=everywhere,
            pods=(PodQuery(),) if everywhere else None if namespaces is None else tuple(map(PodQuery, namespaces)),
            nodes=self._agents(so_far),
            flows=FlowQuery(self.about.matches((FlowVerdict.AUDIT.value,)), so_far.now - self.since, so_far.now),
            policy_services=some_policy_names_services(so_far) or None,
        )

    def _namespaces(self, so_far: Facts) -> tuple[str, ...] | None:
        look = so_far.look(Part.FLOWS)
        if not isinstance(look, Known) and look.gap is Gap.NOT_ASKED:
            return None
        of_flows = namespaces_of_stopped(look.value.flows) if isinstance(look, Known) else frozenset()
        return tuple(sorted(of_flows | ({self.namespace} if self.namespace else set())))

    def _agents(self, so_far: Facts) -> tuple[str, ...] | None:
        concerned = attempt(lambda: self.concerned(so_far))
        if isinstance(concerned, Lacking):
            return None if concerned.missing.gap is Gap.NOT_ASKED else ()
        return concerned[:MOST_AGENTS]

    def concerned(self, so_far: Facts) -> tuple[str, ...]:
        """Return the nodes that carry endpoints in question.

        Raises:
            PartMissingError: if nodes, or of a namespace its pods, were not read.
        """
        if self.namespace is None:
            return tuple(node.name for node in so_far.nodes)
        pods = (pod for pod in so_far.pods if pod.namespace == self.namespace and pod.is_running)
        return tuple(dict.fromkeys(pod.node for pod in pods if pod.node and not pod.host_network))

    @property
    def about(self) -> About:
        """Whose flows are meant."""
        return About(pods=(f"{self.namespace}/",)) if self.namespace else About()


def parse(text: str) -> Audit:
    """Read a namespace, and how far back.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    namespace, span = typed_namespace(text, USAGE)
    return Audit(namespace, span or SPAN)


def conclude(question: Audit, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say who audits, and what turning it off would cut as far as flows and policies tell."""
    where = question.namespace or "the cluster"
    auditing = [finding for finding in findings if finding.code in ("AUDIT_ENDPOINT", "AUDIT_CLUSTER_WIDE")]
    cut = [finding for finding in findings if finding.code == "AUDIT_WOULD_CUT"]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    unsure = tuple(doubt.because for doubt in doubts[:1])
    if problems:
        named = tuple(dict.fromkeys(str(one.values["endpoint"]) for one in auditing if "endpoint" in one.values))
        values: dict[str, Value] = {"endpoints": nodes_in_words(named), "count": len(named), "where": where}
        claim = Sentence("{endpoints} {count:is|are} in audit mode, so policy is not enforced there", values)
        if not named:
            claim = Sentence("Policy is not enforced in {where}, since audit mode is on", values)
        effect = _cut(cut, auditing)
        return Conclusion(Headline(claim, reason=effect, seen=_memory(facts), remedy=problems[0].advice, more=unsure))
    blocking = [doubt for doubt in doubts if doubt.blocking]
    if blocking:
        claim = Sentence("whether anything in {where} is in audit mode", {"where": where}, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=blocking[0].because, remedy=blocking[0].advice))
    noted = next((one.sentence for one in auditing if one.code == "AUDIT_ENDPOINT"), None)
    claim = Sentence("No policy of {where} is held back by audit mode", {"where": where})
    return Conclusion(Headline(claim, reason=noted, more=unsure))


def _cut(cut: list[Finding], auditing: list[Finding]) -> Sentence:
    """Say whether it is safe to turn audit mode off: which pairs seen would be cut, and by how many policies."""
    pairs = [f"{one.values['source']} → {one.values['destination']} {one.values['port']}" for one in cut]
    policies = {policy for one in (*cut, *auditing) if one.outcome is Outcome.PROBLEM for policy in _policies(one)}
    more = len(pairs) - _MOST_PAIRS
    values: dict[str, Value] = {
        "pairs": (*pairs[:_MOST_PAIRS], f"{more} more") if more > 0 else tuple(pairs),
        "count": len(pairs),
        "policies": nodes_in_words(policies),
        "several": len(policies),
    }
    deny = "{several} polic{several:y|ies} would start to be enforced: {policies}" if policies else ""
    if not pairs:
        seen = "nothing was seen that turning it off would cut"
        return Sentence(f"{seen}; {deny}" if deny else seen, values)
    seen = "turning it off would cut {count} pair{count:|s}: {pairs}"
    return Sentence(f"{seen}; {deny}" if deny else seen, values)


def _policies(finding: Finding) -> tuple[str, ...]:
    refs = [one.ref for one in finding.evidence if one.source == "kubernetes" and _POLICY in one.ref]
    return tuple(ref.replace("/", " ", 1).replace(" /", " ") for ref in refs)


def _memory(facts: Facts) -> str:
    """Say which time and which nodes flows tell of."""
    look, nodes = facts.look(Part.FLOWS), facts.look(Part.NODES)
    if not isinstance(look, Known) or not isinstance(nodes, Known):
        return "flows could not be read: what would be cut is not known"
    coverage = coverage_of(look.value, (node.name for node in nodes.value))
    since = coverage.reaches if coverage.reaches and is_shorter(coverage, look.value) else look.value.since
    span = span_in_words(timedelta(seconds=max(1, int((facts.now - since).total_seconds()))))
    silent = f"; not heard: {', '.join(nodes_in_words(coverage.silent))}" if coverage.silent else ""
    return f"as flows of the last {span} tell{silent}"


COMMAND = Command(
    name="audit",
    usage=USAGE,
    summary="Which endpoints are in audit mode, what enforcing would cut, by policy: is it safe to turn off?",
    examples=("audit", "audit shop"),
    question=Audit,
    parse=parse,
    conclude=conclude,
    phrases=("audit mode", "audit|audited|auditing", "endpoint* audit mode"),
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset(
        {Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES, Part.AGENT_NAMES, Part.NAMED_PORTS, Part.WORKLOADS}
    ),
)
