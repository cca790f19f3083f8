"""``drops``: what is dropped, grouped by cause."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.commands.command import Command, Conclusion, Reading, left_over, worst_first
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_span import without_span
from handlers.connection.coverage import coverage_of, is_shorter
from handlers.connection.drop_groups import namespaces_of_end
from handlers.connection.policies import some_policy_names_services
from handlers.connection.scope import name_scope
from handlers.flows.about import About, about_of
from handlers.model.endpoint import EndpointName, Kind, Named
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Finding, Outcome, Sentence, Value, prose
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Gap, Known
from handlers.model.table import Table
from handlers.names.grammar import End, Item, Word, is_bare_name, items, without_leads
from handlers.names.lexicon import Cue
from handlers.names.resolve import End as Side
from handlers.sentence.subject import several, subjects_in
from handlers.sentence.tokens import Said

USAGE = "drops [A|NAMESPACE|NODE] [since 15m] [fresh]"
_VERDICTS = ("DROPPED", "AUDIT")
_MOST_ROWS = 20
_MOST_NAMESPACES = 10
"""Namespaces that are listed one by one; the lists of more are read whole."""


@dataclass(frozen=True, slots=True)
class Drops:
    """What is dropped: of one endpoint, of one namespace, on one node, or everywhere (both None).

    A node is an endpoint like others, or a word that is the name of no namespace.
    """

    endpoint: EndpointName | None = None
    namespace: str | None = None
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        about = str(self.endpoint or self.namespace or "")
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("drops", about, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the dropped flows in question, and what explains them: the policies and pods of their ends.

        What an endpoint means only its pods tell, so for one they are read before the flows, those of everybody.
        """
        namespaces = None if self._is_of_pods else self._namespaces(so_far)
        everywhere = self._is_of_pods or (namespaces is not None and len(namespaces) > _MOST_NAMESPACES)
        within = None if namespaces is None else tuple(PodQuery(namespace=one) for one in namespaces)
        return Scope(
            namespaces=namespaces,
            all_namespaces=everywhere,
            pods=(PodQuery(),) if everywhere else within,
            flows=self._flows(so_far),
            all_services=(self.endpoint is not None and name_scope(self.endpoint, so_far).all_services) or None,
            policy_services=some_policy_names_services(so_far) or None,
        )

    @property
    def _is_of_pods(self) -> bool:
        is_node = isinstance(self.endpoint, Named) and self.endpoint.kind is Kind.NODE
        return self.endpoint is not None and not is_node

    def _namespaces(self, so_far: Facts) -> tuple[str, ...] | None:
        """Return the namespaces of all ends of the flows, none where no flow comes, None before that is known."""
        look = so_far.look(Part.FLOWS)
        if isinstance(look, Known):
            ends = (end for flow in look.value.flows for end in (flow.source, flow.destination))
            return tuple(sorted({space for end in ends for space in namespaces_of_end(end)}))
        if look.gap is not Gap.NOT_ASKED:
            return ()
        about = attempt(lambda: self.about(so_far))
        will_come = about is not None if not isinstance(about, Lacking) else about.missing.gap is Gap.NOT_ASKED
        return None if will_come else ()

    def _flows(self, so_far: Facts) -> FlowQuery | None:
        about = attempt(lambda: self.about(so_far))
        if about is None or isinstance(about, Lacking):
            return None
        return FlowQuery(about.matches(_VERDICTS), so_far.now - self.since, so_far.now)

    def about(self, so_far: Facts) -> About | None:
        """Return whose drops are meant, None for a name that means nothing of which drops can be told.

        Raises:
            PartMissingError: if a part that tells the name was not read.
        """
        return about_of(self.endpoint, self.namespace, so_far, Side.SOURCE)

    def witnesses(self, so_far: Facts) -> tuple[str, ...] | None:
        """Return the nodes that would have seen such drops, None for a name that means nothing.

        Raises:
            PartMissingError: if a part that tells the name was not read.
        """
        about = self.about(so_far)
        return about.seen_by(so_far.nodes) if about else None


