"""What one side's decision says, as a finding: the same words for egress and ingress."""

from collections.abc import Iterable
from dataclasses import replace

from handlers.connection.clause_words import nearest_in_words
from handlers.connection.denial_words import denial_in_words
from handlers.connection.judgement import ANY_OTHER_PORT, Judged
from handlers.connection.policies import unjudged_policies
from handlers.connection.trial import Trial
from handlers.model.decision import Decision, Reason, Verdict
from handlers.model.facts import Facts, needed
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code, prose
from handlers.model.party import MissingFact
from handlers.model.rule import Direction, Origin
from handlers.policy.regexp import INSTALL_RE2

POLICY_DEFAULT_DENY = code(
    "POLICY_DEFAULT_DENY",
    meaning="Policies put the endpoint under default deny in this direction, and no rule allows the flow.",
    template="{subject} is under {direction} default deny by {policies}, and no rule {verb} {peer} on {port}",
    advice="Allow the flow in one of these policies.",
)
POLICY_EXPLICIT_DENY = code(
    "POLICY_EXPLICIT_DENY",
    meaning="A deny rule matches the flow. Deny wins over every allow, whatever the policy.",
    template="{peer} on {port} {preposition} {subject} is denied by {rules}",
    advice="A deny has a reason: ask its owner before narrowing it.",
)
POLICY_ALLOWS = code(
    "POLICY_ALLOWS",
    meaning="A rule allows the flow in this direction.",
    template="{peer} on {port} {preposition} {subject} is allowed by {rules}",
)
POLICY_ABSENT = code(
    "POLICY_ABSENT",
    meaning="No policy selects the endpoint in this direction, so everything is allowed.",
    template="No policy selects {subject} for {direction}: everything is allowed",
)
POLICY_WITHOUT_DEFAULT_DENY = code(
    "POLICY_WITHOUT_DEFAULT_DENY",
    meaning="Only policies without default deny select the endpoint, and none of them denies the flow.",
    template="{subject} is selected for {direction} by {policies} without default deny: {port} is allowed",
)
POLICY_LOCALHOST = code(
    "POLICY_LOCALHOST",
    meaning="A node always reaches the pods that run on it (allow-localhost), unless a deny rule says otherwise.",
    template="{peer} is the node that {subject} runs on, and a node always reaches its own pods",
)
POLICY_LOOPS_BACK = code(
    "POLICY_LOOPS_BACK",
    meaning="The endpoint talks to itself; such packets never meet policy (Cilium, bpf/bpf_lxc.c:967-974).",
    template="{subject} talks to itself, which no policy stops",
)
POLICY_NOT_ENFORCED_HERE = code(
    "POLICY_NOT_ENFORCED_HERE",
    meaning="This end is no endpoint under policy here: a node without host firewall, or an outside address.",
    template="{subject} is under no {direction} policy here ({kind})",
)
POLICY_AUDITED = code(
    "POLICY_AUDITED",
    meaning="Policy would deny the flow; audit mode lets it pass and reports it.",
    template="{peer} on {port} {preposition} {subject} would be denied by {policies}; audit mode lets it pass",
    advice="It will be cut when audit mode is turned off: allow it before if it is meant to pass, else leave it so.",
)
POLICY_UNDECIDED = code(
    "POLICY_UNDECIDED",
    meaning="The outcome depends on something that could not be read.",
    template="Whether {direction} policy of {subject} allows {peer} on {port} depends on {missing}, which was not read",
    advice="Let it be read: by a right in the cluster, or by an archive that holds it.",
)
POLICY_EXPRESSIONS_UNJUDGED = code(
    "POLICY_EXPRESSIONS_UNJUDGED",
    meaning="The outcome depends on expressions of HTTP rules, and RE2, which judges them, is not installed where the"
    " answer was made.",
    template="Whether {direction} policy of {subject} allows {peer} on {port} cannot be told: expressions of"
    " {unjudged} cannot be judged without re2",
    advice=INSTALL_RE2,
)
POLICY_BEYOND_KNOWLEDGE = code(
    "POLICY_BEYOND_KNOWLEDGE",
    meaning="Something is in force that could decide, and what it means is not known here: a version of Cilium that is"
    " newer than the newest known one, a kind of policy or a setting that the engine does not judge.",
    template="Whether {direction} policy of {subject} allows {peer} on {port} cannot be told under {beyond}",
    advice="Look at the flows, and at what the other policy or the newer version says.",
)
POLICY_CONFLICT = code(
    "POLICY_CONFLICT",
    meaning="Rules contradict each other; the agent keeps the policy that the endpoint had before.",
    template="Rules for {subject} contradict each other ({what}): it keeps the {direction} policy it had before",
    advice="Make the rules agree on parser, listener, authentication or TLS for this peer and port.",
)
POLICY_NEEDS_AUTHENTICATION = code(
    "POLICY_NEEDS_AUTHENTICATION",
    meaning="The rule that allows the flow demands mutual authentication.",
    template="{peer} on {port} {preposition} {subject} is allowed by {rules} after mutual authentication only",
    advice="If packets drop as AUTH_REQUIRED, look at SPIRE.",
)

