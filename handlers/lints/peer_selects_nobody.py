"""Every peer selector of a rule selects somebody."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Implied, Origin, Peer, PeerKind

LINT_PEER_SELECTS_NOBODY = code(
    "LINT_PEER_SELECTS_NOBODY",
    meaning="No endpoint of the cluster matches a peer selector. A frequent cause is the namespace: a selector without"
    " one means the namespace of the policy.",
    template="{policy} names {peer} as a peer ({place}) and nobody is that{implied}: {witness}",
    advice="Compare the selector with the labels of the peers that it was written for; name their namespace with"
    " k8s:io.kubernetes.pod.namespace.",
)

_LABELLED = (PeerKind.ENDPOINTS, PeerKind.NODES, PeerKind.SERVICE)


def peers_that_are_nobody(context: LintContext) -> Iterator[Finding]:
    """Report peers by label that select no end; outside addresses come and go, so CIDR and DNS peers are left out."""
    for rule in context.rules:
        for peer in rule.peers:
            if peer.kind not in _LABELLED or peer.cidr or context.peer(peer):
                continue
            yield finding(
                LINT_PEER_SELECTS_NOBODY,
                Outcome.PROBLEM,
                Origin(rule.origin.policy, peer.pointer),
                witness=context.witness(rule, peers=context.pods()),
                peer=peer.written,
                implied=_implied(peer, rule.subject.namespace),
            )


def _implied(peer: Peer, namespace: str) -> str:
    requirements = [one for selector in peer.selectors for one in selector.requirements]
    if any(one.implied is Implied.POLICY_NAMESPACE for one in requirements):
        return f" in namespace {namespace}, which it means since it names none"
    return ""
