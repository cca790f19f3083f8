"""The settings of the agent that change what a policy means; what its version changes is told in ``versions.py``."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.model.labels import LabelFilter, LabelFilterError, LabelPattern
from handlers.model.policy_kind import PolicyKind
from handlers.policy.versions import (
    LOCAL_CLUSTER_DEFAULT,
    LOCAL_CLUSTER_OPTION,
    NEWEST_OF_EACH,
    SERVICE_ACCOUNT_KEPT,
    TOPOLOGY_LABELS_DROPPED,
    Version,
    VersionFact,
)


class Enforcement(StrEnum):
    """When policy is enforced at all (flag ``enable-policy``; Documentation/security/policy/intro.rst:18-47)."""

    DEFAULT = "default"
    ALWAYS = "always"
    NEVER = "never"


USUAL_VERSION = Version(1, 19, 6)
"""The version whose meaning is assumed where none is known."""
_ALL_KINDS = frozenset(PolicyKind)


@dataclass(frozen=True, slots=True)
class Beyond:
    """Something in force whose meaning this engine does not know: what it could matter for is not decided.

    ``namespace`` is where it can matter, empty for everywhere. ``is_policy`` says that it is a policy of its own; else
    it changes what others mean, and matters only where one of those selects.
    """

    what: str
    namespace: str = ""
    is_policy: bool = False


def identity_label_filter(option: str, version: Version) -> LabelFilter:
    """Tell which labels a version makes part of identities, given its ``labels`` option.

    Raises LabelFilterError for a pattern that does not compile.
    """
    return LabelFilter.from_option(
        option,
        drops_topology=TOPOLOGY_LABELS_DROPPED.holds_in(version),
        keeps_service_account=SERVICE_ACCOUNT_KEPT.holds_in(version),
    )


def beyond_version(version: Version) -> tuple[Beyond, ...]:
    """Name a version that is newer, or older, than every known one."""
    oldest, newest = NEWEST_OF_EACH[0], NEWEST_OF_EACH[-1]
    if oldest.line <= version.line <= newest.line:
        return ()
    return (Beyond(f"Cilium {version} (known are {oldest.major}.{oldest.minor} to {newest.major}.{newest.minor})"),)


def _beyond_options(options: Mapping[str, str]) -> Iterator[Beyond]:
    if "pods" in re.split(r"[\s,]+", options.get("policy-cidr-match-mode", "")):
        yield Beyond("policy-cidr-match-mode=pods")


class ConfigError(ValueError):
    """A setting of cilium-config has a value that the agent would not start with."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Other settings that judge on some nodes, or that could be those of every node (None)."""

    config: "PolicyConfig"
    nodes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """What the engine needs to know of the agent's configuration; the defaults are those of Cilium 1.19 on Kubernetes.

    ``undone`` switches single version facts off: it exists to reproduce builds that are no release.
    """

    version: Version = USUAL_VERSION
    enforcement: Enforcement = Enforcement.DEFAULT
    cluster_name: str = "default"
    always_allow_localhost: bool = True
    audit_mode: bool = False
    cidr_matches_nodes: bool = False
    host_firewall: bool = False
    node_selector_labels: bool = False
    non_default_deny: bool = True
    ipv4: bool = True
    ipv6: bool = False
    default_local_cluster: bool = True
    extended_protocols: bool = False
    l7_proxy: bool = True
    icmp_rules: bool = True
    kinds: frozenset[PolicyKind] = _ALL_KINDS
    label_filter: LabelFilter = field(default_factory=LabelFilter)
    node_label_patterns: tuple[LabelPattern, ...] = ()
    undone: frozenset[VersionFact] = frozenset()
    beyond: tuple[Beyond, ...] = ()
    rivals: tuple[Rival, ...] = ()

    def holds(self, fact: VersionFact) -> bool:
        """Tell whether this version has the fact."""
        return fact.holds_in(self.version) and fact not in self.undone

    @property
    def dual_stack(self) -> bool:
        """Whether IPv4 and IPv6 are both on: then the world has two identities (pkg/option/config.go, IsDualStack)."""
        return self.ipv4 and self.ipv6

    @property
    def selector_cluster(self) -> str:
        """The cluster that a peer selector means when it names none; empty means every cluster."""
        return self.cluster_name if self.default_local_cluster and self.holds(LOCAL_CLUSTER_OPTION) else ""

    @classmethod
    def from_cilium_config(cls, options: Mapping[str, str], version: str) -> "PolicyConfig":
        """Read the data of the ``cilium-config`` ConfigMap and the agent's version.

        Options that are absent take the default of that version. Raises ConfigError when a value is none that the
        agent takes, and ValueError when the version cannot be read.
        """
        parsed = Version.parse(version)

        def flag(name: str, default: bool) -> bool:
            text = options.get(name, "").strip().lower()
            if text in ("", "true", "1", "t", "false", "0", "f"):
                return default if not text else text in ("true", "1", "t")
            raise ConfigError(f"{name} must be true or false, not {text[:40]!r}")

        enforcement = options.get("enable-policy", "").strip().lower() or "default"
        if enforcement not in tuple(Enforcement):
            raise ConfigError(f"enable-policy must be default, always or never, not {enforcement[:40]!r}")
        localhost = options.get("allow-localhost", "").strip().lower() or "auto"
        if localhost not in ("auto", "always", "policy"):
            raise ConfigError(f"allow-localhost must be auto, always or policy, not {localhost[:40]!r}")
        try:
            label_filter = identity_label_filter(options.get("labels", ""), parsed)
            node_patterns = tuple(LabelPattern.parse(text) for text in options.get("node-labels", "").split())
        except LabelFilterError as error:
            raise ConfigError(str(error)) from error
        return cls(
            version=parsed,
            enforcement=Enforcement(enforcement),
            cluster_name=options.get("cluster-name", "").strip() or "default",
            always_allow_localhost=localhost != "policy",
            audit_mode=flag("policy-audit-mode", False),
            cidr_matches_nodes="nodes" in re.split(r"[\s,]+", options.get("policy-cidr-match-mode", "")),
            host_firewall=flag("enable-host-firewall", False),
            node_selector_labels=flag("enable-node-selector-labels", False),
            non_default_deny=flag("enable-non-default-deny-policies", True),
            ipv4=flag("enable-ipv4", True),
            ipv6=flag("enable-ipv6", True),
            default_local_cluster=flag("policy-default-local-cluster", LOCAL_CLUSTER_DEFAULT.holds_in(parsed)),
            extended_protocols=flag("enable-extended-ip-protocols", False),
            l7_proxy=flag("enable-l7-proxy", True),
            icmp_rules=flag("enable-icmp-rules", True),
            kinds=frozenset(kind for kind in PolicyKind if flag(kind.api.switch, True)),
            label_filter=label_filter,
            node_label_patterns=node_patterns,
            beyond=(*beyond_version(parsed), *_beyond_options(options)),
        )
