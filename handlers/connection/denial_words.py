"""Why one side denies, in one clause for a headline: what its policies say, held against what is asked of them.

A policy's author thinks in names, labels and ports, not in pods and JSON pointers; those stand in the finding.
"""

from collections.abc import Iterator

from handlers.connection.allowed_words import allowed_in_words, port_in_short
from handlers.connection.judgement import Judged
from handlers.connection.legs import name_in_words
from handlers.connection.policies import policies_of
from handlers.model import decision as why
from handlers.model.decision import Clause, Decision, NearestMiss, Reason
from handlers.model.facts import Facts
from handlers.model.finding import Sentence, Value, prose
from handlers.model.labels import NAMESPACE_LABEL, NAMESPACE_LABELS_PREFIX
from handlers.model.rule import Direction, Effect, Implied, L4Protocol, Operator, Origin, PolicyRef

LONGEST_REASON = 160
"""Characters that a reason may have: what a person takes in at one glance, three lines on a phone."""
_CIDR_FIELDS = ("toCIDRSet", "toCIDR", "fromCIDRSet", "fromCIDR", "ipBlock")
_DNS_PORT = "53/"
CLUSTER = "cluster"
"""The entity that every pod is: it tells nothing of one."""
_DENY_FIELDS = ("ingressDeny", "egressDeny")


def denial_in_words(leg: Judged, decision: Decision, facts: Facts) -> Sentence:
    """Return why the side denies the leg: the fullest wording that is short enough for a headline."""
    wordings = tuple(_wordings(leg, decision, facts))
    return next((wording for wording in wordings if len(str(wording)) <= LONGEST_REASON), wordings[-1])


def _wordings(leg: Judged, decision: Decision, facts: Facts) -> Iterator[Sentence]:
    """Yield wordings, the fullest first; the last one says the least that is true."""
    direction = decision.direction
    other = leg.leg.destination if direction is Direction.EGRESS else leg.leg.source
    policy = _policy(decision)
    peer = name_in_words(other, policy.namespace if policy else "")
    said: dict[str, Value] = {
        "policy": policy.name if policy else "the enforcement mode",
        "peer": peer,
        "peer_namespace": other.pod.namespace if other.pod else peer,
        "port": prose(port_in_short(leg)),
        "direction": direction.value,
    }
    if decision.reason is Reason.EXPLICIT_DENY:
        yield from _on_purpose(decision, said, facts)
        return
    miss = decision.nearest_miss
    if policy is None or miss is None:
        yield Sentence("enforcement is set to always, and no policy allows {peer} {port}", said)
        return
    said["near"] = miss.rule.policy.name
    clause = miss.clause if len(miss.clauses) == 1 else _sparing(miss)
    near = _clause(clause, leg, said) if clause else None
    if near is not None:
        yield near
    yield from _all_that_is_allowed(decision, said, facts)
    yield _nothing(said)
    yield Sentence("no policy allows it", said)


def _policy(decision: Decision) -> PolicyRef | None:
    miss = decision.nearest_miss
    origins: tuple[Origin, ...] = decision.rules if decision.reason is Reason.EXPLICIT_DENY else ()
    origins = origins or decision.default_deny_by or ((miss.rule,) if miss else ())
    return origins[0].policy if origins else None


def _nothing(said: dict[str, Value]) -> Sentence:
    return Sentence("{policy} allows nothing to {peer} {port}" if _is_egress(said) else _NOTHING_IN, said)


_NOTHING_IN = "{policy} lets in nothing from {peer} on {port}"


def _is_egress(said: dict[str, Value]) -> bool:
    return said["direction"] == Direction.EGRESS.value


def _on_purpose(decision: Decision, said: dict[str, Value], facts: Facts) -> Iterator[Sentence]:
    """A deny rule is there because somebody wanted it: what it denies says what for."""
    rules = policies_of(facts).rules_selecting(decision.subject, decision.direction)
    denying = [rule for rule in rules if rule.effect is Effect.DENY and rule.origin in decision.rules]
    field = next((name for name in _DENY_FIELDS for rule in decision.rules if name in rule.pointer), "")
    told = {**said, "field": field, "denied": allowed_in_words(denying, str(said["policy"]))}
    if denying and field:
        yield Sentence("denied by {policy}, on purpose: its {field} lists {denied}", told)
    yield Sentence("denied by {policy}, on purpose", told)


