"""The settings that policy is judged with: what cilium-config says, and what the version on each node makes of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from handlers.model.cluster import CiliumConfig, CiliumEndpoint, ForeignPolicies
from handlers.model.facts import Facts
from handlers.model.flow import RelayStatus
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, ConfigNotRead, Known
from handlers.policy.config import USUAL_VERSION, Beyond, ConfigError, PolicyConfig, Rival
from handlers.policy.versions import NEWEST_OF_EACH, SNAPSHOT, Version

SETTINGS_PARTS: tuple[AnyPart, ...] = (Part.CONFIG, Part.RELAY, Part.CILIUM_ENDPOINTS, Part.FOREIGN_POLICIES)
"""What tells them; each of it may be missing."""
_CLUSTER_NETWORK_POLICY, _ENABLING = "ClusterNetworkPolicy", "enable-k8s-cluster-network-policy"
_CLUSTER_LABEL = "k8s:io.cilium.k8s.policy.cluster="


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, and what is assumed about them; ``by_node`` is the version on each node that told its own."""

    config: PolicyConfig
    assumptions: tuple[str, ...]
    by_node: Mapping[str, str]
    is_chosen: bool = False
    """Whether who asks named the version: then what is assumed is what was asked for, and leaves nothing in doubt."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """What leaves an answer about the whole cluster in doubt."""
        beyond = tuple(f"it is not known what {one.what} means" for one in self.config.beyond)
        return (*(self.assumptions[1:] if self.is_chosen else self.assumptions), *beyond)

    @property
    def assumption(self) -> str | None:
        """Everything that is assumed, in one text; None where everything was read."""
        return "; ".join(self.assumptions) or None


def settings_of(facts: Facts) -> Settings:
    """Return the settings; whatever could not be read is assumed, and said."""
    return facts.once("configuration", lambda: _settings(facts))


def versions_by_node(facts: Facts) -> dict[str, str]:
    """Return the version that runs on each node, as text: by relay's peers, else by the image of the node's agent.

    None at all where who asks named the version.
    """
    look, relay = facts.look(Part.CONFIG), facts.look(Part.RELAY)
    found: dict[str, str] = {}
    if isinstance(look, ConfigNotRead):
        return {}
    if isinstance(look, Known):
        config: CiliumConfig = look.value
        if config.is_chosen:
            return {}
        found |= config.versions
    if isinstance(relay, Known):
        status: RelayStatus = relay.value
        found |= {node.name: node.version for node in status.nodes if node.version}
    return found


def _settings(facts: Facts) -> Settings:
    look = facts.look(Part.CONFIG)
    assumptions: list[str] = []
    named: str | None = None
    is_chosen = False
    options: Mapping[str, str] = {}
    if isinstance(look, Known):
        known: CiliumConfig = look.value
        options, named, is_chosen = known.options, known.version, known.is_chosen
    elif isinstance(look, ConfigNotRead):
        named, is_chosen = look.version, True
    if is_chosen:
        assumptions.append(f"judged as Cilium {named} would, as asked, whatever runs")
    if not isinstance(look, Known):
        options = {"cluster-name": _cluster_name_from_labels(facts)}
        assumptions.append(f"cilium-config could not be read ({look.detail}); Cilium's default settings are assumed")
    by_node = {name: text for name, text in versions_by_node(facts).items() if parsed(text) is not None}
    usual = Counter(by_node.values()).most_common(1)
    # An override, and the agents' own image, speak for nodes that tell nothing themselves.
    general = (named if parsed(named) else None) or (usual[0][0] if usual else None)
    try:
        config, said = _judged_with(options, general, by_node)
    except (ConfigError, ValueError) as error:
        assumptions.append(f"cilium-config was not understood ({error})")
        config, said = _judged_with({"cluster-name": options.get("cluster-name", "")}, general, by_node)
    beyond = (*config.beyond, *_foreign(options, facts))
    rivals = tuple(
        replace(rival, config=replace(rival.config, beyond=(*rival.config.beyond, *_foreign(options, facts))))
        for rival in config.rivals
    )
    return Settings(replace(config, beyond=beyond, rivals=rivals), (*assumptions, *said), by_node, is_chosen)


def _foreign(options: Mapping[str, str], facts: Facts) -> Iterator[Beyond]:
    """Name the policies that only others understand, where they exist or could."""
    look = facts.look(Part.FOREIGN_POLICIES)
    looked_for = False
    if isinstance(look, Known):
        foreign: ForeignPolicies = look.value
        looked_for = _CLUSTER_NETWORK_POLICY not in (*foreign.untold, *foreign.unlisted)
        for kind, namespace, name in foreign.found:
            yield Beyond(f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}", namespace, is_policy=True)
        for kind, reason in foreign.unlisted.items():
            yield Beyond(f"{kind}, which could not be listed ({reason})", is_policy=True)
    is_enabled = options.get(_ENABLING, "").strip().lower() in ("true", "1", "t")
    if is_enabled and not looked_for:
        yield Beyond(f"{_CLUSTER_NETWORK_POLICY} ({_ENABLING} is on, and which exist was not read)", is_policy=True)


def _judged_with(
    options: Mapping[str, str], general: str | None, by_node: Mapping[str, str]
) -> tuple[PolicyConfig, list[str]]:
    """Return the settings under the version of most nodes, beside those of other nodes, and what is said of it."""
    if general is None:
        others = [version for version in NEWEST_OF_EACH[1:] if version != USUAL_VERSION]
        config = _under(options, USUAL_VERSION)
        rivals = tuple(Rival(_under(options, version)) for version in others)
        said = f"Cilium's version is not known; the meaning of {USUAL_VERSION} is assumed"
        return replace(config, rivals=rivals), [said]
    config, said_of_it = _of_text(options, general)
    said_of_all = list(said_of_it)
    rivals = config.rivals
    apart: dict[str, set[str]] = {}
    for node, text in by_node.items():
        if parsed(text) != parsed(general):
            apart.setdefault(text, set()).add(node)
    for text, nodes in sorted(apart.items()):
        other, said_of_other = _of_text(options, text)
        rivals = (*rivals, Rival(other, frozenset(nodes)))
        said_of_all.extend(said_of_other)
    if apart:
        listed = ", ".join(f"{text} on {_some(sorted(nodes))}" for text, nodes in sorted(apart.items()))
        said_of_all.append(f"nodes run different versions of Cilium: {general}, but {listed}; each judges by its own")
    return replace(config, rivals=rivals), said_of_all


def _of_text(options: Mapping[str, str], text: str) -> tuple[PolicyConfig, list[str]]:
    """Return the settings under a version as it was written; before a release two meanings are possible."""
    version = Version.parse(text)
    if version.is_release or (version == SNAPSHOT and "-dev" in text):
        newest = next((known for known in NEWEST_OF_EACH if known.line == version.line), None)
        is_later = newest is not None and version > newest
        said = [f"Cilium {text} is newer than {newest}, as which it is judged"] if is_later else []
        return _under(options, version), said
    release = replace(version, is_release=True)
    older = next((known for known in reversed(NEWEST_OF_EACH) if known.line < version.line), NEWEST_OF_EACH[0])
    said = [f"Cilium {text} is no release; where {release} and {older} differ, nothing is said"]
    return replace(_under(options, release), rivals=(Rival(_under(options, older)),)), said


def _under(options: Mapping[str, str], version: Version) -> PolicyConfig:
    return PolicyConfig.from_cilium_config(options, str(version))


def parsed(text: str | None) -> Version | None:
    """Return a version, None for what is none."""
    try:
        return Version.parse(text) if text else None
    except ValueError:
        return None


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _cluster_name_from_labels(facts: Facts) -> str:
    """Return the cluster that the identities name, which selectors mean by default from 1.19 on."""
    look = facts.look(Part.CILIUM_ENDPOINTS)
    if isinstance(look, Known):
        endpoints: tuple[CiliumEndpoint, ...] = look.value
        labels = (label for endpoint in endpoints for label in endpoint.labels)
        return next(
            (label.removeprefix(_CLUSTER_LABEL) for label in labels if label.startswith(_CLUSTER_LABEL)), "default"
        )
    return "default"
