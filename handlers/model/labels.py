"""Security labels: what Cilium's policy sees of a workload instead of its address.

A label is written ``source:key=value`` (``k8s:app=web``, ``reserved:host``, ``cidr:10.0.0.0/8``). The set of labels
of an endpoint is its identity; selectors match on it, and on nothing else.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

NAMESPACE_LABEL = "io.kubernetes.pod.namespace"
NAMESPACE_LABELS_PREFIX = "io.cilium.k8s.namespace.labels"
CLUSTER_LABEL = "io.cilium.k8s.policy.cluster"
SERVICE_ACCOUNT_LABEL = "io.cilium.k8s.policy.serviceaccount"
CIDR_GROUP_NAME_PREFIX = "io.cilium.policy.cidrgroupname"
CILIUM_LABEL_PREFIX = "io.cilium.k8s"

Network = IPv4Network | IPv6Network


class Source(StrEnum):
    """Where a label comes from (Cilium, pkg/labels/labels.go:125-175)."""

    ANY = "any"
    K8S = "k8s"
    RESERVED = "reserved"
    CIDR = "cidr"
    CIDR_GROUP = "cidrgroup"
    FQDN = "fqdn"
    NODE = "node"
    UNSPEC = "unspec"


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """One label; ``str()`` gives Cilium's own notation."""

    key: str
    source: str = Source.K8S
    value: str = ""

    def __str__(self) -> str:
        """Write ``source:key=value``, or ``source:key`` when the value is empty."""
        return f"{self.source}:{self.key}={self.value}" if self.value else f"{self.source}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> "Label":
        """Read ``source:key=value``; without a source it is ``unspec`` (pkg/labels/labels.go, parseLabel).

        ``$host`` is the short form of ``reserved:host``.
        """
        if text.startswith("$"):
            source, rest = str(Source.RESERVED), text[1:]
        else:
            source, separator, rest = text.partition(":")
            if not separator:
                source, rest = str(Source.UNSPEC), text
        key, _, value = rest.partition("=")
        if source == Source.RESERVED and not key:
            key, value = value, ""
        return cls(key=key, source=source or str(Source.UNSPEC), value=value)


