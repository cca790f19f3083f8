"""The settings of the agent that change what a policy means; what its version changes is told in ``versions.py``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.model.labels import LabelFilter, LabelFilterError, LabelPattern
from handlers.model.rule import PolicyKind
from handlers.policy.versions import (
    LOCAL_CLUSTER_DEFAULT,
    LOCAL_CLUSTER_OPTION,
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


def identity_label_filter(option: str, version: Version) -> LabelFilter:
    """Tell which labels a version makes part of identities, given its ``labels`` option.

    Raises LabelFilterError for a pattern that does not compile.
    """
    return LabelFilter.from_option(
        option,
        drops_topology=TOPOLOGY_LABELS_DROPPED.holds_in(version),
        keeps_service_account=SERVICE_ACCOUNT_KEPT.holds_in(version),
    )


class ConfigError(ValueError):
    """A setting of cilium-config has a value that the agent would not start with."""


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
        kinds = {
            PolicyKind.NETWORK_POLICY: flag("enable-k8s-networkpolicy", True),
            PolicyKind.CILIUM: flag("enable-cilium-network-policy", True),
            PolicyKind.CILIUM_CLUSTERWIDE: flag("enable-cilium-clusterwide-network-policy", True),
        }
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
            kinds=frozenset(kind for kind, enabled in kinds.items() if enabled),
            label_filter=label_filter,
            node_label_patterns=node_patterns,
        )
