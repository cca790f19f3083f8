"""Repairing a manifest at the clause that an explanation names, so that tests can see whether the verdict flips."""

import copy
from collections.abc import Sequence
from typing import Any

from handlers.model.decision import (
    CidrExcepts,
    CidrMisses,
    Clause,
    Decision,
    EntityDiffers,
    HttpDiffers,
    IcmpNeedsRule,
    NobodySelected,
    PeerIsNoPod,
    PeerLabelDiffers,
    PortDiffers,
    ProtocolDiffers,
)
from handlers.model.labels import NAMESPACE_LABEL
from handlers.model.rule import Implied, Operator

Objects = list[dict[str, Any]]


class NoRepairError(Exception):
    """The clause cannot be repaired in place, for instance a node as the peer of a NetworkPolicy."""


def steps(pointer: str) -> list[str | int]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return [int(part) if part.isdigit() else part for part in parts]


def follow(document: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        document = document[step]
    return document


def repaired(objects: Objects, clause: Clause, decision: Decision) -> Objects:
    """Give the manifests with only this clause changed; raises NoRepairError."""
    objects = copy.deepcopy(objects)
    policy = clause.origin.policy
    document = next(
        one
        for one in objects
        if one["kind"] == policy.kind
        and one["metadata"]["name"] == policy.name
        and one["metadata"].get("namespace", "") == policy.namespace
    )
    _repair(document, steps(clause.origin.pointer), clause, decision)
    return objects


def _repair(document: dict[str, Any], path: list[str | int], clause: Clause, decision: Decision) -> None:
    is_np = document["kind"] == "NetworkPolicy"
    match clause:
        case PeerLabelDiffers():
            _repair_label(document, path, clause, decision, is_np)
        case PeerIsNoPod() | EntityDiffers():
            _repair_kind(document, path, clause, decision, is_np)
        case CidrMisses() if clause.address:
            holder = follow(document, path[:-1])
            prefix = f"{clause.address}/32"
            plain = path[-2] in ("toCIDR", "fromCIDR")
            holder[path[-1]] = prefix if plain else {"cidr": prefix}
        case CidrExcepts():
            del follow(document, path[:-1])[path[-1]]
        case PortDiffers() | ProtocolDiffers() | IcmpNeedsRule():
            _repair_port(document, path, decision, is_np)
        case HttpDiffers() if clause.field in ("method", "path", "host"):
            del follow(document, path[:-1])[path[-1]]
        case NobodySelected():
            _repair_nobody(document, path, decision, is_np)
        case _:
            raise NoRepairError


def _repair_label(
    document: dict[str, Any], path: list[str | int], clause: PeerLabelDiffers, decision: Decision, is_np: bool
) -> None:
    if clause.implied is Implied.POLICY_NAMESPACE:
        namespace = decision.peer.labels.namespace
        peer = follow(document, path)
        if is_np:
            peer = follow(document, path[:-1])
            peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        else:
            peer.setdefault("matchLabels", {})[f"k8s:{NAMESPACE_LABEL}"] = namespace
        return
    if clause.implied is not None:
        raise NoRepairError
    if path[-2] == "matchLabels":
        labels = follow(document, path[:-1])
        if clause.had is not None:
            labels[path[-1]] = clause.had.value
            return
        del labels[path[-1]]
        expressions = follow(document, path[:-2]).setdefault("matchExpressions", [])
        expressions.append({"key": path[-1], "operator": "DoesNotExist"})
        return
    opposite = {
        Operator.IN: "NotIn",
        Operator.NOT_IN: "In",
        Operator.EXISTS: "DoesNotExist",
        Operator.DOES_NOT_EXIST: "Exists",
    }
    follow(document, path)["operator"] = opposite[clause.operator]


def _repair_kind(
    document: dict[str, Any],
    path: list[str | int],
    clause: PeerIsNoPod | EntityDiffers,
    decision: Decision,
    is_np: bool,
) -> None:
    entities = clause.entities if isinstance(clause, PeerIsNoPod) else clause.had
    holder = follow(document, path[:-1])
    if isinstance(clause, EntityDiffers):
        if not entities:
            raise NoRepairError
        holder[path[-1]] = entities[0]
    elif is_np:
        if not decision.peer.is_outside or not decision.peer.ips:
            raise NoRepairError
        holder[path[-1]] = {"ipBlock": {"cidr": f"{decision.peer.ips[0]}/32"}}
    else:
        reserved = next((name for name in entities if name != "cluster"), None)
        if reserved is None:
            raise NoRepairError
        holder[path[-1]] = {"matchLabels": {f"reserved:{reserved}": ""}}


def _rule_path(path: list[str | int]) -> list[str | int]:
    """Cut a pointer to its rule: ``/spec/ingress/0`` or ``/specs/1/ingress/0``."""
    return path[: 4 if path[0] == "specs" else 3]


def _repair_port(document: dict[str, Any], path: list[str | int], decision: Decision, is_np: bool) -> None:
    rule = follow(document, _rule_path(path))
    traffic = decision.traffic
    if is_np:
        if traffic.protocol.is_icmp:
            raise NoRepairError
        rule["ports"].append({"port": traffic.port, "protocol": str(traffic.protocol)})
    elif traffic.protocol.is_icmp:
        rule.pop("toPorts", None)
        rule["icmps"] = [{"fields": [{"type": traffic.port}]}]
    else:
        rule.pop("icmps", None)
        entry = {"port": str(traffic.port), "protocol": str(traffic.protocol)}
        rule.setdefault("toPorts", []).append({"ports": [entry]})


def _repair_nobody(document: dict[str, Any], path: list[str | int], decision: Decision, is_np: bool) -> None:
    if is_np:
        document["spec"][str(decision.direction)] = [{}]
        return
    rule = follow(document, path)
    side = "from" if decision.direction == "ingress" else "to"
    for field in ("Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes"):
        if rule.get(f"{side}{field}") == []:
            del rule[f"{side}{field}"]
    rule[f"{side}Entities"] = ["all"]
