"""Every agent goes by what cilium-config and the CiliumNodeConfigs set for its node.

An agent reads its configuration when it starts: what is changed later waits for the next start. Some options can be
changed in a running agent, and then differ until it starts again.
"""

from collections.abc import Iterator

from handlers.commands.config import Config
from handlers.configuration.effective import ALIASES, OF_EACH_NODE, short, shown
from handlers.connection.coverage import nodes_in_words, unread_alike
from handlers.connection.node_options import (
    CONFIG_MAP,
    actual_on,
    agent_config,
    is_about,
    is_in_force,
    overrides_on,
    wanted_on,
)
from handlers.connection.observation import clock
from handlers.model.change import newest
from handlers.model.cluster import Node
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.snapshot import Gap, Missing
from handlers.probes.probe import probe

CONFIG_NOT_IN_FORCE = code(
    "CONFIG_NOT_IN_FORCE",
    meaning="An agent goes by another value than is set: it has not been started again since, or was changed while it "
    "ran.",
    template="{nodes} go{count:es|} by {option} {actual}, while {by} says {wanted}{since}",
    reason="{nodes} go{count:es|} by {option} {actual}, not {wanted}",
    advice="Start the agents again for it to count: kubectl -n kube-system rollout restart daemonset/cilium.",
)
CONFIG_DIFFERS = code(
    "CONFIG_DIFFERS",
    meaning="Agents differ in an option that nothing sets for them, and that has to be alike on all nodes.",
    template="Nodes differ in {option}: {values}",
    advice="Compare the agents' versions and arguments; start the agents again that differ.",
)
CONFIG_OVERRIDDEN = code(
    "CONFIG_OVERRIDDEN",
    meaning="A CiliumNodeConfig sets options on some nodes: a note.",
    template="{override} sets {options} on {nodes}",
)
CONFIG_UNREAD = code(
    "CONFIG_UNREAD",
    meaning="What an agent goes by could not be read.",
    template="What {count} agent{count: goes|s go} by was not read ({nodes}): {detail}",
)
OVERRIDES_UNREAD = code(
    "OVERRIDES_UNREAD",
    meaning="The CiliumNodeConfigs could not be read, which may set options on some nodes.",
    template="Whether CiliumNodeConfigs set options on some nodes could not be read: {detail}",
)
CONFIG_IN_FORCE = code(
    "CONFIG_IN_FORCE",
    meaning="What is set and can be compared is what the agents go by.",
    template="{options} option{options:|s} of cilium-config {options:is|are} in force on {count} node{count:|s}",
)
_ALIKE = frozenset(
    map(
        short,
        "RoutingMode TunnelProtocol IPAM EnableIPv4 EnableIPv6 EnablePolicy PolicyAuditMode EnableBPFMasquerade "
        "EnableWireguard EnableIPSec EncryptNode ClusterName ClusterID IdentityAllocationMode EnableHostFirewall "
        "EnableEgressGateway EnableL7Proxy DatapathMode EnableAutoDirectRouting PolicyEnforcement".split(),
    )
)


@probe(
    answers=(Config,),
    codes=(
        *(CONFIG_NOT_IN_FORCE, CONFIG_DIFFERS, CONFIG_OVERRIDDEN, CONFIG_UNREAD, OVERRIDES_UNREAD),
        CONFIG_IN_FORCE,
    ),
    needs=(Part.NODES, Part.CONFIG, Part.AGENT_CONFIG),
    uses=(Part.NODE_CONFIGS,),
    blocking=True,
)
def config_is_in_force(question: Config, facts: Facts) -> Iterator[Finding]:
    """Hold what is set against what each agent tells."""
    unread = {
        node.name: answer
        for node in facts.nodes
        if isinstance(answer := facts.value(Part.AGENT_CONFIG).on(node.name), Missing)
    }
    for alike, missing in unread_alike(unread):
        yield CONFIG_UNREAD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=missing.remedy,
            weight=30,
            count=len(alike),
            nodes=nodes_in_words(alike),
            detail=missing.detail,
        )
    look = facts.look(Part.NODE_CONFIGS)
    if isinstance(look, Missing):
        yield OVERRIDES_UNREAD.finding(
            Outcome.UNKNOWN, blocking=look.gap is not Gap.NOT_IN_DUMP, advice=look.remedy, detail=look.detail
        )
    read = [node for node in facts.nodes if node.name not in unread]
    yield from _overrides(facts.nodes, question.key, facts)
    wrong = list(_not_in_force(read, question.key, facts))
    yield from wrong
    wrong = [finding for finding in wrong if finding.outcome is not Outcome.FINE]
    differing = list(_differing(read, question.key, facts))
    yield from differing
    compared = [
        option
        for option, value in facts.value(Part.CONFIG).options.items()
        if is_about(option, question.key) and any(is_in_force(node.name, option, value, facts) for node in read)
    ]
    if compared and not wrong and not differing:
        yield CONFIG_IN_FORCE.finding(Outcome.FINE, options=len(compared), count=len(read))


