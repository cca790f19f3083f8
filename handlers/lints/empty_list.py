"""Every list in a Cilium policy has an entry: an empty one means nobody, or nothing at all."""

from collections.abc import Iterator, Mapping

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.policy_kind import PolicyKind
from handlers.model.rule import Manifest, Origin, PeerScope, PolicyRef, Rule
from handlers.reach.proposal import reference_of

LINT_EMPTY_LIST = code(
    "LINT_EMPTY_LIST",
    meaning="A list that is present and empty in a CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy. An empty peer"
    " list selects nobody, ports or not; an empty port list is no port; an empty section such as ingress: [] does not"
    " isolate, since default deny begins with the first item.",
    template="{policy} has an empty list {place}, so it {effect}: {witness}",
    advice="Leave the field out to mean everybody or every port; write the item {} to isolate.",
)

_SECTIONS = ("ingress", "ingressDeny", "egress", "egressDeny")


def empty_lists(context: LintContext) -> Iterator[Finding]:
    """Report empty peer lists, port lists and sections of policies that are enforced."""
    for rule in context.rules:
        if rule.origin.policy.kind == PolicyKind.NETWORK_POLICY:
            continue
        if rule.scope is PeerScope.NOBODY:
            witness = context.witness(rule, peers=context.pods())
            yield finding(LINT_EMPTY_LIST, Outcome.PROBLEM, rule.origin, witness=witness, effect="selects nobody there")
        for ports in rule.ports:
            if not ports.ports and not ports.l7:
                origin = Origin(rule.origin.policy, ports.pointer)
                witness = context.witness(rule)
                yield finding(LINT_EMPTY_LIST, Outcome.PROBLEM, origin, witness=witness, effect="opens no port there")
    yield from _empty_sections(context)


def _empty_sections(context: LintContext) -> Iterator[Finding]:
    enforced: dict[PolicyRef, Rule] = {}
    for rule in context.rules:
        enforced.setdefault(rule.origin.policy, rule)
    for manifest in context.state.cluster.manifests:
        policy_rule = enforced.get(reference_of(manifest))
        if policy_rule is None or policy_rule.origin.policy.kind == PolicyKind.NETWORK_POLICY:
            continue
        for pointer, spec in _specs(manifest):
            for section in _SECTIONS:
                if spec.get(section) == []:
                    yield finding(
                        LINT_EMPTY_LIST,
                        Outcome.PROBLEM,
                        Origin(policy_rule.origin.policy, f"{pointer}/{section}"),
                        witness=context.witness(policy_rule),
                        effect=f"does nothing to {section.removesuffix('Deny')}",
                    )


def _specs(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, object]]]:
    spec, specs = manifest.get("spec"), manifest.get("specs")
    if isinstance(spec, Mapping):
        yield "/spec", spec
    for index, one in enumerate(specs if isinstance(specs, list) else []):
        if isinstance(one, Mapping):
            yield f"/specs/{index}", one
