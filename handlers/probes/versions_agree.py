"""All agents run one version, that of their DaemonSet.

While an upgrade goes round, two versions beside each other are wanted, next minors of each other at most (Cilium,
Documentation/operations/upgrade.rst). What stays behind keeps the defects of before, and judges policy by its rules.
"""

from collections import Counter
from collections.abc import Iterator

from handlers.agents.life import component_of
from handlers.connection.coverage import MOST_NAMED, nodes_in_words
from handlers.model.cluster import Workload
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, Value, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.model.snapshot import Known
from handlers.policy.versions import Version
from handlers.probes.probe import probe

AGENT_VERSIONS_DIFFER = code(
    "AGENT_VERSIONS_DIFFER",
    meaning="Agents run different versions: a note while an upgrade goes round, a problem where they are further apart "
    "than one minor.",
    template="The agents run different versions: {usual} on most nodes, {other} on {nodes}{rollout}",
    advice="Finish the upgrade, or roll it back: kubectl rollout status of the DaemonSet tells where it stands.",
)
OPERATOR_VERSION_DIFFERS = code(
    "OPERATOR_VERSION_DIFFERS",
    meaning="The operator runs another version than most agents.",
    template="The operator runs {operator}, most agents {usual}",
    advice="Upgrade operator and agents together, as the Helm chart does.",
)
VERSIONS_AGREE = code(
    "VERSIONS_AGREE", meaning="Agents and operator run one version.", template="All agents run {version}"
)


@probe(
    answers=(AboutNodes,),
    codes=(AGENT_VERSIONS_DIFFER, OPERATOR_VERSION_DIFFERS, VERSIONS_AGREE),
    uses=(Part.CONFIG, Part.CILIUM_PODS, Part.SYSTEM_WORKLOADS),
)
def versions_agree(_question: AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Compare the versions in the images of agents and operator."""
    look = facts.look(Part.CONFIG)
    by_node = look.value.versions if isinstance(look, Known) else {}
    if not by_node:
        return
    usual = Counter(by_node.values()).most_common(1)[0][0]
    others: dict[str, list[str]] = {}
    for node, version in by_node.items():
        if version != usual:
            others.setdefault(version, []).append(node)
    for version, nodes in sorted(others.items()):
        yield AGENT_VERSIONS_DIFFER.finding(
            Outcome.PROBLEM if _are_apart(usual, version) else Outcome.FINE,
            evidence=[Evidence("kubernetes", f"Node//{node}") for node in nodes[:MOST_NAMED]],
            weight=45,
            usual=usual,
            other=version,
            nodes=nodes_in_words(nodes),
            rollout=_rollout(facts),
        )
    operator = _operator(facts)
    if operator and operator != usual:
        yield OPERATOR_VERSION_DIFFERS.finding(
            Outcome.PROBLEM if _are_apart(usual, operator) else Outcome.FINE, weight=44, operator=operator, usual=usual
        )
    if not others:
        yield VERSIONS_AGREE.finding(Outcome.FINE, version=usual)


def _are_apart(one: str, other: str) -> bool:
    """Whether two versions are further apart than one minor; what is no version is near."""
    try:
        first, second = Version.parse(one), Version.parse(other)
    except ValueError:
        return False
    return first.line[0] != second.line[0] or abs(first.line[1] - second.line[1]) > 1


def _operator(facts: Facts) -> str | None:
    look = facts.look(Part.CILIUM_PODS)
    pods = look.value if isinstance(look, Known) else ()
    images = (image for pod in pods if component_of(pod) == "operator" for image in pod.images)
    tags = (image.partition("@")[0].rpartition("/")[2].partition(":")[2].removeprefix("v") for image in images)
    return next((tag for tag in tags if tag), None)


def _rollout(facts: Facts) -> Value:
    look = facts.look(Part.SYSTEM_WORKLOADS)
    workloads: tuple[Workload, ...] = look.value if isinstance(look, Known) else ()
    agents = next((one for one in workloads if one.name == "cilium" and one.updated is not None), None)
    if agents is None:
        return Sentence("")
    values: dict[str, Value] = {"updated": agents.updated, "wanted": agents.replicas}
    return Sentence(" ({updated} of {wanted} are of the DaemonSet's newest template)", values)