def parse(text: str) -> Drops:
    """Read an endpoint, a namespace or a node, and how far back.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    endpoint: EndpointName | None = None
    namespace: str | None = None
    odd: list[Item] = []
    span, words = without_span(without_leads(items(text)))
    for item in words:
        is_named = endpoint is not None or namespace is not None
        match item:
            case End(name=name, port=None) if not is_named:
                endpoint = name
            case Word(text=word) if not is_named and is_bare_name(item):
                namespace = word.lower()
            case _:
                odd.append(item)
    if odd:
        raise left_over(odd, USAGE)
    return Drops(endpoint, namespace, span or DEFAULT_SPAN)


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence about drops, or one that names an endpoint and says nothing else that can be asked."""
    subjects = subjects_in(sentence)
    since = sentence.span.span if sentence.span else DEFAULT_SPAN
    asked = tuple(Drops(subject.endpoint, subject.namespace, since) for subject in subjects)
    denied = any(token.text.lower() in ("denied", "blocked", "rejected") for token in sentence.tokens)
    if sentence.has(Cue.DROPS) or (denied and (sentence.has(Cue.SENT) or "what" in sentence.words)):
        return Reading(asked, 3, several(len(asked))) if asked else None
    if asked and asked[0].endpoint is not None:
        return Reading(asked, 1, f"What about {asked[0].endpoint}? Name the other end, or choose one of these.")
    return None


def conclude(question: Drops, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how much is dropped and how few causes explain it; nothing seen is an all-clear only if all were heard."""
    groups = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    values: dict[str, Value] = {"where": str(question.endpoint or question.namespace or "the cluster")}
    look = facts.look(Part.FLOWS)
    about = attempt(lambda: question.about(facts))
    reach = None
    seen_by = attempt(lambda: about.seen_by(facts.nodes)) if isinstance(about, About) else None
    if isinstance(look, Known) and isinstance(seen_by, tuple):
        reach = coverage_of(look.value, seen_by)
    is_short = isinstance(look, Known) and reach is not None and is_shorter(reach, look.value)
    span = facts.now - reach.reaches if is_short and reach and reach.reaches else question.since
    values["window"] = span_in_words(timedelta(seconds=max(1, int(span.total_seconds()))))
    memory = Sentence("{node} remembers no more than that", {"node": reach.shortest}) if is_short and reach else None
    more = tuple(filter(None, (memory, _audited(findings))))
    if groups:
        headline = Headline(_counted(groups, values), more=(*more, *(doubt.because for doubt in doubts[:1])))
        return Conclusion(headline, tables=(_table([one for one in groups if one.weight]),))
    if doubts or reach is None:
        claim = Sentence("what is dropped in {where}", values, lead=CANNOT_TELL)
        if not doubts:
            return Conclusion(Headline(claim, reason=prose("no node was heard")))
        if reach is not None:
            more = (Sentence("the others dropped nothing in the last {window}", values), *more)
        return Conclusion(Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice, more=more))
    return Conclusion(Headline(Sentence("No drops seen in {where} in the last {window}", values), more=more))


def _by_cause(groups: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """Return the causes, those of most packets first: who denies on whose side, or another reason."""
    alike: dict[str, list[Finding]] = {}
    for group in groups:
        alike.setdefault(str(group.values.get("cause") or group.code), []).append(group)
    return sorted(alike.items(), key=lambda cause: (-_packets(cause[1]), cause[0]))


def _packets(groups: Iterable[Finding]) -> int:
    return sum(group.weight for group in groups)


def _counted(groups: list[Finding], values: dict[str, Value]) -> Sentence:
    """Count drops, and the causes that explain nearly all of them."""
    total = _packets(groups)
    few, share = 0, 0
    for _, alike in _by_cause(groups):
        if share * 100 < total * 95:
            few, share = few + 1, share + _packets(alike)
    return Sentence(
        "{total} drop{total:|s} in {where} in the last {window}; {few} cause{few: explains|s explain} {share} %",
        {**values, "total": total, "few": few, "share": share * 100 // total},
    )


def _table(groups: list[Finding]) -> Table:
    """Return a row for each cause: packets, their share of all, between how many pairs, from when to when."""
    causes, total = _by_cause(groups), _packets(groups)
    rows = tuple(
        (
            cause,
            _packets(alike),
            round(100 * _packets(alike) / total, 1),
            sum(int(str(one.values.get("pairs") or 1)) for one in alike),
            _clock(min(str(one.values.get("first")) for one in alike)),
            _clock(max(str(one.values.get("last")) for one in alike)),
        )
        for cause, alike in causes[:_MOST_ROWS]
    )
    columns = ("cause", "packets", "%", "pairs", "first", "last")
    return Table("Drops by cause", columns, rows, left_out=len(causes) - len(rows))


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%H:%M:%S} UTC"


def _audited(findings: tuple[Finding, ...]) -> Sentence | None:
    count = sum(finding.weight for finding in findings if finding.code == "WOULD_DROP")
    words = "{count} packet{count:|s} passed only because of audit mode"
    return Sentence(words, {"count": count}) if count else None


COMMAND = Command(
    name="drops",
    usage=USAGE,
    summary="What is dropped, grouped by cause and pair; each group opens into a why.",
    examples=("drops", "drops shop since 1h", "drops shop/cart"),
    question=Drops,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
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
