"""Every policy that means one of the two ends is valid.

A policy that the agent refuses enforces nothing, though it stands in the cluster and reads as if it did.
"""

from collections.abc import Iterator

from handlers.connection.ends import Ends
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, statuses_of
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.rule import PolicyStatus
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

POLICY_ENFORCES_NOTHING = code(
    "POLICY_ENFORCES_NOTHING",
    meaning="A policy of one end's namespace, or a cluster-wide one, is invalid: nothing of it is enforced.",
    template="{policy} is invalid, so nothing of it is enforced: {reason}",
    advice="Correct the policy: what it was meant to allow or deny does not happen.",
)


@probe(
    answers=(AboutConnection,),
    codes=(POLICY_ENFORCES_NOTHING,),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES),
    hop=Hop.AGENTS,
)
def policies_are_valid(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Name the invalid policies in reach of both ends."""
    ends = needed(Trial(question.connection, facts).ends)
    if not ends.are_clear:
        return
    namespaces = {"", *_namespaces(ends)}
    for status in statuses_of(facts):
        if not status.valid and status.policy.namespace in namespaces:
            yield _finding(status)


def _namespaces(ends: Ends) -> Iterator[str]:
    for end in (ends.source, ends.destination):
        yield from (pod.namespace for pod in end.pods)
        if end.service:
            yield end.service.namespace


def _finding(status: PolicyStatus) -> Finding:
    return POLICY_ENFORCES_NOTHING.finding(
        Outcome.PROBLEM,
        hop=Hop.AGENTS,
        evidence=[Evidence("kubernetes", str(status.policy), "/spec")],
        policy=f"{status.policy.kind} {status.policy.short}",
        reason=status.reason or "the agent refuses it",
    )
