"""Choosing among proven edits: the one that reaches least, then the one that an owner reads fastest."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from handlers.model.decision import Verdict
from handlers.model.rule import PolicyRef, Rule
from handlers.patch.asked import BlockedSide
from handlers.patch.create import new_policies
from handlers.patch.edits import Edit
from handlers.patch.extend import extensions
from handlers.patch.identify import own_workload_labels
from handlers.patch.manifest import ManifestError, changed_lines, clean, to_yaml, unified
from handlers.patch.proof import Proof, Question, is_general, prove, selected
from handlers.patch.requests import request_rules
from handlers.policy.policy_set import PolicySet, compile_policies
from handlers.policy.views import own_labels

DryRun = Callable[[PolicyRef, Mapping[str, object]], str | None]
"""What the API server says to an object: None when it would take it, else why not."""

_MANY_SUBJECTS = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """Proven edits of one side, usually one, and their rank: smaller is better."""

    edits: tuple[Edit, ...]
    proof: Proof
    rank: tuple[int, ...]


def choices(
    question: Question, side: BlockedSide, candidates: Iterable[tuple[Edit, ...]], dry_run: DryRun | None
) -> list[Choice]:
    """Prove edits and order them, the best first.

    Edits of policies that mean a great many others are not tried once something smaller is proven: they open more.
    """
    ranked: list[Choice] = []
    listed = [(_reach(question, edits), edits) for edits in candidates]
    for reach, edits in sorted(listed, key=lambda pair: pair[0]):
        if reach > _MANY_SUBJECTS and ranked:
            continue
        if dry_run is not None and any(dry_run(edit.policy, edit.manifest) is not None for edit in edits):
            continue
        proof = prove(question, edits, side.direction)
        if proof is not None:
            ranked.append(Choice(edits, proof, _rank(question, side, edits, proof, reach)))
    return sorted(ranked, key=lambda choice: choice.rank)


def edits_of(side: BlockedSide) -> Iterator[Edit]:
    """Propose every edit that could open a side."""
    if side.decision.verdict is Verdict.DENIED_L7:
        yield from request_rules(side)
        return
    yield from extensions(side)
    yield from new_policies(side)


def _reach(question: Question, edits: tuple[Edit, ...]) -> int:
    return selected(question.ground, (rule for edit in edits for rule in _rules_of(question.policies, edit)))


def _rules_of(policies: PolicySet, edit: Edit) -> tuple[Rule, ...]:
    if edit.is_new:
        return compile_policies([edit.manifest], config=policies.config, surroundings=policies.surroundings).rules
    return tuple(rule for rule in policies.rules if rule.origin.policy == edit.policy)


def _rank(question: Question, side: BlockedSide, edits: tuple[Edit, ...], proof: Proof, reach: int) -> tuple[int, ...]:
    avoids_name = question.dns is not None and not any(edit.needs_name for edit in edits)
    mine = own_workload_labels(own_labels(side.subject))
    rules = [rule for edit in edits for rule in _rules_of(question.policies, edit)]
    preference = sum(edit.preference for edit in edits)
    return (
        avoids_name,
        proof.volume(question.traffic),
        bool(mine) and any(is_general(rule.subject.selector) for rule in rules),
        preference >= 10,
        sum(changed_lines(difference_of(side.manifests, edit)) for edit in edits),
        preference,
        reach,
    )


def difference_of(manifests: Mapping[PolicyRef, Mapping[str, object]], edit: Edit) -> str:
    """Write what an edit changes."""
    try:
        old = "" if edit.is_new else to_yaml(clean(manifests[edit.policy]))
        return unified(old, to_yaml(clean(edit.manifest)), edit.policy)
    except ManifestError:
        return ""