def _not_in_force(nodes: list[Node], key: str, facts: Facts) -> Iterator[Finding]:
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for node in nodes:
        for option, wanted in wanted_on(node, facts).items():
            if is_about(option, key) and is_in_force(node.name, option, wanted.value, facts) is False:
                actual = actual_on(node.name, option, facts) or ""
                found.setdefault((option, wanted.value, wanted.by, actual), []).append(node.name)
    for (option, value, by, actual), names in sorted(found.items()):
        # What follows a node's own devices and addresses may stand in the arguments of its agent, which win.
        is_own = short(ALIASES.get(option, option)) in OF_EACH_NODE and not actual.isdecimal()
        ref = f"ConfigMap//{CONFIG_MAP}" if by == CONFIG_MAP else by
        # An override that could not be read may be why some agents go by another value, not all.
        may_be_set = isinstance(facts.look(Part.NODE_CONFIGS), Missing) and len(names) < len(nodes)
        yield CONFIG_NOT_IN_FORCE.finding(
            Outcome.FINE if is_own else Outcome.UNKNOWN if may_be_set else Outcome.PROBLEM,
            blocking=True,
            evidence=[
                Evidence("kubernetes", ref, f"/data/{option}" if by == CONFIG_MAP else f"/spec/defaults/{option}"),
                *(Evidence("agent", f"Node//{name}") for name in names[:5]),
            ],
            follow_up=f"config {option}",
            weight=60 + (20 if short(ALIASES.get(option, option)) in _ALIKE else 0),
            nodes=nodes_in_words(names),
            count=len(names),
            option=option,
            actual=shown(option, actual),
            by=by,
            wanted=shown(option, value),
            since=_since(names[0], facts),
        )


def _since(node: str, facts: Facts) -> str:
    """Return why an agent may not know what is set: it started before that was changed."""
    config = agent_config(node, facts)
    change = newest(change for change in facts.value(Part.CONFIG).changes if not change.is_creation)
    if config is None or config.started_at is None or change is None:
        return ""
    started = clock(config.started_at)
    if change.at <= config.started_at:
        return f"; the agent started at {started}, after {CONFIG_MAP} was last changed"
    return f"; {change.manager} changed {CONFIG_MAP} at {clock(change.at)}, and the agent has run since {started}"


def _differing(nodes: list[Node], key: str, facts: Facts) -> Iterator[Finding]:
    """Yield what differs from node to node though nothing sets it."""
    by_option: dict[str, dict[str, list[str]]] = {}
    is_set = {short(ALIASES.get(option, option)) for node in nodes for option in wanted_on(node, facts)}
    for node in nodes:
        config = agent_config(node.name, facts)
        for option, value in (config.options if config else {}).items():
            if short(option) in _ALIKE - OF_EACH_NODE - is_set and is_about(option, key):
                by_option.setdefault(option, {}).setdefault(value, []).append(node.name)
    for option, values in sorted(by_option.items()):
        if len(values) > 1:
            yield CONFIG_DIFFERS.finding(
                Outcome.PROBLEM,
                evidence=[Evidence("agent", f"Node//{names[0]}", excerpt=value) for value, names in values.items()],
                follow_up=f"config {option}",
                weight=70,
                option=option,
                values="; ".join(
                    f"{shown(option, value)} on {', '.join(nodes_in_words(names))}" for value, names in values.items()
                ),
            )


def _overrides(nodes: tuple[Node, ...], key: str, facts: Facts) -> Iterator[Finding]:
    found: dict[str, tuple[tuple[str, ...], list[str]]] = {}
    for node in nodes:
        for override in overrides_on(node, facts):
            options = tuple(f"{option}={shown(option, value)}" for option, value in override.options.items())
            if any(is_about(option, key) for option in override.options):
                found.setdefault(override.ref, (options, []))[1].append(node.name)
    for ref, (options, names) in sorted(found.items()):
        yield CONFIG_OVERRIDDEN.finding(
            Outcome.FINE,
            evidence=[Evidence("kubernetes", ref, "/spec/defaults")],
            weight=20,
            override=ref,
            options=options[:8],
            nodes=nodes_in_words(names),
        )
