"""The settings of the agent that change what a policy means, and what differs between versions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.model.labels import LabelFilter, LabelFilterError, LabelPattern
from handlers.model.rule import PolicyKind


class Enforcement(StrEnum):
    """When policy is enforced at all (flag ``enable-policy``; Documentation/security/policy/intro.rst:18-47)."""

    DEFAULT = "default"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A Cilium version, as far as meaning depends on it."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read ``v1.18.3``, ``1.19.0-dev`` or an image tag that ends so; raises ValueError when there is no version."""
        match = re.search(r"(?<![\d.])v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?", text, re.ASCII)
        if match is None:
            raise ValueError(f"no Cilium version in {text[:60]!r}")
        return cls(int(match[1]), int(match[2]), int(match[3] or 0))

    def __str__(self) -> str:
        """Write ``1.19.3``."""
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class VersionFact:
    """One thing that changed its meaning: since when, and where that can be read."""

    name: str
    since: Version
    meaning: str
    source: str


LOCAL_CLUSTER_DEFAULT = VersionFact(
    "local-cluster-default",
    Version(1, 19),
    "Peer selectors without a cluster label mean the local cluster; before, every cluster of the mesh.",
    "Documentation/operations/upgrade.rst:298-305, pkg/clustermesh/types/option.go:149",
)
REQUIRES_GONE = VersionFact(
    "requires-gone",
    Version(1, 19),
    "fromRequires and toRequires are refused; before, they narrow every rule with the same subject.",
    "cilium#42615",
)
DOUBLE_STAR = VersionFact(
    "double-star",
    Version(1, 19),
    "A DNS pattern that starts with **. matches any number of labels; before, it is the same as *.",
    "cilium#43420",
)
SECTIONS_REQUIRED = VersionFact(
    "sections-required",
    Version(1, 18),
    "A Cilium rule without any non-empty section is invalid; before, it was accepted and did nothing.",
    "pkg/policy/api/rule_validation.go:43-45, commit 4af386d181",
)
DENY_SECTIONS_CHECKED = VersionFact(
    "deny-sections-checked",
    Version(1, 18),
    "ingressDeny and egressDeny are checked like the allow sections; before, nobody checked them.",
    "pkg/policy/api/rule_validation.go:93-104, commit 91cd89e2a8",
)
L7_OPEN_WITHOUT_DEFAULT_DENY = VersionFact(
    "l7-open-without-default-deny",
    Version(1, 18),
    "Without default deny, application rules refuse nothing; before, DNS rules did.",
    "pkg/policy/l4.go:1062-1078, commit e0a7378d04",
)
REDIRECT_FIRST = VersionFact(
    "redirect-first",
    Version(1, 17),
    "Of two allows that cover a flow, one that redirects to a proxy wins; before, the more specific port did.",
    "bpf/lib/policy.h, commit d169b04fb6",
)
SERVICE_SELECTORS = VersionFact(
    "service-selectors",
    Version(1, 17),
    "toServices also means Services with a selector, and stands beside toPorts; before, it was refused with ports.",
    "pkg/policy/k8s/service.go, pkg/policy/api/rule_validation.go, commit 0b0c38f67f",
)
CIDR_GROUP_LABELS = VersionFact(
    "cidr-group-labels",
    Version(1, 17),
    "cidrGroupSelector selects CIDR groups by label; before, the field did not exist.",
    "pkg/policy/api/cidr.go, commit 047f39febc",
)
HOST_DNS = VersionFact(
    "host-dns",
    Version(1, 17),
    "Host policies may have DNS rules; before, no application rules at all.",
    "pkg/policy/api/rule_validation.go:304-335",
)
BARE_ADDRESS_REFUSED = VersionFact(
    "bare-address-refused",
    Version(1, 20),
    "A CIDR field refuses an address without a prefix length.",
    "1.20 pre-releases, pkg/policy/api/rule_validation.go",
)
OVERLAPPING_PORTS_KEEP_OPEN = VersionFact(
    "overlapping-ports-keep-open",
    Version(1, 20),
    "A plain allow keeps its meaning in the proxy where an HTTP rule of a wider or narrower port range overlaps it.",
    "cilium/proxy, cilium/network_policy.cc, PortNetworkPolicyRules::append",
)

VERSION_FACTS = (
    LOCAL_CLUSTER_DEFAULT,
    REQUIRES_GONE,
    DOUBLE_STAR,
    SECTIONS_REQUIRED,
    DENY_SECTIONS_CHECKED,
    L7_OPEN_WITHOUT_DEFAULT_DENY,
    REDIRECT_FIRST,
    SERVICE_SELECTORS,
    CIDR_GROUP_LABELS,
    HOST_DNS,
    BARE_ADDRESS_REFUSED,
    OVERLAPPING_PORTS_KEEP_OPEN,
)
"""Everything in this engine that depends on the version, from 1.16 on."""

SNAPSHOT = Version(1, 19)
_ALL_KINDS = frozenset(PolicyKind)


class ConfigError(ValueError):
    """A setting of cilium-config has a value that the agent would not start with."""


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """What the engine needs to know of the agent's configuration; the defaults are those of Cilium 1.19 on Kubernetes.

    ``undone`` switches single version facts off: it exists to reproduce development snapshots.
    """

    version: Version = SNAPSHOT
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
    undone: frozenset[str] = frozenset()
    network_policy_block_opens_namespace: bool = False
    """An ingress peer that is only an ipBlock also selects the namespace: a bug of 1.19 snapshots (cilium#46305)."""
    service_selector_loses_dots: bool = False
    """A Service selector with dots in a key selects nothing: a bug of 1.19 snapshots (cilium#41151)."""

    def holds(self, fact: VersionFact) -> bool:
        """Tell whether this version has the fact."""
        return self.version >= fact.since and fact.name not in self.undone

    @property
    def dual_stack(self) -> bool:
        """Whether IPv4 and IPv6 are both on: then the world has two identities (pkg/option/config.go, IsDualStack)."""
        return self.ipv4 and self.ipv6

    @property
    def selector_cluster(self) -> str:
        """The cluster that a peer selector means when it names none; empty means every cluster."""
        return self.cluster_name if self.default_local_cluster else ""

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
            label_filter = LabelFilter.from_option(options.get("labels", ""))
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
            default_local_cluster=flag("policy-default-local-cluster", parsed >= LOCAL_CLUSTER_DEFAULT.since),
            extended_protocols=flag("enable-extended-ip-protocols", False),
            l7_proxy=flag("enable-l7-proxy", True),
            icmp_rules=flag("enable-icmp-rules", True),
            kinds=frozenset(kind for kind, enabled in kinds.items() if enabled),
            label_filter=label_filter,
            node_label_patterns=node_patterns,
        )
