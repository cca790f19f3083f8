"""An explicit deny: what would have to change, and what that would open. Never a patch: a deny has a reason."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from handlers.model.decision import Decision, Verdict
from handlers.model.report import AlsoOpens
from handlers.model.rule import Direction, Effect, Origin, PeerScope, Rule
from handlers.patch.also_opens import OpenedFlow, also_opens, opened_flows
from handlers.patch.proof import Question
from handlers.policy.policy_set import PolicySet


@dataclass(frozen=True, slots=True)
class DenyExplanation:
    """Deny rules that stop the flow on one side.

    ``narrowing`` is what opens when the rules spare this peer and still deny all others, ``removing`` what opens when
    they are gone; both contain the asked flow where nothing else stops it. ``allowed_without`` tells whether an allow
    stands behind the deny, so that narrowing is enough.
    """

    direction: Direction
    subject: str
    peer: str
    rules: tuple[Origin, ...]
    allowed_without: bool
    narrowing: tuple[AlsoOpens, ...]
    removing: tuple[AlsoOpens, ...]
    known: bool
    text: str


def explain_deny(question: Question, decision: Decision) -> DenyExplanation:
    """Work out what the deny rules that match the asked flow hold back."""
    matched = {effect.rule for effect in decision.effects if effect.effect is Effect.DENY and effect.matched}
    matched |= set(decision.rules)
    old = question.policies
    rules = tuple(_spent(rule) if rule.origin in matched else rule for rule in old.rules)
    new = PolicySet(old.statuses, rules, old.config, old.surroundings)
    changed = (*(rule for rule in old.rules if rule.origin in matched), *(r for r in rules if r.origin in matched))
    compared = question.scene.under(new, (question.source, question.destination), changed)
    flows = opened_flows(compared.change)
    subject, peer = question.ends(decision.direction)
    outcome, _ = new.outcome(decision.direction, subject, peer, decision.traffic)
    number = compared.destination if decision.direction is Direction.EGRESS else compared.source
    spared = _of_peer(flows, number, decision.direction)
    complete = question.complete
    origins = tuple(sorted(matched))
    allowed = outcome.verdict is Verdict.ALLOWED
    narrowing, removing = (also_opens(compared.change, some, complete=complete) for some in (spared, flows))
    return DenyExplanation(
        direction=decision.direction,
        subject=str(subject),
        peer=str(peer),
        rules=origins,
        allowed_without=allowed,
        narrowing=narrowing,
        removing=removing,
        known=complete,
        text=_text(decision, origins, narrowing, removing, allowed=allowed, complete=complete),
    )


def _of_peer(flows: Iterable[OpenedFlow], number: int | None, direction: Direction) -> tuple[OpenedFlow, ...]:
    return tuple(
        flow for flow in flows if number == (flow.source if direction is Direction.INGRESS else flow.destination)
    )


def _spent(rule: Rule) -> Rule:
    """Make a deny rule deny nobody; that it isolates its subject stays."""
    return replace(rule, effect=Effect.ALLOW, scope=PeerScope.NOBODY, peers=(), ports=(), requires=())


def _text(
    decision: Decision,
    origins: tuple[Origin, ...],
    narrowing: tuple[AlsoOpens, ...],
    removing: tuple[AlsoOpens, ...],
    *,
    allowed: bool,
    complete: bool,
) -> str:
    places = ", ".join(f"{origin.policy.kind} {origin.policy.short} at {origin.pointer}" for origin in origins)
    verb = "deny" if len(origins) > 1 else "denies"
    sentences = [
        f"{places} {verb} {decision.peer} on {decision.traffic} ({decision.direction} of {decision.subject}).",
        "A deny wins over every allow, so no allow rule can open this: its owner would have to narrow it"
        f" so that it spares {decision.peer}.",
    ]
    if not allowed:
        sentences.append("Even then nothing allows the flow on this side: an allow rule would be needed as well.")
    if complete:
        sentences.append(f"Narrowed to spare {decision.peer} it would open {_amount(narrowing)};")
        sentences.append(f"without it, {_amount(removing)} would open.")
    else:
        sentences.append("What else that would open is not known: the identities in use were not read.")
    return " ".join(sentences)


def _amount(flows: tuple[AlsoOpens, ...]) -> str:
    if not flows:
        return "nothing by itself"
    pairs = len({(flow.source, flow.destination) for flow in flows})
    some = "; ".join(f"{flow.source} to {flow.destination} on {flow.port}" for flow in flows[:3])
    more = f" and {len(flows) - 3} more" if len(flows) > 3 else ""
    return f"{pairs} identity {'pair' if pairs == 1 else 'pairs'} ({some}{more})"
