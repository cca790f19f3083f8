"""Every policy that selects the identity is known.

Policies select labels, not pods: what selects an identity applies to every pod that carries it.
"""

from collections.abc import Iterator

from handlers.commands.identity import IdentityOf
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.reserved import LOCAL_SCOPE, RESERVED_IDENTITIES
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.parties import party_of_labels
from handlers.probes.probe import probe

IDENTITY_SELECTED = code(
    "IDENTITY_SELECTED",
    meaning="What one policy does to the identity in one direction.",
    template="{policy} selects {number}: {what}",
)
IDENTITY_NOT_SELECTED = code(
    "IDENTITY_NOT_SELECTED",
    meaning="No policy selects the identity, so everything is allowed to it and from it on its own side.",
    template="No policy selects {number}: everything is allowed on its own side",
)


@probe(
    answers=(IdentityOf,),
    codes=(IDENTITY_SELECTED, IDENTITY_NOT_SELECTED),
    needs=(*PARTS, *POLICY_PARTS, Part.IDENTITIES),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS),
)
def identity_is_selected(question: IdentityOf, facts: Facts) -> Iterator[Finding]:
    """Say what each policy does to each identity asked about."""
    policies = policies_of(facts)
    for number, labels in _asked(question, facts):
        party = party_of_labels(LabelSet.parse(labels), name=str(number))
        summaries = policies.selecting(party)
        for summary in summaries:
            yield IDENTITY_SELECTED.finding(
                Outcome.FINE,
                evidence=[Evidence("kubernetes", str(origin.policy), origin.pointer) for origin in summary.rules],
                weight=50,
                policy=f"{summary.policy.kind} {summary.policy.short}",
                number=number,
                what=summary.text,
            )
        if not summaries:
            yield IDENTITY_NOT_SELECTED.finding(Outcome.NOT_APPLICABLE, weight=50, number=number)


def _asked(question: IdentityOf, facts: Facts) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the cluster-wide identities of pods that are asked about; policies select no others as subjects."""
    numbers = question.numbers(facts)
    known = {entry.number: entry.labels for entry in facts.identities}
    for number in sorted(numbers):
        if number in known and number not in RESERVED_IDENTITIES and number < LOCAL_SCOPE:
            yield number, known[number]
