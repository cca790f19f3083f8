"""The set of policies as it would be with some objects changed: only what changed is compiled again."""

from collections.abc import Mapping, Sequence

from handlers.model.rule import PolicyRef, PolicyStatus, Rule
from handlers.policy.policy_set import PolicySet, compile_policies


def with_changed(
    policies: PolicySet, objects: Sequence[tuple[PolicyRef, Mapping[str, object]]]
) -> tuple[PolicySet, tuple[PolicyStatus, ...]]:
    """Give the set with these objects in place of those of the same name, and how the agent takes each of them."""
    compiled = compile_policies(
        [manifest for _, manifest in objects], config=policies.config, surroundings=policies.surroundings
    )
    fresh: dict[PolicyRef, list[Rule]] = {ref: [] for ref, _ in objects}
    for rule in compiled.rules:
        fresh.setdefault(rule.origin.policy, []).append(rule)
    rules: list[Rule] = []
    placed: set[PolicyRef] = set()
    for rule in policies.rules:
        ref = rule.origin.policy
        if ref not in fresh:
            rules.append(rule)
        elif ref not in placed:
            placed.add(ref)
            rules.extend(fresh[ref])
    rules.extend(rule for ref, added in fresh.items() if ref not in placed for rule in added)
    by_ref = {status.policy: status for status in compiled.statuses}
    statuses = tuple(by_ref.get(status.policy, status) for status in policies.statuses)
    new = tuple(status for ref, status in by_ref.items() if policies.status_of(ref) is None)
    return PolicySet((*statuses, *new), tuple(rules), policies.config, policies.surroundings), compiled.statuses
