"""Which egress gateway policy decides on a packet.

Agents write one entry for each pair of a pod's address and a range, excluded ranges among them, and the datapath takes
the entry with the longest prefix, whatever policy wrote it (Cilium, bpf/lib/egress_gateway.h). Where two policies write
an entry for one pair, the one that was written last stands, and the order is that of a Go map.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.egress.policy import EgressPolicy, Network
from handlers.model.agent import EgressGatewayEntry


@dataclass(frozen=True, slots=True)
class Entry:
    """What one policy says of a range that holds the destination."""

    policy: EgressPolicy
    cidr: str
    is_excluded: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What decides on packets to one address.

    ``deciding`` holds an entry for each policy with the longest prefix: several contradict each other unless they say
    the same. ``overruled`` are entries with a shorter prefix, longest first. ``is_open`` tells that the destination is
    known too vaguely to choose.
    """

    address: str
    deciding: tuple[Entry, ...]
    overruled: tuple[Entry, ...] = ()
    is_open: bool = False

    @property
    def taken(self) -> tuple[Entry, ...]:
        """The entries that send packets through a gateway."""
        return tuple(entry for entry in self.deciding if not entry.is_excluded)

    @property
    def kept_out_of(self) -> tuple[Entry, ...]:
        """The entries that would take the packets, were the destination not excluded."""
        if not any(entry.is_excluded for entry in self.deciding):
            return ()
        return tuple(entry for entry in (*self.deciding, *self.overruled) if not entry.is_excluded)

    @property
    def is_conflict(self) -> bool:
        """Whether policies with an equal claim say different things."""
        return len({_effect(entry) for entry in self.deciding}) > 1


def choose(policies: Iterable[EgressPolicy], address: str) -> Choice:
    """Return what the policies, all of which select the pod, say of packets to an address or a range of addresses."""
    wanted = network_of(address)
    if wanted is None:
        return Choice(address, ())
    holding: list[tuple[int, Entry]] = []
    is_open = False
    for policy in policies:
        best: dict[int, Entry] = {}
        for cidr, network, is_excluded in _ranges(policy):
            if network.version != wanted.version:
                continue
            if holds(network, wanted):
                # Of one policy the excluded ranges are written after the others.
                best[network.prefixlen] = Entry(policy, cidr, is_excluded)
            is_open |= holds(wanted, network) and wanted != network
        holding += best.items()
    longest = max((length for length, _ in holding), default=0)
    ordered = sorted(holding, key=lambda one: (-one[0], one[1].policy.name))
    return Choice(
        address,
        tuple(entry for length, entry in ordered if length == longest),
        tuple(entry for length, entry in ordered if length < longest),
        is_open,
    )


def entry_in_force(
    entries: Iterable[EgressGatewayEntry], sources: tuple[str, ...], address: str
) -> EgressGatewayEntry | None:
    """Return the entry of a node's map that decides on packets from a pod to an address, None where there is none."""
    wanted = network_of(address)
    best: tuple[int, EgressGatewayEntry] | None = None
    for entry in entries:
        network = network_of(entry.destination_cidr)
        if wanted is None or network is None or entry.source_ip not in sources or not holds(network, wanted):
            continue
        if best is None or network.prefixlen > best[0]:
            best = (network.prefixlen, entry)
    return best[1] if best else None


def network_of(text: str) -> Network | None:
    """Read an address or a CIDR, None for what is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def holds(outer: Network, inner: Network) -> bool:
    """Whether one range lies within another."""
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _ranges(policy: EgressPolicy) -> Iterator[tuple[str, Network, bool]]:
    for cidr, network in policy.destinations:
        yield cidr, network, False
    for cidr, network in policy.excluded:
        yield cidr, network, True


def _effect(entry: Entry) -> object:
    return (
        "excluded"
        if entry.is_excluded
        else tuple((str(one.node_selector), one.egress_ip, one.interface) for one in entry.policy.gateways)
    )
