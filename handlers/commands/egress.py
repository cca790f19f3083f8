"""``egress A DEST``: how does traffic of A leave the cluster, through which gateway, and as whom is it seen outside?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from handlers.commands.command import Command, Conclusion, worst_first
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_connection import typed_connection
from handlers.connection.corrections import corrections_of
from handlers.connection.scope import connection_scope
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, Lacking
from handlers.model.finding import Finding, Hop, Outcome, Sentence, Value
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.scope import Scope
from handlers.names.resolve import Resolved

USAGE = "egress A DEST [PORT[/PROTO]] [since 15m] [fresh]"


@dataclass(frozen=True, slots=True)
class Egress(AboutConnection):
    """How does the source of the connection leave the cluster? ``since`` is how far back flows are looked at."""

    hops: ClassVar[frozenset[Hop] | None] = frozenset(
        {Hop.RESOLVE, Hop.DNS, Hop.EGRESS_POLICY, Hop.EGRESS_GATEWAY, Hop.AGENTS}
    )
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        since = "" if self.since == DEFAULT_SPAN else f" since {span_in_words(self.since)}"
        return f"egress {self.connection}{since}"

    def scope(self, so_far: Facts) -> Scope:
        """Return how wide to read: as for any connection, the gateways' agents included."""
        return connection_scope(self.connection, self.since, so_far)


def parse(text: str) -> Egress:
    """Read two ends and the port.

    Raises:
        NotUnderstoodError: if there are not exactly two ends, or a word is left over.
    """
    connection, span = typed_connection(text, USAGE)
    return Egress(connection, span or DEFAULT_SPAN)


def conclude(question: Egress, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say what is wrong on the way out; where nothing is, which way it goes and as whom it is seen."""
    trial = Trial(question.connection, facts)
    ends = trial.ends
    problems = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    in_doubt = (finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN))
    doubts = [finding for finding in in_doubt if finding.blocking]
    if isinstance(ends, Lacking) or not ends.are_clear:
        unresolved = next((finding for finding in doubts if finding.hop is Hop.RESOLVE), None)
        claim = unresolved.sentence if unresolved else Sentence("what the names mean", lead=CANNOT_TELL)
        candidates = () if isinstance(ends, Lacking) else tuple(_candidates(question, ends.source, ends.destination))
        return Conclusion(Headline(claim, remedy=unresolved.advice if unresolved else ""), candidates=candidates)
    values: dict[str, Value] = {"source": ends.source.title, "destination": ends.destination.title}
    if problems:
        worst = max(problems, key=lambda finding: (finding.blocking, finding.hop is Hop.EGRESS_GATEWAY, finding.weight))
        stopped = Sentence("{source} does not get out to {destination}", values)
        otherwise = Sentence("{source} does not leave for {destination} as it should", values)
        headline = Headline(
            stopped if worst.blocking else otherwise,
            place=worst.hop,
            reason=worst.because,
            remedy=worst.advice,
            others=max(0, sum(finding.blocking for finding in problems) - 1),
        )
        corrections = corrections_of(trial)
        return Conclusion(headline, patches=corrections.patches, patch_notes=corrections.notes)
    if doubts:
        claim = Sentence("how {source} leaves for {destination}", values, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, place=doubts[0].hop, reason=doubts[0].because, remedy=doubts[0].advice))
    seen = [finding.sentence for finding in findings if finding.code == "EGRESS_SEEN_AS"]
    claim = Sentence("{source} leaves for {destination} as it should", values)
    return Conclusion(Headline(claim, reason=seen[0] if seen else None))


def _candidates(question: Egress, source: Resolved, destination: Resolved) -> Iterator[str]:
    connection = question.connection
    for one in source.candidates or (str(connection.source),):
        for other in destination.candidates or (str(connection.destination),):
            yield f"egress {one} {other}"


def arrange(findings: Iterable[Finding]) -> list[Finding]:
    """Order by illness, what stops the traffic first."""
    return sorted(worst_first(findings), key=lambda finding: (finding.outcome.order, not finding.blocking))


COMMAND = Command(
    name="egress",
    usage=USAGE,
    summary="How traffic leaves the cluster: egress gateway, its node, the address seen outside, a corrected policy.",
    examples=("egress payments/fraud-worker 198.19.50.7", "egress payments/checkout api.stripe.com:443"),
    question=Egress,
    parse=parse,
    conclude=conclude,
    phrases=("egress gateway*", "egress ip|address", "source ip|address outside|sees|seen"),
    arrange=arrange,
    keep=timedelta(seconds=60),
    leave_out=frozenset({Part.ALL_POLICIES}),
)
