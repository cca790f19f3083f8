"""What a version of Cilium means for policy: the one place that knows in which release something changed.

Everything else asks ``PolicyConfig.holds(FACT)``. Each fact says what holds in its versions, since when, and where
that can be read: a place in Cilium's source, and the change upstream where there was one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A Cilium version, as far as meaning depends on it; what comes before a release is older than it."""

    major: int
    minor: int
    patch: int = 0
    is_release: bool = True

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read ``v1.18.3``, ``1.19.0-dev`` or an image tag that ends so; raises ValueError when there is no version."""
        match = re.search(
            r"(?<![\d.])v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(-(?:dev|pre|rc|snapshot))?", text, re.ASCII
        )
        if match is None:
            raise ValueError(f"no Cilium version in {text[:60]!r}")
        return cls(int(match[1]), int(match[2]), int(match[3] or 0), not match[4])

    @property
    def line(self) -> tuple[int, int]:
        """The minor release that it belongs to."""
        return self.major, self.minor

    def __str__(self) -> str:
        """Write ``1.19.3``, or ``1.19.0-dev`` for what comes before a release."""
        return f"{self.major}.{self.minor}.{self.patch}{'' if self.is_release else '-dev'}"


SNAPSHOT = Version(1, 19, 0, is_release=False)
"""The development build of 1.19 of which recordings and verdicts exist (e8aa78a5e4)."""
NEWEST_OF_EACH = (Version(1, 16, 19), Version(1, 17, 15), Version(1, 18, 11), Version(1, 19, 6), Version(1, 20, 2))
"""The newest known release of each minor release, the oldest first. The engine knows nothing newer than the last."""


@dataclass(frozen=True, slots=True)
class VersionFact:
    """One thing that changed its meaning.

    ``since`` and ``until`` hold one version for each minor release in which the change appeared: the first that has
    it, the first that no longer has it. Minor releases that neither names follow the newest that is older than they.
    """

    name: str
    meaning: str
    source: str
    since: tuple[Version, ...] = ()
    until: tuple[Version, ...] = ()
    upstream: str = ""

    def holds_in(self, version: Version) -> bool:
        """Tell whether a version has it; without ``since`` every version had it from the beginning."""
        return (not self.since or _reached(self.since, version)) and not _reached(self.until, version)


@lru_cache(maxsize=256)
def _reached(steps: tuple[Version, ...], version: Version) -> bool:
    """Tell whether a version is at or beyond the step of its own minor release, or beyond the newest step of all."""
    own = next((step for step in steps if step.line == version.line), None)
    if own is not None:
        return version >= own
    return bool(steps) and version.line > max(step.line for step in steps)


TOPOLOGY_LABELS_DROPPED = VersionFact(
    "topology-labels-dropped",
    "Labels under topology.kubernetes.io are no part of identities, so that no selector meets them.",
    "pkg/labelsfilter/filter.go, defaultLabelPrefixCfg",
    since=(Version(1, 18, 7), Version(1, 19, 0)),
    upstream="cilium#43725",
)
SERVICE_ACCOUNT_KEPT = VersionFact(
    "service-account-kept",
    "The label of the service account stays in identities whatever the labels option lists.",
    "pkg/labelsfilter/filter.go, defaultLabelPrefixCfg",
    since=(Version(1, 18, 0),),
)
LOCAL_CLUSTER_OPTION = VersionFact(
    "local-cluster-option",
    "policy-default-local-cluster exists; before, peer selectors without a cluster label mean every cluster.",
    "pkg/k8s/apis/cilium.io/utils/utils.go, addClusterFilterByDefault",
    since=(Version(1, 18, 0),),
)
LOCAL_CLUSTER_DEFAULT = VersionFact(
    "local-cluster-default",
    "Peer selectors without a cluster label mean the local cluster unless configured otherwise; with NotIn or "
    "DoesNotExist on namespaces they no longer admit the world.",
    "Documentation/operations/upgrade.rst:298-305, pkg/clustermesh/types/option.go:149",
    since=(SNAPSHOT,),
)
BLOCK_REFUSED_WITH_LOCAL_CLUSTER = VersionFact(
    "block-refused-with-local-cluster",
    "With policy-default-local-cluster an ingress NetworkPolicy whose peer is only an ipBlock is refused.",
    "pkg/k8s/network_policy.go, parseNetworkPolicyPeer; pkg/policy/api/rule_validation.go",
    since=(Version(1, 18, 0),),
    until=(SNAPSHOT,),
)
BLOCK_OPENS_NAMESPACE = VersionFact(
    "block-opens-namespace",
    "With policy-default-local-cluster an ingress peer that is only an ipBlock also selects the policy's namespace.",
    "pkg/k8s/network_policy.go, parseNetworkPolicyPeer",
    since=(SNAPSHOT,),
    until=(Version(1, 19, 5),),
    upstream="cilium#46305",
)
SERVICE_SELECTOR_LOSES_DOTS = VersionFact(
    "service-selector-loses-dots",
    "toServices with a Service whose selector has dots in a key selects nothing.",
    "pkg/policy/k8s/service.go, appendSelector",
    since=(Version(1, 17, 0),),
    until=(Version(1, 17, 15), Version(1, 18, 9), Version(1, 19, 3)),
    upstream="cilium#41151, cilium#44888, cilium#44949, cilium#44950",
)
REQUIRES_GONE = VersionFact(
    "requires-gone",
    "fromRequires and toRequires are refused; before, they narrow the other rules with the same subject.",
    "pkg/policy/api/ingress.go, egress.go",
    since=(Version(1, 19, 0),),
    upstream="cilium#42615",
)
REQUIRES_NARROW_ENTITIES = VersionFact(
    "requires-narrow-entities",
    "fromRequires and toRequires also narrow entities and nodes; before, only endpoints and a NetworkPolicy's "
    "missing from.",
    "pkg/policy/api/ingress.go:245-273 (1.18), pkg/policy/types/policyentry.go:127-145 (1.19-dev)",
    since=(SNAPSHOT,),
)
DOUBLE_STAR = VersionFact(
    "double-star",
    "A DNS pattern that starts with **. matches any number of labels; before, it is the same as *.",
    "pkg/fqdn/matchpattern/matchpattern.go",
    since=(Version(1, 19, 0),),
    upstream="cilium#43420",
)
ZERO_PREFIX_IS_WORLD = VersionFact(
    "zero-prefix-is-world",
    "A prefix of length 0 means the world's label alone: with policy-cidr-match-mode=nodes it selects no nodes.",
    "pkg/labels/cidr.go, IPStringToLabel and getWorldLabel",
    since=(Version(1, 19, 0),),
)
WORLD_SPLITS = VersionFact(
    "world-splits",
    "With dual stack, who selects reserved:world also selects what is outside over IPv4 and over IPv6.",
    "pkg/policy/l4.go:761-773 (1.17)",
    until=(Version(1, 18, 0),),
)
EXTENDED_PROTOCOLS = VersionFact(
    "extended-protocols",
    "VRRP and IGMP are protocols, and with enable-extended-ip-protocols a port may be left out.",
    "pkg/policy/api/l4.go, rule_validation.go",
    since=(SNAPSHOT,),
)
SECTIONS_REQUIRED = VersionFact(
    "sections-required",
    "A Cilium rule without any non-empty section is refused; before, it was accepted and did nothing.",
    "pkg/policy/api/rule_validation.go:43-45",
    since=(Version(1, 17, 0),),
    upstream="cilium#35904",
)
DENY_SECTIONS_CHECKED = VersionFact(
    "deny-sections-checked",
    "ingressDeny and egressDeny are checked like the allow sections; before, nobody checked them.",
    "pkg/policy/api/rule_validation.go:93-104",
    since=(Version(1, 17, 0),),
    upstream="cilium#36598",
)
L7_OPEN_WITHOUT_DEFAULT_DENY = VersionFact(
    "l7-open-without-default-deny",
    "Without default deny, application rules refuse nothing; before, DNS rules did.",
    "pkg/policy/l4.go:1062-1078",
    since=(Version(1, 17, 4), Version(1, 18, 0)),
    upstream="cilium#38841",
)
REDIRECT_FIRST = VersionFact(
    "redirect-first",
    "Of two allows that cover a flow, one that redirects to a proxy wins; before, the more specific port did.",
    "bpf/lib/policy.h, commit d169b04fb6",
    since=(Version(1, 17, 0),),
)
SERVICE_SELECTORS = VersionFact(
    "service-selectors",
    "toServices also means Services with a selector, and stands beside toPorts; before, it was refused with ports.",
    "pkg/policy/k8s/service.go, pkg/policy/api/rule_validation.go",
    since=(Version(1, 17, 0),),
    upstream="cilium#34208",
)
CIDR_GROUP_LABELS = VersionFact(
    "cidr-group-labels",
    "cidrGroupSelector selects CIDR groups by label; before, the field did not exist.",
    "pkg/policy/api/cidr.go, commit 047f39febc",
    since=(Version(1, 17, 0),),
)
HOST_DNS = VersionFact(
    "host-dns",
    "Host policies may have DNS rules; before, no application rules at all.",
    "pkg/policy/api/rule_validation.go:304-335",
    since=(Version(1, 17, 0),),
)
NAMED_PORTS_PER_PEER = VersionFact(
    "named-ports-per-peer",
    "A port name in an egress rule stands for each peer's own port; before, for the one number that all pods agree "
    "on, and for none where they do not.",
    "pkg/policy/l4.go:805-822, pkg/types/portmap.go, GetNamedPorts",
    since=(Version(1, 20, 0),),
    upstream="cilium#45760",
)
LOCALHOST_NEEDS_A_RULE = VersionFact(
    "localhost-needs-a-rule",
    "A node reaches the pods on it only where an ingress rule selects them: under enable-policy=always, and before an "
    "endpoint has labels, it is denied like others.",
    "pkg/policy/repository.go:484-495",
    since=(Version(1, 20, 0),),
    upstream="cilium#44590 (open: #48444, #48454, #48527)",
)
CLUSTER_MESH_ENTITY = VersionFact(
    "cluster-mesh-entity",
    "The entity cluster-mesh is known: everything in all clusters of the mesh; before, its rule was refused.",
    "pkg/policy/api/entity.go:137-149",
    since=(Version(1, 20, 0),),
    upstream="cilium#46813",
)
GROUPS_ARE_CIDR_GROUPS = VersionFact(
    "groups-are-cidr-groups",
    "toGroups and fromGroups are enforced by the agent, which looks for a CiliumCIDRGroup of theirs; before, the "
    "operator derived another policy and the agent ignored this one.",
    "pkg/policy/api/groups.go, pkg/policy/utils/parserules.go",
    since=(Version(1, 20, 0),),
    upstream="cilium#44704",
)
HOST_BY_IDENTITY = VersionFact(
    "host-by-identity",
    "Who is the host is told by the number of its identity: a pod with a label named host is under policy.",
    "pkg/policy/repository.go:398",
    since=(Version(1, 20, 2),),
)
RESERVED_NEEDS_COLON = VersionFact(
    "reserved-needs-colon",
    "A label key that starts with reserved. is one like others; before, it was a reserved label.",
    "pkg/labels/labels.go, parseSource",
    since=(Version(1, 20, 0),),
)
KAFKA_GONE = VersionFact(
    "kafka-gone",
    "kafka, l7 and l7proto are unknown fields that the agent does not see.",
    "pkg/policy/api/l4.go, L7Rules",
    since=(Version(1, 20, 0),),
    upstream="cilium#43557",
)
EXCEPT_MUST_BE_NARROWER = VersionFact(
    "except-must-be-narrower",
    "An exception wider than its prefix is refused; before, its address only had to lie inside.",
    "pkg/policy/api/rule_validation.go:729",
    since=(Version(1, 20, 0),),
)
TUNNEL_PROTOCOLS = VersionFact(
    "tunnel-protocols",
    "GRE, IPIP, IPV6, ESP and AH are protocols.",
    "pkg/policy/api/l4.go, rule_validation.go:595-605",
    since=(Version(1, 20, 0),),
)
OVERLAPPING_PORTS_KEEP_OPEN = VersionFact(
    "overlapping-ports-keep-open",
    "A plain allow keeps its meaning in the proxy where an HTTP rule of a wider or narrower port range overlaps it.",
    "cilium/proxy, cilium/network_policy.cc, PortNetworkPolicyRules::append",
    since=(Version(1, 20, 0),),
)

VERSION_FACTS = tuple(fact for fact in tuple(globals().values()) if isinstance(fact, VersionFact))
"""Everything in this engine that depends on the version, from 1.16 on."""
