"""``services [NAMESPACE]``: which Services have nobody ready behind them?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, left_over, worst_first
from handlers.commands.since import DEFAULT_SPAN
from handlers.commands.typed_namespace import typed_namespace
from handlers.connection.dns import DNS_NAMESPACE
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery, Scope
from handlers.names.grammar import items

_OF_DNS = f"{DNS_NAMESPACE}/"
_LOOKUPS = (
    FlowMatch(source_pods=(_OF_DNS,), destination_ports=(53,)),
    FlowMatch(destination_pods=(_OF_DNS,), source_ports=(53,)),
)
USAGE = "services [NAMESPACE] [fresh]"


@dataclass(frozen=True, slots=True)
class Services:
    """Do all Services lead somewhere: of one namespace, or everywhere (None)?"""

    namespace: str | None = None

    def __str__(self) -> str:
        """Return the normal form."""
        return " ".join(filter(None, ("services", self.namespace)))

    def scope(self, so_far: Facts) -> Scope:
        """Return the Services with their pods, and for the whole cluster what its DNS asked outside; no agents."""
        lookups = FlowQuery(_LOOKUPS, so_far.now - DEFAULT_SPAN, so_far.now)
        return Scope(
            namespaces=(self.namespace,) if self.namespace else (),
            all_namespaces=self.namespace is None,
            pods=(PodQuery(namespace=self.namespace),),
            flows=None if self.namespace else lookups,
            is_without_flows=self.namespace is not None,
        )


def parse(text: str) -> Services:
    """Read an optional namespace.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    namespace, span = typed_namespace(text, USAGE)
    if span is not None:
        raise left_over(items(text), USAGE)
    return Services(namespace)


def conclude(question: Services, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Count the Services that lead nowhere; what could not be read leads nobody knows where."""
    values: dict[str, Value] = {"where": question.namespace or "the cluster"}
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    doubts = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    if problems:
        claim = Sentence("{count} problem{count:|s} with Services of {where}", {**values, "count": len(problems)})
        return Conclusion(Headline(claim, reason=problems[0].because, remedy=problems[0].advice))
    if doubts:
        claim = Sentence("whether the Services of {where} lead somewhere", values, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=doubts[0].because, remedy=doubts[0].advice))
    return Conclusion(Headline(Sentence("Every Service of {where} that selects pods leads to one", values)))


COMMAND = Command(
    name="services",
    usage=USAGE,
    summary="Which Services have nobody ready behind them, or refuse clients on some nodes?",
    examples=("services", "services shop"),
    question=Services,
    parse=parse,
    conclude=conclude,
    phrases=("services broken|empty|unready", "services without|no backends|endpoints", "list|show services"),
    arrange=worst_first,
    keep=timedelta(seconds=30),
)
