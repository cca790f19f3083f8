"""``changes``: what changed, and did drops begin after it?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.changes.history import history, table_of
from handlers.commands.command import Command, Conclusion, worst_first
from handlers.commands.since import span_in_words
from handlers.commands.typed_namespace import typed_namespace
from handlers.connection.coverage import coverage_of, is_shorter
from handlers.connection.policies import some_policy_names_services
from handlers.flows.about import About
from handlers.flows.stopped import STOPPED, namespaces_of_stopped
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Gap, Known

USAGE = "changes [NAMESPACE] [since 1h] [fresh]"
SPAN = timedelta(hours=1)
"""How far back changes are looked for when nothing is said: further than most nodes remember flows."""
_MOST_NAMESPACES = 10
"""Namespaces that are listed one by one; the lists of more are read whole."""
_MOST_FLOWS = 100_000
_DELETED = "What was deleted, or changed again by the same manager, leaves no trace here."


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in one namespace and around it, or anywhere (None), held against the first drops there."""

    namespace: str | None = None
    since: timedelta = SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        since = "" if self.since == SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("changes", self.namespace, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the namespace, those of the ends of what is dropped there, and flows.

        Of one namespace all flows are read: those that passed before tell how packets looked then. Of all namespaces
        only drops are, for more would reach back less far.
        """
        namespaces = self._namespaces(so_far)
        everywhere = self.namespace is None or (namespaces is not None and len(namespaces) > _MOST_NAMESPACES)
        verdicts = STOPPED if self.namespace is None else ()
        matches = self.about.matches(verdicts)
        return Scope(
            namespaces=() if everywhere else namespaces,
            all_namespaces=everywhere,
            pods=(PodQuery(),) if everywhere else None if namespaces is None else tuple(map(PodQuery, namespaces)),
            nodes=(),
            flows=FlowQuery(matches, so_far.now - self.since, so_far.now, limit=_MOST_FLOWS),
            policy_services=some_policy_names_services(so_far) or None,
        )

    def _namespaces(self, so_far: Facts) -> tuple[str, ...] | None:
        """Return the namespaces to read, None before the flows tell whose packets are dropped."""
        look = so_far.look(Part.FLOWS)
        if not isinstance(look, Known) and look.gap is Gap.NOT_ASKED:
            return None
        of_drops = namespaces_of_stopped(look.value.flows) if isinstance(look, Known) else frozenset()
        return tuple(sorted(of_drops | ({self.namespace} if self.namespace else set())))

    @property
    def about(self) -> About:
        """Whose flows are meant."""
        return About(pods=(f"{self.namespace}/",)) if self.namespace else About()

    def witnesses(self, so_far: Facts) -> tuple[str, ...]:
        """Return the nodes that would have seen drops. Raises PartMissingError if they were not read."""
        return self.about.seen_by(so_far.nodes)


def parse(text: str) -> Changes:
    """Read a namespace, and how far back.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    namespace, span = typed_namespace(text, USAGE)
    return Changes(namespace, span or SPAN)


def conclude(question: Changes, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say after which change drops began, or that nothing is dropped; and show what changed, newest first."""
    events = attempt(lambda: history(question.namespace, facts.now - question.since, facts))
    where = question.namespace or "the cluster"
    span = span_in_words(question.since)
    values: dict[str, Value] = {"where": where, "span": span}
    told = () if isinstance(events, Lacking) else events
    tables = (table_of(told, f"What changed in {where} in the last {span}, newest first"),) if told else ()
    notes = (_DELETED,)
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    unread = tuple(finding.sentence for finding in findings if finding.code == "CHANGES_UNREAD")
    if problems:
        first = next((finding for finding in problems if finding.code == "CHANGE_BEGAN_DROPS"), problems[0])
        names = ("source", "destination", "port", "began")
        claim = Sentence(
            "{source} → {destination} on {port} is dropped, {began}", {key: first.values.get(key) for key in names}
        )
        others = Sentence("{count} more pair{count: is|s are} dropped", {"count": len(problems) - 1})
        more = (*((others,) if len(problems) > 1 else ()), *(doubt.because for doubt in doubts[:1]))
        return Conclusion(
            Headline(claim, reason=first.because, remedy=first.advice, more=more), tables=tables, notes=notes
        )
    blocking = [doubt for doubt in doubts if doubt.blocking]
    if blocking:
        claim = Sentence("what in {where} went wrong after which change", values, lead=CANNOT_TELL)
        headline = Headline(claim, reason=blocking[0].because, remedy=blocking[0].advice, more=unread)
        return Conclusion(headline, tables=tables, notes=notes)
    values["count"] = len(told)
    words = "{count} change{count:|s} in {where} in the last {span}, and nothing is dropped"
    claim = Sentence(words if told else "Nothing changed in {where} in the last {span}, and nothing is dropped", values)
    return Conclusion(Headline(claim, seen=_memory(facts), more=unread), tables=tables, notes=notes)


def _memory(facts: Facts) -> str:
    """Say how far back drops would have been seen, where that is less than was asked."""
    look = facts.look(Part.FLOWS)
    nodes = facts.look(Part.NODES)
    if not isinstance(look, Known) or not isinstance(nodes, Known):
        return ""
    coverage = coverage_of(look.value, (node.name for node in nodes.value))
    if coverage.reaches is None or not is_shorter(coverage, look.value):
        return ""
    span = span_in_words(timedelta(seconds=max(1, int((facts.now - coverage.reaches).total_seconds()))))
    return f"flows of the last {span} only: {coverage.shortest} remembers no more"


COMMAND = Command(
    name="changes",
    usage=USAGE,
    summary="What changed, by whom and when, against the first drop: policies, labels, Services, rollouts, nodes.",
    examples=("changes", "changes shop", "changes payments since 2h"),
    question=Changes,
    parse=parse,
    conclude=conclude,
    phrases=("what|who changed -whatif", "recent changes", "changes since|in|before", "who deployed|applied|edited"),
    arrange=worst_first,
    keep=timedelta(seconds=30),
    leave_out=frozenset(
        {
            Part.AGENT_IDENTITIES,
            Part.AGENT_ADDRESSES,
            Part.AGENT_NAMES,
            Part.AGENT_ENDPOINTS,
            Part.NAMED_PORTS,
            Part.WORKLOADS,
        }
    ),
)
