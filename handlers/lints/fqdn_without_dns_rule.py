"""Every endpoint with a rule by DNS name also has a DNS rule, through which the agent learns the name's addresses."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction, DnsRule, Effect, L7Kind, Origin, Peer, PeerKind, Rule
from handlers.policy.config import PolicyConfig
from handlers.policy.fqdn import name_matches
from handlers.policy.versions import DOUBLE_STAR
from handlers.reach.bits import members

LINT_FQDN_WITHOUT_DNS_RULE = code(
    "LINT_FQDN_WITHOUT_DNS_RULE",
    meaning="A rule allows a DNS name, and no DNS rule of the same endpoint lets the agent see the look-ups for it. The"
    " agent learns addresses only from answers that pass its DNS proxy (Documentation/security/policy/language.rst).",
    template="{policy} allows the DNS name {name} ({place}), and no DNS rule shows the agent the look-ups of {subject},"
    " so the name has no addresses: {witness}",
    advice="Add an egress rule to kube-dns on port 53 with rules.dns that covers the name.",
)


def names_never_learnt(context: LintContext) -> Iterator[Finding]:
    """Report toFQDNs peers of endpoints without a DNS rule for them."""
    seen_by: dict[int, list[DnsRule]] = {}
    for rule in context.rules:
        for dns in _dns_rules(rule):
            for number in members(context.subjects(rule)):
                seen_by.setdefault(number, []).append(dns)
    config = context.state.policies.config
    outside = sum(1 << number for number, end in enumerate(context.state.roster.ends) if end.party.is_outside)
    for rule in context.rules:
        for peer in rule.peers if rule.effect is Effect.ALLOW else ():
            if peer.kind is not PeerKind.FQDN:
                continue
            blind = [
                number for number in members(context.subjects(rule)) if not _sees(seen_by.get(number, []), peer, config)
            ]
            if blind:
                yield finding(
                    LINT_FQDN_WITHOUT_DNS_RULE,
                    Outcome.PROBLEM,
                    Origin(rule.origin.policy, peer.pointer),
                    witness=context.witness(rule, subjects=1 << blind[0], peers=outside & ~context.peer(peer)),
                    name=peer.written,
                    subject=str(context.state.roster.ends[blind[0]]),
                )


def _dns_rules(rule: Rule) -> Iterator[DnsRule]:
    if rule.direction is Direction.EGRESS and rule.effect is Effect.ALLOW:
        for l7 in rule.l7:
            if l7.kind is L7Kind.DNS:
                yield from l7.dns


def _sees(rules: list[DnsRule], peer: Peer, config: PolicyConfig) -> bool:
    if "*" in peer.written:
        return bool(rules)
    double_star = config.holds(DOUBLE_STAR)
    return any(
        name_matches(peer.written, rule.match_name, rule.match_pattern, double_star=double_star) for rule in rules
    )
