"""The normal form of a policy rule, common to NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy.

One ``Rule`` is one list item of a manifest (``/spec/ingress/0``); a NetworkPolicy item with several peers stays one
rule with several peers. That is the grain at which Cilium enables default deny and at which a person reads a policy
(Cilium, pkg/policy/utils/parserules.go:13-145).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from handlers.model.labels import Label, LabelSet, Network, Source, prefix_of_label


class Direction(StrEnum):
    """The side of a connection that a rule is about: entering its subject, or leaving it."""

    INGRESS = "ingress"
    EGRESS = "egress"


class Effect(StrEnum):
    """What a rule does to traffic that it matches; ``PASS`` exists from 1.20 on (hand over to the next tier)."""

    ALLOW = "allow"
    DENY = "deny"
    PASS = "pass"  # noqa: S105 - a verdict


NORMAL_TIER = 200
"""The tier of every rule before 1.20, and of all three kinds after.

Source: 1.20 pre-releases, pkg/policy/types/policyentry.go:13-18.
"""


@dataclass(frozen=True, slots=True, order=True)
class PolicyRef:
    """The name of a policy object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Write ``Kind/namespace/name``; a cluster-wide one has an empty namespace: ``Kind//name``."""
        return f"{self.kind}/{self.namespace}/{self.name}"

    @property
    def short(self) -> str:
        """``namespace/name``, or only the name of a cluster-wide policy: for sentences."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a manifest: the policy, and a JSON pointer into it such as ``/spec/ingress/0/toPorts/0/ports/1``."""

    policy: PolicyRef
    pointer: str

    def __str__(self) -> str:
        """Write ``Kind/namespace/name#/spec/ingress/0``."""
        return f"{self.policy}#{self.pointer}"

    def at(self, *steps: str | int) -> "Origin":
        """Go deeper: the same policy, the pointer extended by these steps."""
        return Origin(self.policy, self.pointer + "".join(f"/{escape_step(step)}" for step in steps))


def escape_step(step: str | int) -> str:
    """Write one step of a JSON pointer (RFC 6901: ``~`` is ``~0``, ``/`` is ``~1``)."""
    return str(step).replace("~", "~0").replace("/", "~1")


class Operator(StrEnum):
    """How a requirement compares; ``EQUALS`` is what ``matchLabels`` makes."""

    EQUALS = "Equals"
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Implied(StrEnum):
    """Why a requirement is there although nobody wrote it."""

    POLICY_NAMESPACE = "policy-namespace"
    """A namespaced policy means its own namespace unless told otherwise."""
    ANY_NAMESPACE = "any-namespace"
    """A cluster-wide policy, or ``namespaceSelector: {}``, means Kubernetes pods only."""
    LOCAL_CLUSTER = "local-cluster"
    """``policy-default-local-cluster``: peers are of this cluster unless told otherwise."""
    REMOTE_NODE = "remote-node"
    """``fromNodes`` and ``toNodes`` select remote nodes only."""
    REQUIRES = "requires"
    """``fromRequires`` or ``toRequires`` of any rule with the same subject."""
    SERVICE = "service"
    """The selector of the Service that ``toServices`` names."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One clause of a label selector. ``source`` ``any`` matches a label of every source.

    A key with source ``cidr`` is matched by every label whose prefix lies inside it (pkg/labels/labels.go, HasKey).
    """

    source: str
    key: str
    operator: Operator
    values: tuple[str, ...] = ()
    implied: Implied | None = field(default=None, compare=False)
    pointer: str = field(default="", compare=False)
    _prefix: Network | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Parse a CIDR key once."""
        object.__setattr__(self, "_prefix", prefix_of_label(self.key) if self.source == Source.CIDR else None)

    @property
    def label_key(self) -> str:
        """The key as an author would write it: the source is shown unless it is implied."""
        return self.key if self.source in (Source.ANY, Source.K8S) else f"{self.source}:{self.key}"

    def had(self, labels: LabelSet) -> Label | None:
        """Give the label of this set that the requirement looks at."""
        return labels.find(self.source, self.key)

    def matches(self, labels: LabelSet) -> bool:
        """Tell whether the labels satisfy this (pkg/k8s/slim/k8s/apis/labels/selector.go:226-281)."""
        label = labels.find(self.source, self.key)
        operator = self.operator
        if operator is Operator.EQUALS or operator is Operator.IN:
            if label is None and self._prefix is not None:
                return "" in self.values and labels.within(self._prefix)
            return label is not None and label.value in self.values
        if operator is Operator.NOT_IN:
            return label is None or label.value not in self.values
        exists = label is not None or (self._prefix is not None and labels.within(self._prefix))
        return exists if operator is Operator.EXISTS else not exists

    def __str__(self) -> str:
        """Write it the way ``kubectl`` writes selectors."""
        key = self.label_key
        if self.operator is Operator.EQUALS:
            return f"{key}={self.values[0] if self.values else ''}"
        if self.operator is Operator.EXISTS:
            return key
        if self.operator is Operator.DOES_NOT_EXIST:
            return f"!{key}"
        word = "in" if self.operator is Operator.IN else "notin"
        return f"{key} {word} ({','.join(self.values)})"


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """A conjunction of requirements over identity labels. Two equal selectors are one: compiled once, matched once.

    ``unusable`` marks a selector that the agent could not compile: it matches nothing
    (pkg/policy/api/selector.go, Matches).
    """

    requirements: tuple[Requirement, ...]
    unusable: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once; selectors are keys of many tables."""
        object.__setattr__(self, "_hash", hash((self.requirements, self.unusable)))

    def __hash__(self) -> int:
        return self._hash

    def matches(self, labels: LabelSet) -> bool:
        """Tell whether an identity with these labels is selected."""
        if self.unusable:
            return False
        for requirement in self.requirements:  # noqa: SIM110 - the innermost loop of the engine
            if not requirement.matches(labels):
                return False
        return True

    @property
    def is_wildcard(self) -> bool:
        """Whether it selects everything, outside and inside (pkg/policy/api/selector.go, IsWildcard)."""
        return not self.requirements and not self.unusable

    @property
    def is_none(self) -> bool:
        """Whether it is the entity ``none``, which selects nobody ever."""
        return len(self.requirements) == 1 and (
            self.requirements[0].source == Source.RESERVED and self.requirements[0].key == "none"
        )

    def __str__(self) -> str:
        """Write the requirements, separated by commas; nothing is ``{}``."""
        return ",".join(str(requirement) for requirement in self.requirements) or "{}"


