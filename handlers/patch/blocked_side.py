"""One blocked side: everything that those who propose edits need to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.model.decision import Decision
from handlers.model.labels import LabelSet
from handlers.model.party import Party
from handlers.model.rule import Direction, PolicyRef
from handlers.model.traffic import Protocol, Traffic
from handlers.patch.peers import Writer
from handlers.policy.policy_set import PolicySet


@dataclass(frozen=True, slots=True)
class BlockedSide:
    """One side that denies the asked flow. ``names`` are the DNS names by which the peer may be written."""

    policies: PolicySet
    manifests: Mapping[PolicyRef, Mapping[str, object]]
    decision: Decision
    writer: Writer
    names: tuple[str, ...] = ()

    @property
    def direction(self) -> Direction:
        """Which side it is."""
        return self.decision.direction

    @property
    def subject(self) -> Party:
        """The end whose policy denies."""
        return self.decision.subject

    @property
    def peer(self) -> Party:
        """The other end."""
        return self.decision.peer

    @property
    def traffic(self) -> Traffic:
        """What is asked."""
        return self.decision.traffic

    @property
    def seen(self) -> LabelSet:
        """The other end's labels in the eyes of the subject."""
        return self.policies.labels_seen(self.peer, self.subject)

    @property
    def side(self) -> str:
        """The word with which peer lists begin."""
        return "from" if self.direction is Direction.INGRESS else "to"


def cilium_ports(traffic: Traffic) -> dict[str, object]:
    """Write the asked port as fields of a Cilium rule."""
    if traffic.protocol.is_icmp:
        return {"icmps": [{"fields": [icmp_field(traffic)]}]}
    return {"toPorts": [{"ports": [cilium_port(traffic)]}]}


def cilium_port(traffic: Traffic) -> dict[str, object]:
    """Write the asked port as an entry of ``toPorts[].ports``."""
    return {"port": str(traffic.port), "protocol": str(traffic.protocol)}


def icmp_field(traffic: Traffic) -> dict[str, object]:
    """Write the asked ICMP type as an entry of ``icmps[].fields``."""
    return {"type": traffic.port, "family": "IPv6" if traffic.protocol is Protocol.ICMPV6 else "IPv4"}


def kubernetes_port(traffic: Traffic) -> dict[str, object]:
    """Write the asked port as an entry of a NetworkPolicy's ``ports``."""
    return {"protocol": str(traffic.protocol), "port": traffic.port}
