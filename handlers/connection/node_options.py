"""What is set for each node: cilium-config, and the CiliumNodeConfigs that select it, over it."""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.configuration.effective import agrees, field_of, short
from handlers.egress.selectors import selector_matches
from handlers.model.agent import AgentConfig
from handlers.model.cluster import Node, NodeConfig
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known

CONFIG_MAP = "cilium-config"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that is set for a node, and the object that sets it."""

    value: str
    by: str


def wanted_on(node: Node, facts: Facts) -> Mapping[str, Wanted]:
    """Return what is set for a node, by option.

    Raises:
        PartMissingError: if cilium-config was not read.
    """
    found = {option: Wanted(value, CONFIG_MAP) for option, value in facts.value(Part.CONFIG).options.items()}
    for override in overrides_on(node, facts):
        found.update({option: Wanted(value, override.ref) for option, value in override.options.items()})
    return found


def overrides_on(node: Node, facts: Facts) -> tuple[NodeConfig, ...]:
    """Return the CiliumNodeConfigs that select a node; those of other namespaces than Cilium's are among them."""
    look = facts.look(Part.NODE_CONFIGS)
    configs: tuple[NodeConfig, ...] = look.value if isinstance(look, Known) else ()
    return tuple(one for one in configs if selector_matches(one.node_selector, node.labels))


def agent_config(node: str, facts: Facts) -> AgentConfig | None:
    """Return what a node's agent goes by, None where it was not read."""
    look = facts.look(Part.AGENT_CONFIG)
    answer = look.value.on(node) if isinstance(look, Known) else None
    return answer.value if isinstance(answer, Known) else None


def actual_on(node: str, option: str, facts: Facts) -> str | None:
    """Return the value that a node's agent goes by, None where it does not tell."""
    config = agent_config(node, facts)
    name = field_of(option, config.options) if config else None
    return config.options[name] if config and name else None


def is_in_force(node: str, option: str, wanted: str, facts: Facts) -> bool | None:
    """Whether a node's agent goes by a value; None where that cannot be told."""
    actual = actual_on(node, option, facts)
    return None if actual is None else agrees(option, wanted, actual)


def is_about(option: str, key: str) -> bool:
    """Whether a question about a key means an option: by a part of its name, however that is written."""
    return short(key) in short(option)
