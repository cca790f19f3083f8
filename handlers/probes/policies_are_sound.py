"""No policy that concerns it is odd in itself.

These are the lints that hold whatever the rest of the cluster is like; those that look at everybody else are in
``lint``.
"""

from collections.abc import Iterator

from handlers.commands.policies import PoliciesOf
from handlers.connection.backends import selected_pods
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of, statuses_of
from handlers.lints import LINTS, LintContext, lint
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, code
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.policy.pods import pod_party
from handlers.probes.probe import probe
from handlers.reach.from_facts import cluster_of
from handlers.reach.state import State

MORE_LINTS_ELSEWHERE = code(
    "MORE_LINTS_ELSEWHERE",
    meaning="What is odd about a policy only in view of the whole cluster (peers that select nobody, rules that another"
    " shadows, Services without such a port) is looked at by lint.",
    template="Whether peers, Services and other policies of the cluster fit {where} was not looked at here",
    advice="Ask lint with the namespace.",
)
_LINTS = tuple(one for one in LINTS if one.is_of_the_policy)


@probe(
    answers=(PoliciesOf,),
    codes=(MORE_LINTS_ELSEWHERE, *(one.code for one in _LINTS)),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS),
)
def policies_are_sound(question: PoliciesOf, facts: Facts) -> Iterator[Finding]:
    """Run the lints on the policies that select what was asked about."""
    concerned = _concerned(question, facts)
    if not concerned:
        return
    policies = policies_of(facts)
    judged = {status.policy for status in policies.statuses}
    refused = tuple(status for status in statuses_of(facts) if status.policy not in judged)
    context = LintContext(State.of(cluster_of(facts, policies, refused)))
    for finding in lint(context, _LINTS):
        if finding.evidence[0].ref in concerned:
            yield finding
    namespaces = sorted({ref.split("/")[1] for ref in concerned} - {""})
    yield MORE_LINTS_ELSEWHERE.finding(
        Outcome.NOT_APPLICABLE,
        follow_up=f"lint {namespaces[0]}" if len(namespaces) == 1 else "lint",
        where=f"these {len(concerned)} policies" if len(concerned) > 1 else "this policy",
    )


def _concerned(question: PoliciesOf, facts: Facts) -> frozenset[str]:
    """Return the policies of the namespace, or those that select a pod of the endpoint."""
    if question.endpoint is None:
        return frozenset(policy.ref for policy in facts.policies if policy.namespace == question.namespace)
    found = resolve(question.endpoint, facts, End.SOURCE, None, None)
    pods = selected_pods(found.service, facts.pods) if found.service else found.pods
    policies = policies_of(facts)
    return frozenset(
        str(summary.policy)
        for pod in pods
        if pod.is_running and not pod.host_network
        for summary in policies.selecting(pod_party(pod, facts, policies))
    )
