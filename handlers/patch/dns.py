"""DNS rules: an agent learns the address of a name only from answers that pass its DNS proxy."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace

from handlers.model.decision import Redirect, Verdict
from handlers.model.party import Party
from handlers.model.policy_kind import PolicyKind
from handlers.model.rule import Direction, PolicyRef
from handlers.model.traffic import Protocol, Traffic
from handlers.patch.blocked_side import BlockedSide
from handlers.patch.create import new_object
from handlers.patch.edits import Edit, EditError, add, applied, look
from handlers.patch.extend import base_of, made
from handlers.patch.peers import Writer
from handlers.policy.policy_set import PolicySet
from handlers.policy.views import own_labels

_DNS_PORT = 53
_MOST_OWNERS = 4


@dataclass(frozen=True, slots=True)
class DnsSide:
    """How the source looks the asked name up.

    ``servers`` are the DNS server pods that its look-ups reach, ``port`` the port at them. Resolvers append search
    domains under ``cluster_domain`` first; a refused name among those makes some give up, so rules list them too.
    """

    name: str
    servers: tuple[Party, ...]
    port: int = _DNS_PORT
    cluster_domain: str = "cluster.local"

    def spellings(self, namespace: str) -> tuple[str, ...]:
        """Give the names that a resolver of this namespace asks for, the plain one first."""
        services = f"svc.{self.cluster_domain}"
        domains = [f"{namespace}.{services}"] if namespace else []
        domains += [services, self.cluster_domain]
        return (self.name, *(f"{self.name}.{domain}" for domain in domains))


def learns(policies: PolicySet, source: Party, dns: DnsSide) -> bool:
    """Tell whether the source may look the name up at every server, and its agent learns from the answers."""
    packet = Traffic(Protocol.UDP, dns.port)
    for server in dns.servers:
        decision = policies.decide_dns(source, server, dns.name, packet)
        if decision.verdict is not Verdict.ALLOWED or decision.redirect is not Redirect.DNS:
            return False
        if not policies.decide(Direction.INGRESS, server, source, packet).passes:
            return False
    return bool(dns.servers)


def dns_side(
    policies: PolicySet,
    manifests: Mapping[PolicyRef, Mapping[str, object]],
    source: Party,
    dns: DnsSide,
    writer: Writer,
) -> BlockedSide | None:
    """Describe the look-up as a side; None when no DNS server is known."""
    if not dns.servers:
        return None
    packet = Traffic(Protocol.UDP, dns.port)
    return BlockedSide(policies, manifests, policies.decide_dns(source, dns.servers[0], dns.name, packet), writer)


def with_learning(side: BlockedSide, dns: DnsSide, edits: Iterable[Edit]) -> Iterator[tuple[Edit, ...]]:
    """Join edits that allow the name with one that lets it be learnt; without edits, only the latter."""
    repairs = list(_repairs(side, dns))
    listed = list(edits)
    for edit in listed:
        for repair in repairs:
            if repair.policy != edit.policy:
                yield edit, repair
        rule = _rule(side, dns, edit.policy)
        if edit.policy.kind != PolicyKind.NETWORK_POLICY and rule is not None:
            joined = _with_rule(side, edit, rule)
            if joined is not None:
                yield (joined,)
    if not listed:
        yield from ((repair,) for repair in repairs)
        yield from ((edit,) for edit in _own_rules(side, dns))


def _repairs(side: BlockedSide, dns: DnsSide) -> Iterator[Edit]:
    """Change the rule that already lets the look-up through to the server."""
    decision = side.decision
    lists = {
        (rule.origin.policy, rule.origin.pointer.rpartition("/")[0])
        for rule in decision.dns_rules
        if rule.origin is not None and rule.origin.policy in side.manifests
    }
    names = _names(side, dns)
    for policy, pointer in sorted(lists):
        title = f"let {dns.name} pass the DNS rules of {policy.name}"
        operations = [add(f"{pointer}/-", name) for name in names]
        yield from _by_name(made(side, policy, operations, title, guarded=pointer))
    if decision.redirect is not None:
        return
    for origin in decision.rules:
        if origin.policy not in side.manifests or origin.policy.kind == PolicyKind.NETWORK_POLICY:
            continue
        for index, entry in enumerate(_port_rules(side, origin.policy, origin.pointer)):
            if isinstance(entry, Mapping) and set(entry) == {"ports"}:
                place = f"{origin.pointer}/toPorts/{index}/rules"
                title = f"pass DNS through the proxy in {origin.policy.name}"
                operation = add(place, {"dns": [{"matchPattern": "*"}]})
                yield from _by_name(made(side, origin.policy, (operation,), title, guarded=origin.pointer))


def _port_rules(side: BlockedSide, policy: PolicyRef, pointer: str) -> list[object]:
    try:
        entries = look(side.manifests[policy], f"{pointer}/toPorts")
    except EditError:
        return []
    return list(entries) if isinstance(entries, (list, tuple)) else []


def _names(side: BlockedSide, dns: DnsSide) -> list[dict[str, str]]:
    return [{"matchName": name} for name in dns.spellings(own_labels(side.subject).namespace)]


def _rule(side: BlockedSide, dns: DnsSide, policy: PolicyRef) -> dict[str, object] | None:
    """Write a rule for the look-up; names that pass today must pass through the proxy too."""
    found = []
    for server in dns.servers:
        seen = side.policies.labels_seen(server, side.subject)
        writing = next(side.writer.cilium(server, seen, policy.namespace, Direction.EGRESS, ()), None)
        if writing is None:
            return None
        found.append((writing.suffix, writing.value))
    suffix = found[0][0]
    values = [value for place, (one, value) in enumerate(found) if one == suffix and (one, value) not in found[:place]]
    passes_today = side.decision.verdict is Verdict.ALLOWED and side.decision.redirect is None
    names = [{"matchPattern": "*"}] if passes_today else _names(side, dns)
    ports = [{"port": str(dns.port), "protocol": protocol} for protocol in ("UDP", "TCP")]
    return {f"to{suffix}": values, "toPorts": [{"ports": ports, "rules": {"dns": names}}]}


def _with_rule(side: BlockedSide, edit: Edit, rule: Mapping[str, object]) -> Edit | None:
    title = f"{edit.title}, and a DNS rule"
    if edit.is_new:
        manifest = deepcopy(dict(edit.manifest))
        section = look(manifest, "/spec/egress")
        if not isinstance(section, list):
            return None
        section.append(dict(rule))
        return replace(edit, manifest=manifest, title=title)
    path = str(edit.operations[-1]["path"])
    base = path.partition("/egress")[0]
    operations = (*edit.operations, add(f"{base}/egress/-", rule))
    try:
        manifest = applied(side.manifests[edit.policy], operations)
    except EditError:
        return None
    return replace(edit, manifest=manifest, operations=operations, title=title)


def _own_rules(side: BlockedSide, dns: DnsSide) -> Iterator[Edit]:
    """Add a DNS rule where nothing lets the look-up through the proxy yet."""
    decision = side.decision
    origins = (*decision.default_deny_by, *(effect.rule for effect in decision.effects))
    owners = dict.fromkeys((origin.policy, base_of(origin)) for origin in origins if origin.policy in side.manifests)
    for policy, base in list(owners)[:_MOST_OWNERS]:
        rule = _rule(side, dns, policy)
        if rule is None or policy.kind == PolicyKind.NETWORK_POLICY:
            continue
        title = f"add a DNS rule to {policy.name}"
        yield from _by_name(made(side, policy, (add(f"{base}/egress/-", rule),), title))
    namespace = own_labels(side.subject).namespace
    own = _rule(side, dns, PolicyRef(PolicyKind.CILIUM, namespace, ""))
    if namespace and own is not None:
        yield replace(new_object(side, PolicyKind.CILIUM, own, "dns", f"DNS for {dns.name}", 0), needs_name=True)


def _by_name(edits: Iterable[Edit]) -> Iterator[Edit]:
    return (replace(edit, needs_name=True) for edit in edits)
