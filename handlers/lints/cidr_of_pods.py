"""No CIDR rule is written for pods: it never selects one, whatever its address."""

import ipaddress
from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.labels import Network
from handlers.model.rule import Origin
from handlers.policy.cidr import held_by
from handlers.reach.bits import bit_set, members

LINT_CIDR_OF_PODS = code(
    "LINT_CIDR_OF_PODS",
    meaning="A CIDR or ipBlock holds addresses of pods. Such rules select addresses outside the cluster only"
    " (Documentation/security/policy/language.rst, CIDR based); pods are selected by their labels.",
    template="{policy} lists {peer} ({place}), where {pods} have their addresses, and no CIDR selects a pod: {witness}",
    advice="Select the pods by labels; keep the CIDR only for what is outside the cluster.",
)


def cidrs_of_pods(context: LintContext) -> Iterator[Finding]:
    """Report prefixes that hold pods and are hardly meant for anything else."""
    if not any(peer.cidr for rule in context.rules for peer in rule.peers):
        return
    addresses = _pod_addresses(context)
    for rule in context.rules:
        for peer in rule.peers:
            held = bit_set(held_by(peer, addresses)) if peer.cidr else 0
            if not held:
                continue
            pods = [str(context.state.roster.ends[number]) for number in members(held)]
            more = f" and {len(pods) - 1} more" if len(pods) > 1 else ""
            yield finding(
                LINT_CIDR_OF_PODS,
                Outcome.PROBLEM,
                Origin(rule.origin.policy, peer.pointer),
                witness=context.witness(rule, peers=held),
                peer=peer.cidr,
                pods=f"{pods[0]}{more}",
            )


def _pod_addresses(context: LintContext) -> list[tuple[int, Network]]:
    """Give every address of a pod that has one of its own, with the number of its end."""
    number_of = {str(pod): number for number, end in enumerate(context.state.roster.ends) for pod in end.pods}
    return [
        (number_of[str(pod)], ipaddress.ip_network(ip))
        for pod in context.state.cluster.pods
        if not pod.host_network and str(pod) in number_of
        for ip in pod.party.ips
    ]