def prefix_of_label(key: str) -> Network | None:
    """Give the prefix that the key of a ``cidr:`` label stands for, or None when it is none.

    IPv6 colons are written as dashes there (pkg/labels/cidr.go, LabelToPrefix).
    """
    try:
        return ip_network(key.replace("-", ":"), strict=False)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class LabelSet:
    """An identity's labels: immutable, hashable, at most one label for each key (pkg/labels/labels.go, Labels)."""

    labels: tuple[Label, ...]
    _by_key: Mapping[str, Label] = field(init=False, repr=False, compare=False, hash=False)
    _prefixes: tuple[Network, ...] = field(init=False, repr=False, compare=False, hash=False)
    _hash: int = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        """Index by key; of two labels with one key the later wins, as in a map."""
        by_key = {label.key: label for label in self.labels}
        ordered = tuple(sorted(by_key.values()))
        prefixes = [prefix_of_label(label.key) for label in ordered if label.source == Source.CIDR]
        object.__setattr__(self, "labels", ordered)
        object.__setattr__(self, "_by_key", by_key)
        object.__setattr__(self, "_prefixes", tuple(prefix for prefix in prefixes if prefix is not None))
        object.__setattr__(self, "_hash", hash(ordered))

    def __hash__(self) -> int:
        """Hash once: identities are looked up far more often than made."""
        return self._hash

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "LabelSet":
        """Read labels in ``source:key=value`` notation, as CiliumEndpoint and CiliumIdentity list them."""
        return _parsed(tuple(texts))

    @classmethod
    def reserved(cls, *names: str) -> "LabelSet":
        """Give the identity with only these reserved labels."""
        return cls(tuple(Label(key=name, source=Source.RESERVED) for name in names))

    def strings(self) -> tuple[str, ...]:
        """Write every label in ``source:key=value`` notation, ordered by key."""
        return tuple(str(label) for label in self.labels)

    def find(self, source: str, key: str) -> Label | None:
        """Give the label with this key; source ``any`` matches every source (pkg/labels/labels.go, HasKey)."""
        label = self._by_key.get(key)
        if label is not None and (source in (Source.ANY, label.source)):
            return label
        return None

    def within(self, prefix: Network) -> bool:
        """Tell whether a ``cidr:`` label lies in this prefix (pkg/labels/labels.go, HasKey for two CIDR labels)."""
        return any(mine.version == prefix.version and mine.subnet_of(prefix) for mine in self._prefixes)  # type: ignore[arg-type]

    def has_reserved(self, name: str) -> bool:
        """Tell whether ``reserved:name`` is among the labels."""
        label = self._by_key.get(name)
        return label is not None and label.source == Source.RESERVED

    def with_labels(self, more: Iterable[Label]) -> "LabelSet":
        """Give the set with these labels added; they replace labels of the same key."""
        return LabelSet((*self.labels, *more))

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace in the labels, or an empty text."""
        label = self.find(Source.K8S, NAMESPACE_LABEL)
        return label.value if label else ""

    @property
    def cluster(self) -> str:
        """The cluster name in the labels, or an empty text."""
        label = self.find(Source.K8S, CLUSTER_LABEL)
        return label.value if label else ""


class LabelFilterError(ValueError):
    """The ``labels`` option holds a pattern that is no regular expression."""


@dataclass(frozen=True, slots=True)
class LabelPattern:
    """One entry of the identity label filter: keep, or with ``ignore`` drop, keys that match at their start."""

    pattern: str
    ignore: bool = False
    source: str = ""
    _matcher: "re.Pattern[str]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern; raises LabelFilterError when it is none."""
        try:
            object.__setattr__(self, "_matcher", re.compile(self.pattern))
        except re.error as error:
            raise LabelFilterError(f"label pattern {self.pattern!r} is no regular expression: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "LabelPattern":
        """Read ``[source:][!]pattern`` (pkg/labelsfilter/filter.go:80-110)."""
        source, separator, rest = text.partition(":")
        if not separator:
            source, rest = "", text
        return cls(pattern=rest.removeprefix("!"), ignore=rest.startswith("!"), source=source)

    def length(self, label: Label) -> int | None:
        """Give the length of the match at the start of the key, or None (pkg/labelsfilter/filter.go:57-76)."""
        if self.source and self.source != label.source:
            return None
        match = self._matcher.match(label.key)
        return match.end() if match else None


SERVICE_ACCOUNT_PATTERN = r"io\.cilium\.k8s\.policy\.serviceaccount"
TOPOLOGY_PATTERN = r"!topology\.kubernetes\.io"
DEFAULT_LABEL_PATTERNS = (
    r"reserved:.*",
    r"io\.kubernetes\.pod\.namespace",
    r"io\.cilium\.k8s\.namespace\.labels",
    r"app\.kubernetes\.io",
    r"io\.cilium\.k8s\.policy\.cluster",
    SERVICE_ACCOUNT_PATTERN,
    r"!io\.kubernetes",
    r"!kubernetes\.io",
    r"!statefulset\.kubernetes\.io/pod-name",
    r"!apps\.kubernetes\.io/pod-index",
    r"!batch\.kubernetes\.io/job-completion-index",
    r"!batch\.kubernetes\.io/controller-uid",
    r"!.*beta\.kubernetes\.io",
    r"!k8s\.io",
    r"!pod-template-generation",
    r"!pod-template-hash",
    r"!controller-revision-hash",
    r"!controller-uid",
    r"!annotation.*",
    r"!etcd_node",
    TOPOLOGY_PATTERN,
)
"""What Cilium keeps and drops without configuration (pkg/labelsfilter/filter.go:229-252). Which versions have which of
the two that have a name is told in ``handlers/policy/versions.py``."""


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Which labels become part of an identity; a selector on a dropped label never matches."""

    patterns: tuple[LabelPattern, ...] = tuple(LabelPattern.parse(text) for text in DEFAULT_LABEL_PATTERNS)
    only_included: bool = False

    @classmethod
    def from_option(
        cls, option: str, *, drops_topology: bool = True, keeps_service_account: bool = True
    ) -> "LabelFilter":
        """Add the ``labels`` option of cilium-config (patterns separated by blanks) to the defaults of a version.

        One pattern that keeps switches to a list of what is allowed (pkg/labelsfilter/filter.go:155-172).
        Raises LabelFilterError for a pattern that does not compile.
        """
        extra = tuple(LabelPattern.parse(text) for text in option.split())
        wanted = {TOPOLOGY_PATTERN: drops_topology, SERVICE_ACCOUNT_PATTERN: keeps_service_account}
        default = tuple(LabelPattern.parse(text) for text in DEFAULT_LABEL_PATTERNS if wanted.get(text, True))
        return cls(patterns=default + extra, only_included=any(not pattern.ignore for pattern in extra))

    def keeps(self, label: Label) -> bool:
        """Tell whether the label is part of identities (pkg/labelsfilter/filter.go:299-345).

        The longest match that keeps must be longer than the shortest match that drops.
        """
        included = ignored = 0
        for pattern in self.patterns:
            length = pattern.length(label)
            if length is None:
                continue
            if pattern.ignore:
                ignored = length if ignored == 0 else min(ignored, length)
            else:
                included = max(included, length)
        return (not self.only_included and ignored == 0) or included > ignored

    def apply(self, labels: Iterable[Label]) -> LabelSet:
        """Give the identity labels among these."""
        return LabelSet(tuple(label for label in labels if self.keeps(label)))


def pod_identity_labels(
    *,
    pod_labels: Mapping[str, str],
    namespace: str,
    namespace_labels: Mapping[str, str],
    service_account: str,
    cluster: str,
    label_filter: LabelFilter | None = None,
) -> LabelSet:
    """Compute the identity labels of a pod from its Kubernetes objects, for when no CiliumEndpoint exists.

    Pod labels under ``io.cilium.k8s`` are dropped first, so that a pod cannot claim another namespace or service
    account (Cilium, pkg/k8s/utils/utils.go, SanitizePodLabels); then the label filter applies.
    """
    merged = {key: value for key, value in pod_labels.items() if not key.startswith(CILIUM_LABEL_PREFIX)}
    merged.update({f"{NAMESPACE_LABELS_PREFIX}.{key}": value for key, value in namespace_labels.items()})
    merged[NAMESPACE_LABEL] = namespace
    if service_account:
        merged[SERVICE_ACCOUNT_LABEL] = service_account
    merged[CLUSTER_LABEL] = cluster
    return (label_filter or LabelFilter()).apply(
        Label(key=key, source=Source.K8S, value=value) for key, value in merged.items()
    )


@lru_cache(maxsize=2048)
def _parsed(texts: tuple[str, ...]) -> LabelSet:
    """Read each set once: the pods of a workload share theirs."""
    return LabelSet(tuple(map(_label, texts)))


@lru_cache(maxsize=4096)
def _label(text: str) -> Label:
    """Hold each label once: most are in many sets."""
    return Label.parse(text)
