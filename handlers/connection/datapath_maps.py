"""The maps of a node's datapath: how much of each is in use, against which limit, and which setting makes that limit.

The agent tells the share in use as a metric, and the limits in its status. Entries of policy maps and of the tables of
Services are counted where they were read. Defaults are Cilium's (pkg/option/config.go, pkg/maps).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handlers.connection.node_pairs import status_of_agent
from handlers.model.agent import Metric
from handlers.model.cluster import CiliumConfig
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Known

PRESSURE_PARTS: tuple[AnyPart, ...] = (Part.CONFIG, Part.AGENT_STATUS, Part.AGENT_METRICS)
MAP_PARTS: tuple[AnyPart, ...] = (*PRESSURE_PARTS, Part.AGENT_POLICY_MAP, Part.AGENT_SERVICES)
"""What tells of maps; each of it may be missing."""
PRESSURE, CAPACITY = "cilium_bpf_map_pressure", "cilium_bpf_map_capacity"


@dataclass(frozen=True, slots=True)
class MapKind:
    """What a map is for. ``title`` is how the agent's status calls it; ``default`` is 0 where the size is fixed."""

    title: str
    option: str = ""
    default: int = 0
    forgets: bool = False
    """Whether a full one forgets its oldest entries instead of refusing new ones."""


CONNTRACK_TCP = MapKind("TCP connection tracking", "bpf-ct-global-tcp-max", 2 << 18, forgets=True)
CONNTRACK_ANY = MapKind("Non-TCP connection tracking", "bpf-ct-global-any-max", 2 << 17, forgets=True)
NAT = MapKind("NAT", "bpf-nat-global-max", 2 << 18, forgets=True)
POLICY = MapKind("Endpoint policy", "bpf-policy-map-max", 1 << 14)
SERVICES = MapKind("IPv4 service", "bpf-lb-map-max", 1 << 16)
BACKENDS = MapKind("IPv4 service backend", "bpf-lb-map-max", 1 << 16)
_BY_PREFIX: tuple[tuple[str, MapKind], ...] = (
    ("ct_any", CONNTRACK_ANY),
    ("ct4", CONNTRACK_TCP),
    ("ct6", CONNTRACK_TCP),
    ("snat", NAT),
    ("policy", POLICY),
    ("lb4_services", SERVICES),
    ("lb4_backends", BACKENDS),
    ("lxc", MapKind("Endpoints")),
    ("ipcache", MapKind("IP cache")),
)


@dataclass(frozen=True, slots=True)
class MapUse:
    """One map of one node. ``share`` is the part in use, 1.0 being full; None where nothing tells."""

    node: str
    name: str
    kind: MapKind | None
    limit: int | None
    share: float | None

    @property
    def used(self) -> int | None:
        """Entries in use, rounded."""
        return None if self.share is None or self.limit is None else round(self.share * self.limit)

    @property
    def percent(self) -> float | None:
        """The share in per cent."""
        return None if self.share is None else round(self.share * 100, 1)


def kind_of(name: str) -> MapKind | None:
    """Return what a map is for by its name, with or without the leading ``cilium_``."""
    short = name.removeprefix("cilium_")
    return next((kind for prefix, kind in _BY_PREFIX if short.startswith(prefix)), None)


def maps_on(node: str, facts: Facts) -> tuple[MapUse, ...]:
    """Return the maps of a node of which something is told, the fullest first."""
    status = status_of_agent(node, facts)
    sizes = status.map_sizes if status else {}
    found = {use.name: use for use in (*counted_on(node, facts), *pressures_on(node, facts))}
    told = {use.kind for use in found.values()}
    for kind in (CONNTRACK_TCP, CONNTRACK_ANY, NAT):
        if kind not in told and kind.title in sizes:
            found[kind.title] = MapUse(node, kind.title, kind, sizes[kind.title], None)
    return tuple(sorted(found.values(), key=lambda use: (-(use.share or -1), use.name)))


def _metrics(node: str, facts: Facts) -> tuple[Metric, ...]:
    look = facts.look(Part.AGENT_METRICS)
    answer = look.value.on(node) if isinstance(look, Known) else None
    return answer.value if isinstance(answer, Known) else ()


def tells_pressure(node: str, facts: Facts) -> bool:
    """Whether the metrics of a node, which were read, hold the pressure of any map."""
    return any(metric.name == PRESSURE for metric in _metrics(node, facts))


def pressures_on(node: str, facts: Facts) -> Iterator[MapUse]:
    """Yield the maps of a node whose share in use its metrics tell."""
    status, metrics = status_of_agent(node, facts), _metrics(node, facts)
    sizes = status.map_sizes if status else {}
    capacities = {
        metric.labels.get("map_group", "").removeprefix("cilium_"): int(metric.value)
        for metric in metrics
        if metric.name == CAPACITY
    }
    for metric in metrics:
        if metric.name == PRESSURE:
            name = metric.labels.get("map_name", "?")
            kind = kind_of(name)
            limit = capacities.get(name.removeprefix("cilium_")) or (sizes.get(kind.title) if kind else None)
            yield MapUse(node, name, kind, limit, metric.value)


def counted_on(node: str, facts: Facts) -> Iterator[MapUse]:
    """Yield the maps of a node whose entries were read and counted."""
    status = status_of_agent(node, facts)
    sizes = status.map_sizes if status else {}
    entries = facts.look(Part.AGENT_POLICY_MAP)
    answer = entries.value.on(node) if isinstance(entries, Known) else None
    if isinstance(answer, Known) and answer.value:
        ((endpoint, count),) = Counter(entry.endpoint for entry in answer.value).most_common(1)
        yield _use(node, f"policy map of endpoint {endpoint}, the fullest", POLICY, count, sizes)
    services = facts.look(Part.AGENT_SERVICES)
    table = services.value.on(node) if isinstance(services, Known) else None
    if isinstance(table, Known) and table.value:
        backends = [backend for entry in table.value for backend in entry.backends]
        # Each frontend has an entry of its own, and one for each of its backends (bpf/lib/lb.h).
        yield _use(node, "lb4_services", SERVICES, len(table.value) + len(backends), sizes)
        yield _use(node, "lb4_backends", BACKENDS, len(set(backends)), sizes)


def _use(node: str, name: str, kind: MapKind, count: int, sizes: Mapping[str, int]) -> MapUse:
    limit = sizes.get(kind.title) or None
    return MapUse(node, name, kind, limit, count / limit if limit else None)


def configured_limit(kind: MapKind, facts: Facts) -> int | None:
    """Return the limit that cilium-config sets for a map, None where it sets none."""
    look = facts.look(Part.CONFIG)
    config: CiliumConfig | None = look.value if isinstance(look, Known) else None
    said = config.options.get(kind.option, "") if config and kind.option else ""
    return int(said) if said.isdecimal() and len(said) < 12 else None