def _sparing(miss: NearestMiss) -> Clause | None:
    """Of several clauses that fail, the one that never can hold is the one to tell the author."""
    never = (why.CidrSparesCluster, why.FqdnSparesCluster)
    return next((clause for clause in miss.clauses if isinstance(clause, never)), None)


def _all_that_is_allowed(decision: Decision, said: dict[str, Value], facts: Facts) -> Iterator[Sentence]:
    """Nothing comes near: tell what the policies allow, and that this is none of it."""
    rules = [
        rule
        for rule in policies_of(facts).rules_selecting(decision.subject, decision.direction)
        if rule.effect is Effect.ALLOW
    ]
    isolating = list(dict.fromkeys(origin.policy for origin in decision.default_deny_by))
    told = {**said, "more": len(isolating) - 1, "count": len(isolating)}
    who = "{policy} and {more} more polic{more:y|ies}" if isolating[1:] else "{policy}"
    rest = "nothing allows {peer} {port}" if _is_egress(said) else "nothing lets in {peer} on {port}"
    verb = "allow{count:s|}" if _is_egress(said) else "let{count:s|} in"
    for most in (4, 2, 1):
        listed = allowed_in_words(rules, isolating[0].namespace if isolating else "", most=most)
        if not listed:
            yield Sentence(f"{who} {{count:denies|deny}} all {{direction}}; {rest}", told)
            return
        yield Sentence(f"{who} {verb} only {{allowed}}; {rest}", {**told, "allowed": listed})


def _clause(clause: Clause, leg: Judged, said: dict[str, Value]) -> Sentence | None:
    """Say the one clause that fails; None for one that says less than the policies as a whole."""
    match clause:
        case why.PortDiffers(allowed=allowed) | why.ProtocolDiffers(allowed=allowed):
            # A rule for look-ups is near to nothing else.
            return None if all(port.startswith(_DNS_PORT) for port in allowed) else _port(clause, allowed, leg, said)
        case why.PeerLabelDiffers():
            return _label(clause, said)
        case why.CidrSparesCluster(origin=origin, cidr=cidr, entities=entities):
            field = next((name for name in _CIDR_FIELDS if name in origin.pointer), "a CIDR rule")
            told: dict[str, Value] = {**said, "cidr": cidr, "field": field, "entities": entities}
            other = leg.leg.destination if _is_egress(said) else leg.leg.source
            if other.pod is not None and not other.pod.host_network:
                return Sentence("{cidr} in {field} never selects pods; select them by labels", told)
            return Sentence("{cidr} in {field} never selects nodes; entities {entities} would", told)
        case why.CidrMisses(cidr=cidr, address=address):
            return Sentence(
                "{near} allows {cidr}; {address} lies outside of it", {**said, "cidr": cidr, "address": address}
            )
        case why.CidrExcepts(cidr=cidr, excepted=excepted, address=address):
            told = {**said, "cidr": cidr, "excepted": excepted, "address": address}
            return Sentence("{near} allows {cidr} except {excepted}, and {address} lies in that", told)
        case why.FqdnNotListed(wanted=wanted, names=names):
            return Sentence("{near} allows {wanted}; this is {names}", {**said, "wanted": wanted, "names": names})
        case why.FqdnNotLearnt(wanted=wanted, address=address):
            told = {**said, "wanted": wanted, "address": address}
            gave = "no DNS answer gave {address} for that name" if address else "the agent saw no DNS answer for it"
            return Sentence(f"{{near}} allows {{wanted}}, and {gave}", told)
        case why.FqdnSparesCluster(wanted=wanted):
            told = {**said, "wanted": wanted}
            return Sentence("{wanted} in toFQDNs selects nothing inside the cluster; select {peer} by labels", told)
        case why.EntityDiffers(entity=entity, had=had) if had != (CLUSTER,):
            told = {**said, "entity": entity, "had": had or ("none",)}
            return Sentence("{near} allows entity {entity}; this is {had}", told)
        case why.PeerIsNoPod(entities=entities):
            told = {**said, "entities": entities}
            return Sentence("{near} selects pods, and {peer} is none; entities {entities} would select it", told)
        case why.CidrGroupMisses(wanted=wanted, address=address):
            told = {**said, "wanted": wanted, "address": address or said["peer"]}
            return Sentence("no prefix of CIDR group {wanted}, which {near} allows, contains {address}", told)
        case why.ServiceMisses(service=service, found=found):
            tail = "which does not stand for {peer}" if found else "which does not exist"
            return Sentence(f"{{near}} names Service {{service}}, {tail}", {**said, "service": service})
        case why.IcmpNeedsRule():
            return Sentence("{near} allows ports, which never cover ping; that needs an icmps rule", said)
        case why.NamedPortUnresolved(name=name, fault=fault):
            told = {**said, "name": name, "fault": fault.value.replace("-", " ")}
            return Sentence("{near} lists port {name}, a name that is {fault} here", told)
        case why.NobodySelected(origin=origin, field=field) if field and not origin.pointer.endswith("/policyTypes"):
            return Sentence("{near} has an empty {field} list, which selects nobody", {**said, "field": field})
        case why.NoPortListed():
            return Sentence("{near} has an empty port list, which allows no port", said)
    return None


