"""A CiliumEgressGatewayPolicy in normal form: whose packets, to where, out through which nodes, with which address."""

import contextlib
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.model.cluster import PolicyObject

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Gateway:
    """One way out: nodes to choose from, and what the packets' source becomes there.

    Of ``egress_ip`` and ``interface`` one may be given, else it is the first address of the interface with the default
    route. ``pointer`` leads to it in the manifest.
    """

    node_selector: object
    egress_ip: str
    interface: str
    pointer: str

    @property
    def selector_in_words(self) -> str:
        """Write the selector as kubectl takes it: ``egress=true,zone in (a, b)``."""
        selector = _mapping(self.node_selector)
        plain = [f"{key}={value}" for key, value in sorted(_mapping(selector.get("matchLabels")).items())]
        return ",".join([*plain, *map(_in_words, _list(selector.get("matchExpressions")))]) or "an empty nodeSelector"


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What one policy says. ``selectors`` are any of several; ranges stand as they are written and as networks.

    ``refusal`` tells why agents do not take the policy and do nothing of what it says, empty where they take it.
    """

    object: PolicyObject
    selectors: tuple[Mapping[str, Any], ...]
    destinations: tuple[tuple[str, Network], ...]
    excluded: tuple[tuple[str, Network], ...]
    gateways: tuple[Gateway, ...]
    refusal: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.object.name

    @property
    def ref(self) -> str:
        """Write ``CiliumEgressGatewayPolicy//name``."""
        return self.object.ref


def read_policy(found: PolicyObject) -> EgressPolicy:
    """Read a policy as agents do (Cilium, pkg/egressgateway/policy.go, ParseCEGP); it may be anything."""
    spec = _mapping(found.manifest.get("spec"))
    selectors = tuple(_mapping(one) for one in _list(spec.get("selectors")))
    # Only where egressGateways has no entry does egressGateway count.
    several = [(one, f"/spec/egressGateways/{index}") for index, one in enumerate(_list(spec.get("egressGateways")))]
    listed = several or [(spec.get("egressGateway"), "/spec/egressGateway")]
    gateways = [(_mapping(one), pointer) for one, pointer in listed]
    return EgressPolicy(
        found,
        tuple(one for one in selectors if _selects_something(one)),
        tuple(_ranges(spec, "destinationCIDRs")),
        tuple(_ranges(spec, "excludedCIDRs")),
        tuple(
            Gateway(one.get("nodeSelector"), str(one.get("egressIP") or ""), str(one.get("interface") or ""), pointer)
            for one, pointer in gateways
            if one
        ),
        _refusal(spec, selectors, [one for one, _ in gateways]),
    )


def _selects_something(rule: Mapping[str, Any]) -> bool:
    return any(rule.get(key) is not None for key in ("podSelector", "namespaceSelector", "nodeSelector"))


def _ranges(spec: Mapping[str, Any], field: str) -> Iterator[tuple[str, Network]]:
    for text in map(str, _list(spec.get(field))):
        with contextlib.suppress(ValueError):
            yield text, ipaddress.ip_network(text, strict=False)


def _refusal(
    spec: Mapping[str, Any], selectors: Sequence[Mapping[str, Any]], gateways: Sequence[Mapping[str, Any]]
) -> str:
    for field in ("destinationCIDRs", "excludedCIDRs"):
        written = _list(spec.get(field))
        if len(written) != len(list(_ranges(spec, field))):
            return f"{field} holds something that is no CIDR"
    if any(one.get("egressIP") and one.get("interface") for one in gateways):
        return "its gateway has both an egressIP and an interface"
    if not all(gateways):
        return "it names no egressGateway"
    if not all(map(_selects_something, selectors)):
        return "an entry of its selectors selects nothing"
    return ""


def _in_words(expression: object) -> str:
    one = _mapping(expression)
    key, values = str(one.get("key")), ", ".join(map(str, _list(one.get("values"))))
    match one.get("operator"):
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "Exists":
            return key
        case "DoesNotExist":
            return f"!{key}"
    return f"{key} with an unknown operator"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