WILDCARD = LabelSelector(())


class PeerKind(StrEnum):
    """In which field of a rule a peer was written."""

    ANY = "any"
    ENDPOINTS = "endpoints"
    NODES = "nodes"
    ENTITY = "entity"
    CIDR = "cidr"
    CIDR_GROUP = "cidr-group"
    FQDN = "fqdn"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Peer:
    """One entry of a rule's peer list: the selectors that it stands for, and how it was written.

    An entity such as ``world`` stands for several selectors; any of them matching is enough.
    """

    kind: PeerKind
    selectors: tuple[LabelSelector, ...]
    pointer: str
    written: str
    cidr: str = ""
    excepts: tuple[str, ...] = ()

    def matches(self, labels: LabelSet) -> bool:
        """Tell whether any of its selectors selects these labels."""
        return any(selector.matches(labels) for selector in self.selectors)


class PeerScope(StrEnum):
    """What the peer part of a rule says as a whole."""

    LISTED = "listed"
    """The listed peers."""
    UNRESTRICTED = "unrestricted"
    """No peer field at all.

    Anybody on the listed ports, and nobody when no ports are listed (pkg/policy/rule.go:349-388).
    """
    NOBODY = "nobody"
    """A peer field is present and empty: nobody, ports or not (pkg/policy/utils/parserules.go:147-155)."""


class L4Protocol(StrEnum):
    """The protocols that a port entry can name; ``ANY`` is TCP, UDP and SCTP with ports, and everything without."""

    ANY = "ANY"
    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMP = "ICMP"
    ICMPV6 = "ICMPv6"
    VRRP = "VRRP"
    IGMP = "IGMP"
    GRE = "GRE"
    IPIP = "IPIP"
    IPV6 = "IPV6"
    ESP = "ESP"
    AH = "AH"


@dataclass(frozen=True, slots=True)
class PortProtocol:
    """One entry of a port list. ``name`` is set instead of ``port`` for a named port; port 0 is every port.

    For ICMP the port is the ICMP type, and type 0 is every type (pkg/policy/api/icmp.go,
    pkg/policy/portrange.go:38-41).
    """

    port: int
    end_port: int
    protocol: L4Protocol
    pointer: str
    name: str = ""

    def __str__(self) -> str:
        """Write ``8080/TCP``, ``1000-2000/UDP``, ``http/TCP`` or ``ICMP type 8``."""
        if self.protocol in (L4Protocol.ICMP, L4Protocol.ICMPV6):
            return f"{self.protocol} type {self.port}" if self.port else f"{self.protocol} any type"
        if self.name:
            return f"{self.name}/{self.protocol}"
        if self.port == 0 and self.end_port in (0, 65535):
            return f"any port/{self.protocol}"
        if self.end_port > self.port:
            return f"{self.port}-{self.end_port}/{self.protocol}"
        return f"{self.port}/{self.protocol}"


class L7Kind(StrEnum):
    """Which proxy parser a port rule asks for."""

    HTTP = "http"
    DNS = "dns"
    KAFKA = "kafka"
    PROXYLIB = "l7proto"


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """One entry of ``headerMatches``; ``mismatch`` is empty (refuse), LOG, ADD, DELETE or REPLACE."""

    name: str
    value: str = ""
    mismatch: str = ""
    secret: str | None = None
    """The name of the secret that holds the value, when it is not written here."""


