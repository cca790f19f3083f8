"""No other rule lets pass unread what L7 rules are to filter.

Policies are one union of allows. A rule that allows the same peers the same port, or all ports, without L7 rules makes
the proxy let every request of theirs pass (Cilium, pkg/policy/l4.go), and the L7 rules of the other policy do nothing.
"""

from collections.abc import Iterator

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import L7Filter
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of
from handlers.model.decision import Decision, Verdict
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.party import Party
from handlers.model.rule import Origin, Rule
from handlers.model.traffic import Traffic
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.pods import pod_party
from handlers.probes.probe import probe

L7_LIFTED = code(
    "L7_LIFTED",
    meaning="Another rule allows the same peer the same port without L7 rules, so that every request of it passes.",
    template="{lifting} allows {peers} {port} of {pod} without L7 rules, and lifts {policy}: every request passes",
    reason="{lifting} allows the same without L7 rules, and lifts {policy}",
    advice="Give that rule the same L7 rules, or narrow its peers or ports.",
)
MOST_PEERS = 60
"""Other ends that are tried, of those that differ to policy."""
MOST_NAMED = 5
"""Peers named in one line."""


@probe(
    answers=(L7OfPolicy, L7OfConnection),
    codes=(L7_LIFTED,),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES),
    hop=Hop.L7,
)
def l7_is_not_lifted(question: L7OfPolicy | L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Try the peers of each filter, and name the rules that let them pass unread."""
    others = _peers(facts)
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    filters: dict[tuple[str, str, tuple[str, ...]], L7Filter] = {}
    for one in question.filters(facts):
        for port in one.numbers if one.needs_envoy else ():
            for peer in one.peers or others:
                lifting = tuple(_lifting(one, peer, port, facts))
                if lifting:
                    key = (str(one.rule.origin.policy), one.on, tuple(sorted({str(rule.policy) for rule in lifting})))
                    found.setdefault(key, []).append(peer.name)
                    filters.setdefault(key, one)
    for key, peers in found.items():
        policy, port_words, lifting_policies = key
        yield L7_LIFTED.finding(
            Outcome.PROBLEM,
            hop=Hop.L7,
            weight=80,
            evidence=[Evidence("kubernetes", policy) for policy in (*lifting_policies, policy)],
            follow_up=f"policies {filters[key].pod.namespace}/pod/{filters[key].pod.name}",
            lifting=lifting_policies,
            policy=policy,
            port=port_words,
            pod=str(filters[key].pod),
            peers=tuple(dict.fromkeys(peers))[:MOST_NAMED],
        )


def _peers(facts: Facts) -> tuple[Party, ...]:
    """Return the pods in reach, one for each identity."""
    policies = policies_of(facts)
    found: dict[object, Party] = {}
    for pod in facts.pods:
        if pod.is_running and not pod.host_network and len(found) < MOST_PEERS:
            party = pod_party(pod, facts, policies)
            found.setdefault(party.labels, party)
    return tuple(found.values())


def _lifting(one: L7Filter, peer: Party, port: int, facts: Facts) -> Iterator[Origin]:
    policies = policies_of(facts)
    decision = policies.decide(one.direction, one.party, peer, Traffic(one.protocol, port))
    matched = {effect.rule for effect in decision.effects if effect.matched}
    if one.rule.origin not in matched or not _passes_unread(decision):
        return
    for rule in policies.rules_selecting(one.party, one.direction):
        if rule.origin in matched and rule.origin != one.rule.origin and _is_plain(rule):
            yield rule.origin


def _passes_unread(decision: Decision) -> bool:
    return decision.verdict is Verdict.ALLOWED and (decision.redirect is None or decision.l7_open)


def _is_plain(rule: Rule) -> bool:
    """Whether a rule has ports without L7 rules, or none at all, which are all ports."""
    return not rule.ports or any(ports.l7 is None for ports in rule.ports)
