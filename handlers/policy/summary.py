"""What a policy does to an endpoint, in one line for each direction."""

from collections.abc import Iterable, Sequence

from handlers.model.decision import PolicySummary
from handlers.model.rule import Direction, Effect, PeerScope, PolicyRef, Rule

_MOST_SHOWN = 4
_ALL = ("all", "entity all")
"""How a peer that is everybody is written."""


def summarize(rules: Sequence[Rule], direction: Direction) -> tuple[PolicySummary, ...]:
    """Summarize the rules of one direction, policy by policy, in the order in which they stand."""
    by_policy: dict[PolicyRef, list[Rule]] = {}
    for rule in rules:
        by_policy.setdefault(rule.origin.policy, []).append(rule)
    return tuple(_summary(policy, owned, direction) for policy, owned in by_policy.items())


def _summary(policy: PolicyRef, rules: Sequence[Rule], direction: Direction) -> PolicySummary:
    allows = tuple(filter(None, (_described(rule) for rule in rules if rule.effect is Effect.ALLOW)))
    denies = tuple(filter(None, (_described(rule) for rule in rules if rule.effect is Effect.DENY)))
    default_deny = any(rule.default_deny for rule in rules)
    return PolicySummary(
        policy=policy,
        direction=direction,
        default_deny=default_deny,
        allows=allows,
        denies=denies,
        rules=tuple(rule.origin for rule in rules),
        text=_text(policy, direction, default_deny, allows, denies, everything=any(map(_allows_everything, rules))),
    )


def _allows_everything(rule: Rule) -> bool:
    """Whether a rule lets all peers through on every port, so that no rest is left to deny."""
    is_all = rule.scope is PeerScope.UNRESTRICTED or any(peer.written in _ALL for peer in rule.peers)
    return rule.effect is Effect.ALLOW and is_all and not rule.ports and not rule.is_empty


def _described(rule: Rule) -> str:
    """Describe one rule: its peers and its ports; nothing for a rule that matches nothing."""
    if rule.scope is PeerScope.NOBODY or rule.is_empty:
        return ""
    peers = "everybody" if rule.scope is PeerScope.UNRESTRICTED else _listed(peer.written for peer in rule.peers)
    ports = _listed(str(port) for port_rule in rule.ports for port in port_rule.ports)
    if rule.ports and not ports:
        return ""
    requests = _listed(str(http) for l7 in rule.l7 for http in l7.http)
    names = _listed(str(dns) for l7 in rule.l7 for dns in l7.dns)
    text = f"{peers} on {ports}" if ports else peers
    if requests:
        text += f" ({requests})"
    return f"{text} (names {names})" if names else text


def _listed(words: Iterable[str]) -> str:
    unique = list(dict.fromkeys(words))
    shown = unique[:_MOST_SHOWN]
    if len(unique) > _MOST_SHOWN:
        shown.append(f"{len(unique) - _MOST_SHOWN} more")
    return ", ".join(shown)


def _text(
    policy: PolicyRef,
    direction: Direction,
    default_deny: bool,
    allows: tuple[str, ...],
    denies: tuple[str, ...],
    *,
    everything: bool,
) -> str:
    preposition = "from" if direction is Direction.INGRESS else "to"
    parts = []
    if denies:
        parts.append(f"denies {direction} {preposition} {'; '.join(denies)}")
    if everything:
        parts.append(f"allows {direction} {preposition} everybody{' else' if denies else ''}")
    elif allows:
        parts.append(f"allows {direction} {preposition} {'; '.join(allows)}")
    if default_deny and not everything:
        parts.append("denies the rest" if parts else f"denies all {direction}")
    elif not allows and not denies:
        parts.append(f"does nothing to {direction}")
    return f"{policy.short} {' and '.join(parts)}"
