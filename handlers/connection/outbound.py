"""What egress gateway policies make of a connection that leaves the cluster, one judgement for every question."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from handlers.connection.addresses import known_addresses
from handlers.connection.legs import LEG_PARTS, Leg
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.trial import Trial
from handlers.egress.choice import Choice, Entry, choose, entry_in_force, holds, network_of
from handlers.egress.feature import Feature, feature_of
from handlers.egress.gateways import WayOut, ways_out
from handlers.egress.policy import EgressPolicy, read_policy
from handlers.egress.subjects import is_selected
from handlers.model.agent import EgressGatewayEntry
from handlers.model.cluster import Node
from handlers.model.endpoint import Entity, EntityName
from handlers.model.facts import Facts, needed
from handlers.model.parts import Part
from handlers.model.report import Observed
from handlers.model.snapshot import AnyPart, Known, Missing
from handlers.names.resolve import Meaning

OUTBOUND_PARTS: tuple[AnyPart, ...] = (
    Part.EGRESS_GATEWAYS,
    Part.AGENT_EGRESS,
    Part.AGENT_NAMES,
    *LEG_PARTS,
    *POLICY_PARTS,
    *POLICY_OPTIONAL_PARTS,
)
"""Parts that tell it, and whether the packets were seen to pass; of them the policies for gateways alone are needed."""
_HOST = 1
"""The identity of the node that an agent runs on, in its own eyes (reserved:host)."""
ANYWHERE = "0.0.0.0/0"
"""Stands for a destination whose address nobody knows."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """Packets of one pod to one address outside, and the policies that select the pod.

    ``choice`` is what decides if the feature is on; ``refused`` would have a say if the agents took them.
    """

    source: Place
    choice: Choice
    refused: tuple[EgressPolicy, ...]
    feature: Feature | None
    """None where Cilium's settings could not be read; it is taken to be on then."""
    facts: Facts

    @property
    def is_on(self) -> bool:
        """Whether anything is done with the policies, as far as is known."""
        return self.feature is None or self.feature.is_on

    @property
    def version(self) -> int:
        """Which version of IP the packets are of."""
        network = network_of(self.choice.address)
        return network.version if network else 4

    def entry_on(self, node: str | None) -> EgressGatewayEntry | Missing | None:
        """Return what a node's map says of these packets: an entry, None for no entry, or why it is not known."""
        look = self.facts.look(Part.AGENT_EGRESS)
        if isinstance(look, Missing):
            return look
        entries = look.value.on(node)
        if isinstance(entries, Missing):
            return entries
        return entry_in_force(entries.value, self.source.ips, self.choice.address)

    def ways(self, entry: Entry) -> tuple[WayOut, ...]:
        """Return the gateways of a policy that may be meant: one alone where the map of the pod's node tells which."""
        ways = ways_out(entry.policy, self.facts.nodes, self.version)
        told = self.entry_on(self.source.node)
        if isinstance(told, EgressGatewayEntry) and len(ways) > 1:
            return tuple(way for way in ways if way.node and told.gateway_ip in way.node.ips) or ways
        return ways

    def reaches(self, policy: EgressPolicy) -> bool:
        """Whether the ranges of a policy hold the destination, excluded or not."""
        return _reaches(policy, self.choice.address)

    def own_addresses(self, node: Node) -> tuple[str, ...] | None:
        """Return what a node's agent takes for addresses of its own interfaces, None where that was not read."""
        look = self.facts.look(Part.AGENT_ADDRESSES)
        found = look.value.on(node.name) if isinstance(look, Known) else None
        if not isinstance(found, Known):
            return None
        own = (entry.cidr.partition("/")[0] for entry in found.value if entry.identity == _HOST)
        return tuple(dict.fromkeys((*node.ips, *own)))

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes with every address that is known to be theirs."""
        return tuple(replace(node, ips=self.own_addresses(node) or node.ips) for node in self.facts.nodes)

    @property
    def home(self) -> Node | None:
        """The node of the pod."""
        return next((node for node in self.facts.nodes if node.name == self.source.node), None)

    @property
    def address_at_home(self) -> str:
        """What the other side sees of packets that no gateway takes: the pod's node, unmasqueraded the pod itself."""
        if self.feature is not None and not self.feature.masquerades:
            return next((ip for ip in self.source.ips if _is_of(ip, self.version)), "the pod's address")
        return next(
            (ip for ip in (self.home.ips if self.home else ()) if _is_of(ip, self.version)), "its node's address"
        )


def outbound_of(trial: Trial) -> tuple[Outbound, ...]:
    """Return every pair of a pod and an address outside that the connection has; none where it stays inside.

    Raises:
        PartMissingError: if the policies, or what tells the ends, were not read.
    """
    return trial.facts.once(("outbound", trial.connection), lambda: tuple(_outbound(trial)))


def _outbound(trial: Trial) -> Iterator[Outbound]:
    ends, facts = needed(trial.ends), trial.facts
    is_world = ends.destination.asked == Entity(EntityName.WORLD)
    if not ends.are_clear or not (is_world or ends.destination.meaning in (Meaning.OUTSIDE, Meaning.HOST_NAME)):
        return
    policies = facts.once("egress gateway policies", lambda: tuple(map(read_policy, facts.egress_gateways)))
    config = facts.look(Part.CONFIG)
    feature = feature_of(config.value) if isinstance(config, Known) else None
    seen: set[tuple[str, str]] = set()
    for leg in needed(trial.legs):
        pod = leg.source.pod
        if leg.source.kind is not PlaceKind.POD or pod is None:
            continue
        selecting = [policy for policy in policies if is_selected(policy, pod, facts)]
        for address in _addresses(leg, facts):
            if (leg.source.title, address) not in seen:
                seen.add((leg.source.title, address))
                taken = choose([policy for policy in selecting if not policy.refusal], address)
                refused = tuple(policy for policy in selecting if policy.refusal and _reaches(policy, address))
                yield Outbound(leg.source, taken, refused, feature, facts)


def _addresses(leg: Leg, facts: Facts) -> tuple[str, ...]:
    return known_addresses(leg.destination, leg.source.node, facts) or (ANYWHERE,)


def _reaches(policy: EgressPolicy, address: str) -> bool:
    network = network_of(address)
    return network is not None and any(holds(one, network) for _, one in policy.destinations)


def passes_since(entry: Entry, trial: Trial) -> bool:
    """Whether answers were seen to come back after the policy was last changed: then the way out works.

    What is seen of several pods, or several addresses, proves nothing for each of them.
    """
    observation, changed = trial.observation, entry.policy.object.changed_at
    answered = max((sight.answered_at for sight in observation.sights if sight.answered_at), default=None)
    is_one = len(outbound_of(trial)) == 1 and observation.observed is Observed.FORWARDED
    return is_one and answered is not None and changed is not None and answered > changed


def _is_of(address: str, version: int) -> bool:
    network = network_of(address)
    return network is not None and network.version == version