def _port(clause: Clause, allowed: tuple[str, ...], leg: Judged, said: dict[str, Value]) -> Sentence:
    traffic = leg.traffic
    # Who lists a port without a protocol means any; to say so would tell nothing.
    listed = tuple(port.removesuffix(f"/{L4Protocol.ANY}") for port in allowed)
    told: dict[str, Value] = {**said, "allowed": listed, "asked": str(traffic), "pod_port": traffic.port}
    dialled = leg.leg.dialled
    is_translated = dialled not in (None, traffic.port)
    if is_translated and {str(dialled), f"{dialled}/{traffic.protocol}"} & set(listed):
        told["dialled"] = dialled
        return Sentence("{near} lists port {dialled}, the Service's; policy sees the pod's port {pod_port}", told)
    if is_translated and isinstance(clause, why.PortDiffers):
        return Sentence("{near} allows {allowed}; policy sees the pod's port, {asked}", told)
    return Sentence("{near} allows {allowed}; this is {asked}", told)


def _label(clause: why.PeerLabelDiffers, said: dict[str, Value]) -> Sentence:
    key, had = clause.key, clause.had.value if clause.had else None
    told: dict[str, Value] = {**said, "key": key, "wanted": clause.wanted, "had": had}
    if clause.filtered or clause.dropped is not None:
        return Sentence("{near} asks for label {key}, which Cilium keeps out of identities", told)
    if clause.implied is Implied.POLICY_NAMESPACE:
        return Sentence("{near} names no namespace, so it means {wanted} only; {peer} is in {had}", told)
    if clause.implied is Implied.LOCAL_CLUSTER:
        return Sentence("{near} means cluster {wanted} only; {peer} is in {had}", told)
    if clause.implied is Implied.ANY_NAMESPACE:
        return Sentence("{near} means pods, and {peer} is none", told)
    if key == NAMESPACE_LABEL and clause.operator is Operator.EQUALS:
        return Sentence("{near} means namespace {wanted}; {peer} is in {had}", told)
    if key.startswith(f"{NAMESPACE_LABELS_PREFIX}."):
        return _namespace_label(clause, told)
    # A label with its value is one name: it stands as one word wherever values are quoted.
    told["label"] = f"{key}={clause.wanted[0] if clause.wanted else ''}"
    told["owned"] = f"{key}={had}"
    has = "{owned}" if clause.had else "no label {key}"
    return Sentence(f"{{near}} wants {_WANTED[clause.operator]}; {{peer}} has {has}", told)


_WANTED = {
    Operator.EQUALS: "{label}",
    Operator.EXISTS: "a label {key}",
    Operator.DOES_NOT_EXIST: "no label {key}",
    Operator.IN: "{key} to be one of {wanted}",
    Operator.NOT_IN: "{key} to be none of {wanted}",
}


def _namespace_label(clause: why.PeerLabelDiffers, said: dict[str, Value]) -> Sentence:
    key = clause.key.removeprefix(f"{NAMESPACE_LABELS_PREFIX}.")
    told = {**said, "key": key, "label": f"{key}={clause.wanted[0] if clause.wanted else ''}"}
    wants = "labelled {label}" if clause.operator is Operator.EQUALS else f"with {_WANTED[clause.operator]}"
    told["owned"] = f"{key}={clause.had.value}" if clause.had else None
    has = "has {owned}" if clause.had else "has no such label"
    return Sentence(f"the rule wants namespaces {wants}; namespace {{peer_namespace}} {has}", told)
