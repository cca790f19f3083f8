"""Words and numbers by which agents say "nothing", shared by their JSON and text outputs."""

import re

from handlers.model.agent import AddressPool
from workers.sources.convert.cilium import version_in

NO_STATISTICS = (1 << 64) - 1
_POOL = re.compile(r"(IPv[46]): (\d{1,12})/(\d{1,12}) allocated(?: from ([^\s,]+))?")
_NO_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104  (read, never bound)


def counted(packets: int | None) -> int | None:
    """Return a packet counter; the largest 64-bit number means that none is kept (floats round it up)."""
    return None if packets is None or packets >= NO_STATISTICS else packets


def address_or_none(address: str | None) -> str | None:
    """Return an address; the unspecified one means none (the egress address on nodes other than the gateway)."""
    return None if address is None or address in _NO_ADDRESS else address


def gateway_or_none(gateway: str | None) -> str | None:
    """Return the gateway, None for ``Not Found``. ``Excluded CIDR`` stays: it is an answer."""
    return None if gateway == "Not Found" else address_or_none(gateway)


def address_pools(said: str) -> tuple[AddressPool, ...]:
    """Return what IPAM gave of what it has, from ``IPv4: 14/254 allocated from 10.244.0.0/24, ``."""
    return tuple(
        AddressPool(family, int(given), int(size), cidr or "") for family, given, size, cidr in _POOL.findall(said)
    )


def owner_of_address(owner: str) -> str:
    """Return whose an allocated address is; ``[restored]`` behind it means that it was so before the agent started."""
    return owner.removesuffix("[restored]").strip()


def enforcing(mode: str | None, direction: str) -> bool | None:
    """Whether policy is enforced in a direction, by ``policy-enabled``: none, ingress, egress, both, or audit-...."""
    return None if mode is None else mode.removeprefix("audit-") in (direction, "both")


def version_of_state(message: str) -> str | None:
    """Return the version in ``1.19.0-dev (v1.19.0-dev-e8aa78a5e4)``."""
    return version_in(message.partition(" ")[0])
