"""Choosing among proven edits: the one that reaches least, then the one that an owner reads fastest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from handlers.model.decision import Verdict
from handlers.model.rule import PolicyRef, Rule
from handlers.patch.blocked_side import BlockedSide
from handlers.patch.create import new_policies
from handlers.patch.edits import Edit
from handlers.patch.extend import extensions
from handlers.patch.identify import own_workload_labels
from handlers.patch.manifest import ManifestError, changed_lines, clean, to_yaml, unified
from handlers.patch.proof import Proof, Question, is_general, prove, selected
from handlers.patch.requests import request_rules
from handlers.policy.policy_set import PolicySet, compile_policies
from handlers.policy.views import own_labels

_MANY_SUBJECTS = 50
_OTHER_KIND = 10
"""The preference from which on an edit is of another kind than the policies that are there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Proven edits of one side, usually one, and their rank: smaller is better."""

    edits: tuple[Edit, ...]
    proof: Proof
    rank: tuple[int, ...]

    @property
    def is_perfect(self) -> bool:
        """Whether it opens nothing besides, by the asked name if there is one, in a policy that means the subject."""
        return not any(self.rank[:4])


def choices(
    question: Question,
    side: BlockedSide,
    candidates: Iterable[tuple[Edit, ...]],
    *,
    thorough: bool,
) -> list[Choice]:
    """Prove edits and order them, the best first.

    Edits that mean the fewest subjects go first, then the shortest. Once one is proven that opens nothing else, those
    after it are tried only when the choice is to be ``thorough``; nor are edits of policies that mean a great many
    others, since they open more.
    """
    ranked: list[Choice] = []
    listed = [_Candidate.of(question, side, edits) for edits in candidates]
    for candidate in sorted(listed, key=lambda one: one.order):
        if ranked and candidate.reach > _MANY_SUBJECTS:
            continue
        edits = candidate.edits
        proof = prove(question, edits, side.direction)
        if proof is None:
            continue
        avoids_name, is_general, *rest = candidate.order[1:]
        rank = (avoids_name, proof.volume(question.traffic), is_general, *rest, candidate.reach)
        ranked.append(Choice(edits, proof, rank))
        if not thorough and ranked[-1].is_perfect:
            break
    return sorted(ranked, key=lambda choice: choice.rank)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Edits to prove. ``order``: how many subjects they mean, and what makes one edit better than another."""

    edits: tuple[Edit, ...]
    order: tuple[int, ...]

    @property
    def reach(self) -> int:
        return self.order[0]

    @classmethod
    def of(cls, question: Question, side: BlockedSide, edits: tuple[Edit, ...]) -> "_Candidate":
        rules = [rule for edit in edits for rule in _rules_of(question.policies, edit)]
        mine = own_workload_labels(own_labels(side.subject))
        preference = sum(edit.preference for edit in edits)
        order = (
            selected(question.pods, rules),
            question.dns is not None and not any(edit.needs_name for edit in edits),
            bool(mine) and any(is_general(rule.subject.selector) for rule in rules),
            preference >= _OTHER_KIND,
            sum(changed_lines(difference_of(side.manifests, edit)) for edit in edits),
            preference,
        )
        return cls(edits, order)


def edits_of(side: BlockedSide) -> Iterator[Edit]:
    """Propose every edit that could open a side."""
    if side.decision.verdict is Verdict.DENIED_L7:
        yield from request_rules(side)
        return
    yield from extensions(side)
    yield from new_policies(side)


def _rules_of(policies: PolicySet, edit: Edit) -> tuple[Rule, ...]:
    if edit.is_new:
        return compile_policies([edit.manifest], config=policies.config, surroundings=policies.surroundings).rules
    return tuple(rule for rule in policies.rules if rule.origin.policy == edit.policy)


def difference_of(manifests: Mapping[PolicyRef, Mapping[str, object]], edit: Edit) -> str:
    """Write what an edit changes."""
    try:
        old = "" if edit.is_new else to_yaml(clean(manifests[edit.policy]))
        return unified(old, to_yaml(clean(edit.manifest)), edit.policy)
    except ManifestError:
        return ""