SIDE_CODES: tuple[Code, ...] = (
    POLICY_DEFAULT_DENY,
    POLICY_EXPLICIT_DENY,
    POLICY_ALLOWS,
    POLICY_ABSENT,
    POLICY_WITHOUT_DEFAULT_DENY,
    POLICY_LOCALHOST,
    POLICY_LOOPS_BACK,
    POLICY_NOT_ENFORCED_HERE,
    POLICY_AUDITED,
    POLICY_UNDECIDED,
    POLICY_EXPRESSIONS_UNJUDGED,
    POLICY_BEYOND_KNOWLEDGE,
    POLICY_CONFLICT,
    POLICY_NEEDS_AUTHENTICATION,
)

_WORDS = {
    Direction.EGRESS: (prose("egress"), prose("lets it reach"), prose("from")),
    Direction.INGRESS: (prose("ingress"), prose("lets in"), prose("into")),
}
"""Words of the sentences that differ by direction: its name, a verb, a preposition."""
_ALLOWED: dict[Reason, Code] = {
    Reason.RULE: POLICY_ALLOWS,
    Reason.NO_POLICY: POLICY_ABSENT,
    Reason.DEFAULT_ALLOW: POLICY_WITHOUT_DEFAULT_DENY,
    Reason.ALLOW_LOCALHOST: POLICY_LOCALHOST,
    Reason.NOT_AN_ENDPOINT: POLICY_NOT_ENFORCED_HERE,
}


def side_finding(judged: Judged, decision: Decision, hop: Hop, facts: Facts) -> Finding:
    """Return what one side says about the flow."""
    if judged.sides.loops_back:
        return POLICY_LOOPS_BACK.finding(Outcome.FINE, hop=hop, blocking=True, subject=str(decision.subject))
    spoken, outcome, blocking = _verdict(decision)
    direction, verb, preposition = _WORDS[decision.direction]
    finding = spoken.finding(
        outcome,
        hop=hop,
        blocking=blocking,
        evidence=evidence_of(decision, facts),
        assumptions=judged.assumptions,
        subject=str(decision.subject),
        peer=str(decision.peer),
        port=port_in_words(judged),
        policies=policies_named(decision),
        rules=tuple(_in_words(origin) for origin in decision.rules),
        missing=tuple(str(fact).replace("-", " ") for fact in decision.missing),
        unjudged=unjudged_policies(facts, decision.selected_by),
        beyond=decision.beyond,
        kind=str(decision.subject.kind),
        what=decision.conflict.what if decision.conflict else None,
        direction=direction,
        verb=verb,
        preposition=preposition,
    )
    if outcome is not Outcome.PROBLEM:
        return finding
    miss = decision.nearest_miss
    detail = nearest_in_words(miss, decision.peer) if miss else None
    return replace(finding, detail=detail, reason=denial_in_words(judged, decision, facts))