@dataclass(frozen=True, slots=True)
class HttpRule:
    """One HTTP rule: every field that is set must match, in full, as a regular expression (headers: literally)."""

    method: str = ""
    path: str = ""
    host: str = ""
    headers: tuple[str, ...] = ()
    header_matches: tuple[HeaderMatch, ...] = ()
    origin: Origin | None = field(default=None, compare=False)

    @property
    def is_wildcard(self) -> bool:
        """Whether it lets every request pass."""
        return not (self.method or self.path or self.host or self.headers or self.header_matches)

    def __str__(self) -> str:
        """Write it as people do: ``GET /api/.*``."""
        if self.is_wildcard:
            return "every request"
        words = [self.method or "any method", self.path or "any path"]
        if self.host:
            words.append(f"to host {self.host}")
        names = [*self.headers, *(match.name for match in self.header_matches)]
        if names:
            words.append(f"with header {' and '.join(names)}")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class DnsRule:
    """One DNS rule: a name, or a pattern in which ``*`` stays inside one label."""

    match_name: str = ""
    match_pattern: str = ""
    origin: Origin | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """Write the name or the pattern."""
        return self.match_name or self.match_pattern


@dataclass(frozen=True, slots=True)
class L7Rules:
    """The application rules of one port rule.

    Of one kind only (pkg/policy/api/rule_validation.go, L7Rules.sanitize).
    """

    kind: L7Kind
    parser: str
    """The parser name: http, dns, kafka, or the ``l7proto``."""
    http: tuple[HttpRule, ...] = ()
    dns: tuple[DnsRule, ...] = ()
    other: tuple[tuple[tuple[str, str], ...], ...] = ()
    """Kafka and proxylib rules, as sorted key and value pairs; they are carried, not judged."""

    @property
    def count(self) -> int:
        """How many rules there are."""
        return len(self.http) + len(self.dns) + len(self.other)


@dataclass(frozen=True, slots=True)
class TlsContext:
    """A reference to the secret with which the proxy ends or starts TLS."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A CiliumEnvoyConfig listener that takes the traffic; lower numbers of ``priority`` win, 0 is the lowest."""

    kind: str
    config: str
    name: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class PortRule:
    """One entry of ``toPorts``, of a NetworkPolicy's ``ports`` or of ``icmps``, with what the proxy is to check."""

    ports: tuple[PortProtocol, ...]
    pointer: str
    l7: L7Rules | None = None
    server_names: tuple[str, ...] = ()
    terminating_tls: TlsContext | None = None
    originating_tls: TlsContext | None = None
    listener: Listener | None = None


class Authentication(StrEnum):
    """Mutual authentication that a rule demands."""

    DISABLED = "disabled"
    REQUIRED = "required"
    ALWAYS_FAIL = "test-always-fail"


class SubjectKind(StrEnum):
    """What a rule applies to: endpoints (pods), or nodes through the host firewall."""

    ENDPOINTS = "endpoints"
    NODES = "nodes"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a rule applies to."""

    kind: SubjectKind
    selector: LabelSelector
    pointer: str
    namespace: str
    """The namespace of the policy; empty for cluster-wide ones, which alone can select outside it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a valid policy, in normal form.

    ``ports`` empty means every port and protocol, ICMP included. ``requires`` are the ``fromRequires`` of this item,
    which narrow every rule with the same subject (gone from 1.19 on). ``tier`` and ``priority`` are equal for all
    rules before 1.20.
    """

    direction: Direction
    effect: Effect
    subject: Subject
    scope: PeerScope
    peers: tuple[Peer, ...]
    ports: tuple[PortRule, ...]
    default_deny: bool
    origin: Origin
    authentication: Authentication | None = None
    requires: tuple[Requirement, ...] = ()
    unresolved_services: tuple[str, ...] = ()
    """What ``toServices`` names and no Service answers to.

    With ports such a rule is open to everybody (cilium#20067).
    """
    tier: int = NORMAL_TIER
    priority: float = 0.0
    may_be_void: bool = False
    """Whether it could not be told that the agent accepts the policy, or what the expressions in it match."""

    @property
    def l7(self) -> tuple[L7Rules, ...]:
        """The application rules of all its port rules."""
        return tuple(ports.l7 for ports in self.ports if ports.l7 is not None)

    @property
    def is_empty(self) -> bool:
        """Whether it names neither peers nor ports: it allows nothing, yet may isolate its subject."""
        return self.scope is PeerScope.UNRESTRICTED and not self.ports


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """How the agent takes one policy object.

    An invalid policy enforces nothing. ``ignored`` says why a valid one is not enforced either (its kind is switched
    off, or another object derived from it is enforced in its place).
    """

    policy: PolicyRef
    valid: bool
    reason: str = ""
    ignored: str = ""
    unjudged: str = ""
    """Why it could not be told whether the agent accepts it, or what its rules match; empty where it could."""

    @property
    def enforced(self) -> bool:
        """Whether its rules count."""
        return self.valid and not self.ignored


Manifest = Mapping[str, object]
"""A Kubernetes object as decoded from JSON or YAML; nothing about its inside is taken on trust."""
