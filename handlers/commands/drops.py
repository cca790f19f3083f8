"""``drops``: what is dropped, grouped by cause."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, command
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.worst_first import worst_first
from handlers.model.endpoint import EndpointName
from handlers.model.facts import Facts, PartMissingError
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Known, Part
from handlers.names.grammar import End, Fresh, Since, Word, items
from handlers.names.resolve import End as Side
from handlers.names.resolve import resolve

USAGE = "drops [A|NAMESPACE] [since 15m] [fresh]"
_MOST_PODS = 40


@dataclass(frozen=True, slots=True)
class Drops:
    """What is dropped: of one endpoint, of one namespace, or everywhere (both None)."""

    endpoint: EndpointName | None = None
    namespace: str | None = None
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        about = str(self.endpoint or self.namespace or "")
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("drops", about, since)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the dropped flows in question, and all that explains them."""
        return Scope(
            all_namespaces=True,
            pods=(PodQuery(),),
            flows=self._flows(so_far),
            identities=(),
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
            policy_services=_policies_name_services(so_far) or None,
        )

    def _flows(self, so_far: Facts) -> FlowQuery | None:
        try:
            pods = self._pods(so_far)
        except PartMissingError:
            return None
        verdicts = ("DROPPED", "AUDIT")
        if pods is None:
            matches: tuple[FlowMatch, ...] = (FlowMatch(verdicts=verdicts),)
        else:
            matches = (
                FlowMatch(source_pods=pods, verdicts=verdicts),
                FlowMatch(destination_pods=pods, verdicts=verdicts),
            )
        return FlowQuery(matches, so_far.now - self.since, so_far.now)

    def _pods(self, so_far: Facts) -> tuple[str, ...] | None:
        if self.namespace:
            return (f"{self.namespace}/",)
        if self.endpoint is None:
            return None
        resolved = resolve(self.endpoint, so_far, Side.SOURCE, None, None)
        return tuple(str(pod) for pod in resolved.pods)[:_MOST_PODS]


def parse(text: str) -> Drops:
    """Read an endpoint or a namespace, and how far back.

    Raises:
        NotUnderstoodError: if more than one thing is named.
    """
    since, endpoint, namespace = DEFAULT_SPAN, None, None
    for item in items(text):
        match item:
            case Since(span=span):
                since = span
            case Fresh():
                pass
            case End(name=name) if endpoint is None and namespace is None:
                endpoint = name
            case Word(text=word) if endpoint is None and namespace is None:
                namespace = word.lower()
            case _:
                raise NotUnderstoodError("Name one endpoint or one namespace, or nothing.", USAGE, ("drops shop",))
    return Drops(endpoint, namespace, since)


def conclude(question: Drops, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how much is dropped and how few causes explain it."""
    groups = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    where = str(question.endpoint or question.namespace or "the cluster")
    window = span_in_words(question.since)
    if not groups:
        doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
        if doubts:
            return Conclusion(
                Sentence(
                    "Cannot tell what is dropped in {where}: " + doubts[0].sentence.template,
                    {**doubts[0].sentence.values, "where": where},
                )
            )
        return Conclusion(Sentence("No drops seen in {where} in the last {window}", {"where": where, "window": window}))
    total = sum(group.weight for group in groups)
    few, share = 0, 0
    while few < len(groups) and share * 100 < total * 95:
        share += groups[few].weight
        few += 1
    causes = "1 cause explains" if few == 1 else f"{few} causes explain"
    return Conclusion(
        Sentence(
            f"{{total}} drop{{total:|s}} in {{where}} in the last {{window}}; {causes} {share * 100 // total} %",
            {"total": total, "where": where, "window": window},
        )
    )


def arrange(findings: Iterable[Finding]) -> list[Finding]:
    """Order the groups by how many packets they dropped."""
    return worst_first(findings)


def _policies_name_services(so_far: Facts) -> bool:
    look = so_far.look(Part.POLICIES)
    return isinstance(look, Known) and any("toServices" in str(policy.manifest) for policy in look.value)


command(
    Command(
        name="drops",
        usage=USAGE,
        summary="What is dropped, grouped by cause and pair; each group opens into a why.",
        examples=("drops", "drops shop since 1h", "drops shop/cart"),
        question=Drops,
        parse=parse,
        conclude=conclude,
        arrange=arrange,
        keep=timedelta(seconds=30),
    )
)