def _verdict(decision: Decision) -> tuple[Code, Outcome, bool]:
    match decision.verdict:
        case Verdict.DENIED if decision.audited:
            return POLICY_AUDITED, Outcome.PROBLEM, False
        case Verdict.DENIED if decision.reason is Reason.EXPLICIT_DENY:
            return POLICY_EXPLICIT_DENY, Outcome.PROBLEM, True
        case Verdict.DENIED:
            return POLICY_DEFAULT_DENY, Outcome.PROBLEM, True
        case Verdict.UNKNOWN if decision.beyond:
            return POLICY_BEYOND_KNOWLEDGE, Outcome.UNKNOWN, True
        case Verdict.UNKNOWN if decision.missing == (MissingFact.EXPRESSIONS,):
            return POLICY_EXPRESSIONS_UNJUDGED, Outcome.UNKNOWN, True
        case Verdict.UNKNOWN:
            return POLICY_UNDECIDED, Outcome.UNKNOWN, True
        case Verdict.ERROR:
            return POLICY_CONFLICT, Outcome.UNKNOWN, True
        case Verdict.NOT_APPLICABLE:
            return POLICY_NOT_ENFORCED_HERE, Outcome.NOT_APPLICABLE, True
    return _ALLOWED.get(decision.reason, POLICY_ALLOWS), Outcome.FINE, True


def policies_named(decision: Decision) -> tuple[str, ...]:
    """Return the policies behind a decision, for sentences: those of the default deny, else those of the rules."""
    origins = decision.default_deny_by or decision.rules
    named = tuple(dict.fromkeys(f"{origin.policy.kind} {origin.policy.short}" for origin in origins))
    if named:
        return named
    return ("the enforcement mode always",) if decision.default_deny else tuple(map(str, decision.selected_by))


def evidence_of(decision: Decision, facts: Facts) -> list[Evidence]:
    """Refer to every policy that decides; for a default deny, to all that put the endpoint under it."""
    origins: list[Origin] = list(decision.rules)
    if decision.verdict in (Verdict.DENIED, Verdict.UNKNOWN) and decision.reason is not Reason.EXPLICIT_DENY:
        origins = list(decision.default_deny_by)
    if decision.reason is Reason.ALLOW_LOCALHOST:
        # Nothing of theirs decides; an author wonders about them all the same.
        origins = list(decision.default_deny_by)
    miss = decision.nearest_miss
    if miss and decision.verdict is Verdict.DENIED and decision.reason is not Reason.EXPLICIT_DENY:
        # The rule that came nearest stands first: it is where an author would look.
        origins = [miss.clause.origin, *origins] if miss.clause.origin.pointer else [miss.rule, *origins]
    changed = {policy.ref: policy.changed_at for policy in facts.policies}
    return [
        Evidence("kubernetes", str(origin.policy), origin.pointer, at=changed.get(str(origin.policy)))
        for origin in dict.fromkeys(origins)
    ]


def _in_words(origin: Origin) -> str:
    return f"{origin.policy.kind} {origin.policy.short} {origin.pointer}"


def port_in_words(judged: Judged) -> str:
    """Return the port of a leg as people write it; where none was asked, what stands for all others is said so."""
    if judged.traffic.protocol.is_icmp:
        return str(judged.traffic)
    return "any other port" if judged.guessed and judged.traffic.port == ANY_OTHER_PORT else str(judged.traffic)


def findings_of_side(trial: Trial, direction: Direction) -> list[Finding]:
    """Return what one side decides for each distinct leg; nothing while the names are not clear.

    Raises:
        PartMissingError: if a part that every decision rests on was not read.
    """
    hop = Hop.EGRESS_POLICY if direction is Direction.EGRESS else Hop.INGRESS_POLICY
    sides = (
        (leg, leg.sides.egress if direction is Direction.EGRESS else leg.sides.ingress)
        for leg in needed(trial.judgements)
    )
    return distinct(side_finding(leg, side, hop, trial.facts) for leg, side in sides)


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings whose words differ, each once."""
    return list({finding.text: finding for finding in findings}.values())
