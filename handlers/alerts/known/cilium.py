"""Alerts on the metrics of Hubble and of Cilium's agents."""

import re
from collections.abc import Iterator

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.ends import identity_number, side_of
from handlers.alerts.known.entry import KnownAlert, node_in
from handlers.alerts.labels import without_the_agent
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.model.endpoint import EndpointName, Named
from handlers.names.grammar import is_label

_ENTERPRISE = "monitoring-mixins, cilium-enterprise"
_HUBBLE = "rules on hubble_drop_total in public repositories: rwlove/home-ops, elastisys/compliantkubernetes-apps"
_DECKHOUSE = "deckhouse, cni-cilium agent.yaml"
_POLICY_REASONS = frozenset({"POLICY_DENIED", "POLICY_DENY", "POLICY_DENIED_BY_DENYLIST", "AUTH_REQUIRED"})
_NO_SPACE = re.compile(r"[^A-Z0-9]+")


def drop_reason_in(labels: Labels) -> str:
    """Return the reason of a drop as Hubble writes it: the agent's metric says ``Policy denied`` for the same."""
    return _NO_SPACE.sub("_", (labels.get("reason") or labels.get("drop_reason", "")).upper()).strip("_")


def drops_in(labels: Labels, *, claim: str = "", cause: Cause | None = None) -> Iterator[Signal]:
    """Read a drop of flows off labels of Hubble's metrics: the pair, or as much of it as they tell.

    Where nothing says why, policy is the cause that is looked at. ``claim`` and ``cause`` are for alerts that do not
    speak of drops.
    """
    labels = without_the_agent(labels)
    reason, protocol = drop_reason_in(labels), labels.get("protocol", "").upper()
    is_policy = reason in _POLICY_REASONS or not reason
    cause = cause or (Cause.POLICY_DROP if is_policy else Cause.DROP)
    claim = claim or _claim(reason, is_policy)
    source, destination = side_of(labels, "source"), side_of(labels, "destination")
    if protocol.startswith("ICMP"):
        noise = "pings that are denied come with restarts and scans, and stop no service"
        yield Signal(cause, claim, source, destination, "icmp", decision=Decision.IGNORE, reason=noise)
        return
    namespaces = [found for at in ("destination_", "source_", "") if (found := _namespace(labels, at))]
    namespace = next(iter(namespaces), "")
    if _is_bare(source) or _is_bare(destination):
        doubt = "a name without a namespace can be a workload or a namespace"
        bare = [str(end) for end in (source, destination) if _is_bare(end)]
        asked = tuple(f"drops {name}" for name in bare)
        questions = (f"why {source} {destination}",) if source is not None and destination is not None else ()
        yield Signal(
            cause, claim, source, destination, decision=Decision.ASK, reason=doubt, questions=(*questions, *asked)
        )
        return
    numbers = tuple(
        f"identity {number}"
        for side in ("source", "destination")
        for name in (side, f"{side}_identity")
        if (number := identity_number(labels.get(name, ""))) is not None
    )
    node = node_in(labels)
    end = destination if destination is not None else source
    if source is not None and destination is not None:
        yield Signal(cause, claim, source, destination, _port(labels), node)
    elif end is not None:
        yield Signal(cause, claim, source, destination, node=node, namespace=namespace, questions=numbers[1:])
    else:
        places = tuple(f"drops {name}" for name in namespaces)
        where = f" on node {node}" if node and not namespace else ""
        yield Signal(cause, claim + where, node=node, namespace=namespace, questions=(*numbers, *places))


def _claim(reason: str, is_policy: bool) -> str:
    if not reason:
        return "packets are dropped"
    return "packets are denied by policy" if is_policy else f"packets are dropped: {reason.lower().replace('_', ' ')}"


def _is_bare(end: EndpointName | None) -> bool:
    return isinstance(end, Named) and end.namespace is None


def _namespace(labels: Labels, side: str) -> str:
    name = labels.get(f"{side}namespace", "")
    return name if is_label(name) else ""


def _port(labels: Labels) -> str:
    port, protocol = labels.get("destination_port", "") or labels.get("port", ""), labels.get("protocol", "").upper()
    if not port.isdigit() or not 0 < int(port[:6]) < 65_536:
        return ""
    return f"{int(port)}/{protocol}" if protocol in ("TCP", "UDP", "SCTP") else str(int(port))


