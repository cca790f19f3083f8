"""What to read: how wide each part has to be for one question."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PodQuery:
    """Pods to list: of a namespace (None: all), narrowed by a label selector text, an address, or a node name."""

    namespace: str | None = None
    labels: str | None = None
    ip: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class FlowMatch:
    """Flows to keep: fields are ANDed, the values of one field ORed, an empty field keeps everything.

    Pods are ``namespace/name`` (exactly this pod) or ``namespace/`` (any pod of the namespace).
    """

    source_pods: tuple[str, ...] = ()
    source_ips: tuple[str, ...] = ()
    destination_pods: tuple[str, ...] = ()
    destination_ips: tuple[str, ...] = ()
    source_ports: tuple[int, ...] = ()
    destination_ports: tuple[int, ...] = ()
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowQuery:
    """Flows that match any of ``any_of`` (empty: all flows) between two moments, the newest ``limit`` of them."""

    any_of: tuple[FlowMatch, ...]
    since: datetime
    until: datetime
    limit: int = 20_000


@dataclass(frozen=True, slots=True)
class Scope:
    """How wide to read. A field that is None is not known yet (a later round will know), unless its text says other.

    ``namespaces`` bounds workloads, services, slices, policies and CiliumEndpoints; an empty tuple means the
    cluster-wide objects alone.
    """

    namespaces: tuple[str, ...] | None = None
    all_namespaces: bool = False
    """Read every namespace; ``namespaces`` is then ignored."""
    pods: tuple[PodQuery, ...] | None = None
    nodes: tuple[str, ...] | None = None
    """Nodes whose agents are asked."""
    flows: FlowQuery | None = None
    identities: tuple[int, ...] | None = None
    """Numbers of identities to read; an empty tuple means every identity of the cluster."""
    policy_services: bool | None = None
    """Whether every Service has to be read because a policy's ``toServices`` may match it."""
    all_policies: bool | None = None
    """Whether the policies of every namespace have to be read, to tell what else a patch would open."""
    named_ports: bool | None = None
    """Whether the port names of every pod have to be read because an egress rule names a port."""


@dataclass(frozen=True, slots=True)
class Width:
    """Which fields of a scope tell how much of a part is read."""

    fields: tuple[str, ...] = ()
    """Names of fields of Scope; none means that the part is always read the same way."""
    is_condition: bool = False
    """Whether they tell only if the part is needed at all."""

    def is_known(self, scope: Scope) -> bool:
        """Whether the scope tells by now how much to read."""
        return not self.fields or any(getattr(scope, name) not in (None, False) for name in self.fields)

    def is_needless(self, scope: Scope) -> bool:
        """Whether the scope, as it is by now, does without the part."""
        return self.is_condition and not self.is_known(scope)

    def of(self, scope: Scope) -> Mapping[str, object]:
        """Return what of a scope changes what the part holds: equal mappings, equal reads."""
        if self.is_condition:
            return {}
        every = scope.all_namespaces and "all_namespaces" in self.fields
        return {name: None if every and name == "namespaces" else getattr(scope, name) for name in self.fields}


WHOLE = Width()
IN_NAMESPACES = Width(("namespaces", "all_namespaces"))
OF_PODS = Width(("pods",))
OF_FLOWS = Width(("flows",))
OF_IDENTITIES = Width(("identities",))
IF_SERVICES_MATTER = Width(("policy_services",), is_condition=True)
IF_PORT_NAMES_MATTER = Width(("named_ports",), is_condition=True)
IF_ALL_POLICIES_MATTER = Width(("all_policies",), is_condition=True)
