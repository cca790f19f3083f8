"""Every label that a selector asks for is one that Cilium keeps in identities."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.labels import Label, Source
from handlers.model.rule import Operator, Origin, PeerKind, Requirement, Rule, SubjectKind
from handlers.reach.bits import bit_set

LINT_LABEL_NOT_IN_IDENTITY = code(
    "LINT_LABEL_NOT_IN_IDENTITY",
    meaning="A selector asks for a label that Cilium's label filter keeps out of identities. As far as policy goes, no"
    " pod has it: asking for it selects nobody, excluding it excludes nobody.",
    template="{policy} asks for label {label} ({place}), which is not part of identities, so the clause {effect}:"
    " {witness}",
    advice="Select by a label that identities carry, or keep this one with the labels option of cilium-config.",
)

_NEGATIVE = (Operator.NOT_IN, Operator.DOES_NOT_EXIST)


def labels_kept_out(context: LintContext) -> Iterator[Finding]:
    """Report clauses about labels that the filter drops, each place once."""
    keeps = context.state.policies.config.label_filter.keeps
    seen = set()
    for rule in context.rules:
        for requirement in _written_requirements(rule):
            origin = Origin(rule.origin.policy, requirement.pointer)
            value = requirement.values[0] if requirement.values else ""
            if origin in seen or keeps(Label(requirement.key, value=value)):
                continue
            seen.add(origin)
            is_subject = requirement.pointer.startswith(rule.subject.pointer)
            bearers = _bearers(requirement, context)
            witness = context.witness(
                rule, subjects=bearers or None if is_subject else None, peers=None if is_subject else bearers or None
            )
            yield finding(
                LINT_LABEL_NOT_IN_IDENTITY,
                Outcome.PROBLEM,
                origin,
                witness=witness,
                label=requirement.key,
                effect="excludes nobody" if requirement.operator in _NEGATIVE else "selects nobody",
            )


def _written_requirements(rule: Rule) -> Iterator[Requirement]:
    selectors = [rule.subject.selector] if rule.subject.kind is SubjectKind.ENDPOINTS else []
    selectors += [selector for peer in rule.peers if peer.kind is PeerKind.ENDPOINTS for selector in peer.selectors]
    for selector in selectors:
        for requirement in selector.requirements:
            if requirement.implied is None and requirement.source in (Source.K8S, Source.ANY):
                yield requirement


def _bearers(requirement: Requirement, context: LintContext) -> int:
    """Give the pods whose Kubernetes object has the label."""
    return bit_set(
        number
        for number, end in enumerate(context.state.roster.ends)
        if any(requirement.key in dict(pod.party.unfiltered) for pod in end.pods)
    )