def _drops(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    yield from drops_in(labels)


def _agent_drops(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    reason = drop_reason_in(labels)
    cause = Cause.POLICY_DROP if reason in _POLICY_REASONS or not reason else Cause.DROP
    yield Signal(cause, "an agent counts drops", node=node_in(labels))


def _agent(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    yield Signal(Cause.AGENT, "Cilium is not well", node=node_in(labels))


def _unreachable(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    yield Signal(Cause.NODE, "nodes do not reach each other", node=node_in(labels))


def _endpoints(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    yield Signal(Cause.AGENT, "endpoints do not become ready", node=node_in(labels))


def _policies(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    yield Signal(Cause.AGENT, "policies are refused", node=node_in(labels), questions=("health", "lint"))


def _maps(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    name = labels.get("map_name", "")
    claim = f"map {name} is nearly full" if is_label(name.replace("_", "-")) else "a map is nearly full"
    yield Signal(Cause.MAPS, claim, node=node_in(labels))


def _table_full(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    node = node_in(labels)
    drops = (f"drops node/{node}",) if node else ("drops",)
    yield Signal(
        Cause.MAPS, "connections are refused by a full table", node=node, questions=(f"health {node}".strip(), *drops)
    )


def _mesh(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    names = [labels.get(name, "") for name in ("source_cluster", "target_cluster")]
    between = " → ".join(name for name in names if is_label(name))
    yield Signal(Cause.MESH, f"clusters do not reach each other {between}".strip())


KNOWN = (
    KnownAlert(
        (
            "CiliumPolicyDropsSustained",
            "CiliumPolicyDropBurst",
            "CiliumPolicyDropsSpiking",
            "CiliumPolicyDropRateHigh",
            "CiliumPolicyDropSpike",
            "SandboxEgressPolicyDenied",
        ),
        "Hubble counts dropped packets; source and destination are read in every shape that their context can have.",
        _HUBBLE,
        _drops,
        ("destination", "source"),
        also=(
            "CiliumPolicyDenied",
            "CiliumDropsHigh",
            "CiliumPacketDrops",
            "HubbleDropsHigh",
            "HubblePolicyDrops",
            "HubblePolicyDenied",
            "HubbleHighDropRate",
            "NetworkPolicyDrops",
            "NetworkPolicyDenied",
        ),
    ),
    KnownAlert(
        ("CiliumAgentHighDeniedRate",),
        "An agent counts drops; its pod is not the one whose packets are dropped.",
        _ENTERPRISE,
        _agent_drops,
        also=(
            "CiliumHighDeniedRate",
            "CiliumAgentDropsHigh",
            "CiliumHighDropRate",
        ),
    ),
    KnownAlert(
        (
            "CiliumAgentPolicyMapPressure",
            "CiliumAgentBpfMapPressure",
            "CiliumAgentMapPressureCritical",
        ),
        "A map of the datapath fills up: entries may be missing, and verdicts of that node are in doubt.",
        f"{_ENTERPRISE}; {_DECKHOUSE}",
        _maps,
        also=(
            "CiliumAgentMapPressure",
            "CiliumAgentMapPressureWarning",
            "CiliumBpfMapPressure",
            "CiliumMapPressure",
        ),
    ),
    KnownAlert(
        (
            "CiliumAgentConntrackTableFull",
            "CiliumAgentNatTableFull",
        ),
        "Connections cannot be entered into a table: drop reasons CT map insertion failed, no mapping for NAT.",
        _ENTERPRISE,
        _table_full,
        also=(
            "CiliumConntrackTableFull",
            "CiliumNatTableFull",
        ),
    ),
    KnownAlert(
        (
            "CiliumAgentEndpointFailures",
            "CiliumAgentEndpointUpdateFailure",
            "CiliumAgentEndpointsNotReady",
        ),
        "Endpoints of a node are not made, or do not become ready.",
        f"{_ENTERPRISE}; {_DECKHOUSE}",
        _endpoints,
        also=(
            "CiliumAgentEndpointCreateFailure",
            "CiliumEndpointsNotReady",
            "CiliumAgentContainerNetworkInterfaceApiErrorEndpointCreate",
            "CiliumAgentApiEndpointErrors",
        ),
    ),
    KnownAlert(
        (
            "CiliumUnreachableNodes",
            "CiliumAgentUnreachableHealthEndpoints",
        ),
        "An agent does not reach other nodes or their health endpoints.",
        f"{_ENTERPRISE}; {_DECKHOUSE}",
        _unreachable,
        also=(
            "CiliumAgentUnreachableNodes",
            "CiliumUnreachableHealthEndpoints",
            "CiliumNodesUnreachable",
        ),
    ),
    KnownAlert(
        ("CiliumAgentPolicyImportErrors",),
        "An agent refuses policies.",
        f"{_ENTERPRISE}; {_DECKHOUSE}",
        _policies,
        also=(
            "CiliumAgentPolicyImportFailure",
            "CiliumPolicyImportErrors",
        ),
    ),
    KnownAlert(
        (
            "CiliumAgentControllersRunsFailing",
            "CiliumOperatorExhaustedIpamIps",
        ),
        "The agent, the operator or the relay is not well.",
        f"{_ENTERPRISE}; {_DECKHOUSE}",
        _agent,
        also=(
            "CiliumControllersFailing",
            "CiliumAgentDown",
            "CiliumAgentNotReady",
            "CiliumAgentUnhealthy",
            "CiliumAgentBootstrapErrors",
            "CiliumOperatorDown",
            "CiliumOperatorLowAvailableIpamIps",
            "HubbleRelayDown",
        ),
    ),
    KnownAlert(
        ("CiliumAgentRemoteClusterNotReady",),
        "A cluster of the mesh is not reached.",
        _ENTERPRISE,
        _mesh,
        also=(
            "CiliumAgentRemoteClusterFailing",
            "CiliumRemoteClusterNotReady",
            "CiliumKvstoreMeshRemoteClusterFailing",
        ),
    ),
)
