"""Edits of policies that are there: a port, a peer, or a rule beside the nearest miss."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from handlers.model.decision import (
    IcmpNeedsRule,
    NamedPortUnresolved,
    NoPortListed,
    PortDiffers,
    ProtocolDiffers,
    RuleEffect,
)
from handlers.model.policy_kind import PolicyKind
from handlers.model.rule import Effect, Origin, PolicyRef
from handlers.patch.blocked_side import BlockedSide, cilium_port, cilium_ports, icmp_field, kubernetes_port
from handlers.patch.edits import Edit, EditError, Operation, add, applied, guard, look
from handlers.patch.manifest import ManifestError, clean
from handlers.patch.peers import Writing

_PORT_CLAUSES = (PortDiffers, ProtocolDiffers, NamedPortUnresolved, NoPortListed, IcmpNeedsRule)
_MOST_RULES = 8
_MOST_POLICIES = 5
_MOST_PORTS = 40


def extensions(side: BlockedSide) -> Iterator[Edit]:
    """Propose edits of the policies that select the subject, those nearest to the flow first."""
    effects = [effect for effect in side.decision.effects if effect.effect is Effect.ALLOW and not effect.matched]
    miss = side.decision.nearest_miss
    effects.sort(key=lambda effect: (miss is None or effect.rule != miss.rule, len(effect.failed)))
    for effect in islice((one for one in effects if one.rule.policy in side.manifests), _MOST_RULES):
        yield from _repairs(side, effect)
    owners = [miss.rule] if miss else []
    owners += [*side.decision.default_deny_by, *(effect.rule for effect in side.decision.effects)]
    places = dict.fromkeys((origin.policy, base_of(origin)) for origin in owners if origin.policy in side.manifests)
    for policy, base in islice(places, _MOST_POLICIES):
        yield from _new_rules(side, policy, base)


def base_of(origin: Origin) -> str:
    """Give the spec that a rule stands in: ``/spec`` or ``/specs/1``."""
    steps = origin.pointer.split("/")
    return "/".join(steps[:3]) if steps[1:2] == ["specs"] else "/spec"


def _repairs(side: BlockedSide, effect: RuleEffect) -> Iterator[Edit]:
    """Repair a rule that failed on its ports only, or on its peers only."""
    policy, pointer = effect.rule.policy, effect.rule.pointer
    try:
        item = look(side.manifests[policy], pointer)
    except EditError:
        return
    if not isinstance(item, Mapping) or item.get("authentication"):
        return
    port_failures = [isinstance(clause, _PORT_CLAUSES) for clause in effect.failed]
    if all(port_failures):
        for operations in _port_operations(side, policy, pointer, item):
            title = f"add {side.traffic} to a rule of {policy.name}"
            yield from made(side, policy, operations, title, guarded=pointer)
    elif not any(port_failures):
        for writing in _writings(side, policy):
            field = f"{side.side}{writing.suffix}"
            if isinstance(item.get(field), (list, tuple)):
                title = f"add {writing.words} to a rule of {policy.name}"
                operation = add(f"{pointer}/{field}/-", writing.value)
                yield from made(side, policy, (operation,), title, guarded=pointer, writing=writing)


def _port_operations(
    side: BlockedSide, policy: PolicyRef, pointer: str, item: Mapping[str, object]
) -> Iterator[tuple[Operation, ...]]:
    traffic = side.traffic
    if policy.kind == PolicyKind.NETWORK_POLICY:
        if not traffic.protocol.is_icmp and isinstance(item.get("ports"), (list, tuple)):
            yield (add(f"{pointer}/ports/-", kubernetes_port(traffic)),)
        return
    listed = item.get("icmps") if traffic.protocol.is_icmp else item.get("toPorts")
    if not isinstance(listed, (list, tuple)):
        return
    if traffic.protocol.is_icmp:
        yield (add(f"{pointer}/icmps/0/fields/-", icmp_field(traffic)),)
        return
    for index, entry in enumerate(listed):
        if _is_plain(entry):
            yield (add(f"{pointer}/toPorts/{index}/ports/-", cilium_port(traffic)),)
            return
    yield (add(f"{pointer}/toPorts/-", {"ports": [cilium_port(traffic)]}),)


def _is_plain(entry: object) -> bool:
    """Tell whether a ``toPorts`` entry holds ports only, so that one more port means nothing but itself."""
    if not isinstance(entry, Mapping) or any(value for key, value in entry.items() if key != "ports"):
        return False
    ports = entry.get("ports")
    return isinstance(ports, (list, tuple)) and 0 < len(ports) < _MOST_PORTS


def _new_rules(side: BlockedSide, policy: PolicyRef, base: str) -> Iterator[Edit]:
    if policy.kind == PolicyKind.NETWORK_POLICY and side.traffic.protocol.is_icmp:
        return
    try:
        spec = look(side.manifests[policy], base)
    except EditError:
        return
    if not isinstance(spec, Mapping):
        return
    section = f"{base}/{side.direction}"
    for writing in _writings(side, policy):
        rule = new_rule(side, policy.kind, writing)
        title = f"add a rule for {writing.words} to {policy.name}"
        if isinstance(spec.get(side.direction), (list, tuple)):
            yield from made(side, policy, (add(f"{section}/-", rule),), title, writing=writing)
        else:
            yield from made(side, policy, (add(section, [rule]),), title, guarded=base, writing=writing)


def new_rule(side: BlockedSide, kind: str, writing: Writing) -> dict[str, object]:
    """Write a rule that allows one peer on the asked port."""
    field = f"{side.side}{writing.suffix}"
    if kind == PolicyKind.NETWORK_POLICY:
        return {field: [writing.value], "ports": [kubernetes_port(side.traffic)]}
    return {field: [writing.value], **cilium_ports(side.traffic)}


def _writings(side: BlockedSide, policy: PolicyRef) -> tuple[Writing, ...]:
    return writings(side, policy.kind, policy.namespace)


def writings(side: BlockedSide, kind: str, namespace: str) -> tuple[Writing, ...]:
    """Give the forms of the peer that a policy of this kind and namespace can hold."""
    if kind == PolicyKind.NETWORK_POLICY:
        return tuple(side.writer.kubernetes(side.peer, side.seen, namespace))
    return tuple(side.writer.cilium(side.peer, side.seen, namespace, side.direction, side.names))


def made(
    side: BlockedSide,
    policy: PolicyRef,
    operations: Sequence[Operation],
    title: str,
    *,
    guarded: str = "",
    writing: Writing | None = None,
) -> Iterator[Edit]:
    """Apply operations to a policy; yields nothing where they do not fit.

    ``guarded`` is the place whose content must still be what it was: positions in lists move.
    """
    manifest = side.manifests[policy]
    try:
        clean(manifest)
        before = (guard(manifest, guarded),) if guarded else ()
        after = applied(manifest, (*before, *operations))
    except (EditError, ManifestError):
        return
    by_name = writing is not None and writing.is_by_name
    rank = writing.rank if writing else 0
    yield Edit(policy, after, (*before, *operations), title, preference=rank, needs_name=by_name)
