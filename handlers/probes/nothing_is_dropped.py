"""Nothing is dropped.

Each group is one cause: a pair, a port and a reason. Hubble names the policy of an explicit deny only; for a default
deny it is computed here, from the policies as they stand and the labels that the flow carried.
"""

from collections.abc import Iterable, Iterator

from handlers.commands.drops import Drops
from handlers.connection.coverage import nodes_in_words
from handlers.connection.drop_causes import decision_on, owners_of
from handlers.connection.drop_groups import DropGroup, drop_groups, is_neighbour_noise
from handlers.connection.drop_words import follow_up_of, told
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS
from handlers.connection.policy_findings import policies_named
from handlers.model.decision import Verdict
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import FlowDirection
from handlers.model.parts import Part
from handlers.model.rule import PolicyRef
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

DROPS_BY_POLICY = code(
    "DROPS_BY_POLICY",
    meaning="Packets of one pair dropped by policy, with the policies that deny it as they stand now.",
    template="{count} × {source} → {destination} on {port}: denied by {policies}",
    advice="Open the why for the clause and a patch.",
)
DROPS_BY_FORMER_POLICY = code(
    "DROPS_BY_FORMER_POLICY",
    meaning="Packets of one pair dropped by policy, which the policies as they stand now would allow.",
    template="{count} × {source} → {destination} on {port}: dropped by policy until {at}, allowed as policies are now",
    advice="Try once more; if it is still dropped, ask again with fresh.",
)
DROPS_BY_UNKNOWN_POLICY = code(
    "DROPS_BY_UNKNOWN_POLICY",
    meaning="Packets of one pair dropped by policy; which one could not be computed.",
    template="{count} × {source} → {destination} on {port}: dropped by a policy that could not be told ({why})",
    advice="Let what is missing be read, and ask again; the why of the pair says more.",
)
DROPS_BY_PROXY = code(
    "DROPS_BY_PROXY",
    meaning="Requests or DNS queries of one pair that the agent's proxy refused.",
    template="{count} × {source} → {destination} on {port}: refused by the proxy ({what})",
    advice="Look at the L7 rules of the policy on that port.",
)
DROPS_OTHERWISE = code(
    "DROPS_OTHERWISE",
    meaning="Packets of one pair dropped for a reason that is no policy.",
    template="{count} × {source} → {destination} on {port}: {reason}, {meaning}",
)
WOULD_DROP = code(
    "WOULD_DROP",
    meaning="Packets that passed only because audit mode is on.",
    template="{count} × {source} → {destination} on {port}: passed in audit mode, would be denied by {policies}",
)

NEIGHBOUR_NOISE = code(
    "NEIGHBOUR_NOISE",
    meaning="IPv6 neighbour and router discovery that the datapath does not carry: noise of the links.",
    template="{count} packet{count:|s} of IPv6 neighbour discovery {count:was|were} dropped on {nodes}: harmless noise",
)
DROPS_ALIKE = code(
    "DROPS_ALIKE",
    meaning="Further pairs whose packets are dropped for the same cause as those told one by one.",
    template="{count} × between {pairs} more pair{pairs:|s}: {cause} ({ends})",
)
DROPS_OF_WHOM = code(
    "DROPS_OF_WHOM",
    meaning="The name means nothing, or nothing of which drops can be told.",
    template="There is no namespace, pod, workload, Service, node or address {name} whose drops could be told",
    advice="Check the spelling.",
)

MOST_OF_A_CAUSE = 5
"""Pairs of one cause that are told one by one."""
_PROXY = ("DNS_REFUSED", "HTTP_REFUSED", "UNKNOWN")


@probe(
    answers=(Drops,),
    codes=(
        DROPS_BY_POLICY,
        DROPS_BY_FORMER_POLICY,
        DROPS_BY_UNKNOWN_POLICY,
        DROPS_BY_PROXY,
        DROPS_OTHERWISE,
        WOULD_DROP,
        NEIGHBOUR_NOISE,
        DROPS_ALIKE,
        DROPS_OF_WHOM,
    ),
    needs=PARTS,
    uses=(Part.FLOWS, *OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.POLICIES),
)
def nothing_is_dropped(question: Drops, facts: Facts) -> Iterator[Finding]:
    """Yield one finding for each group of drops."""
    about = question.about(facts)
    if about is None:
        yield DROPS_OF_WHOM.finding(Outcome.UNKNOWN, name=str(question.endpoint or question.namespace))
        return
    seen = [flow for flow in facts.flows.flows if about.means(flow)]
    noise = [flow for flow in seen if is_neighbour_noise(flow)]
    groups = drop_groups((flow for flow in seen if not is_neighbour_noise(flow)), owners_of(facts))
    yield from _folded(_explain(group, facts) for group in groups)
    if noise:
        nodes = nodes_in_words({flow.node for flow in noise})
        yield NEIGHBOUR_NOISE.finding(Outcome.FINE, weight=len(noise), count=len(noise), nodes=nodes)


def _folded(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the largest groups of each cause, and the others of it together."""
    alike: dict[tuple[object, Outcome], list[Finding]] = {}
    for finding in found:
        alike.setdefault((finding.values["cause"], finding.outcome), []).append(finding)
    for (cause, outcome), same in alike.items():
        yield from same[:MOST_OF_A_CAUSE]
        if rest := same[MOST_OF_A_CAUSE:]:
            packets = sum(one.weight for one in rest)
            yield DROPS_ALIKE.finding(
                outcome,
                hop=rest[0].hop,
                evidence=rest[0].evidence,
                advice="",
                weight=packets,
                count=packets,
                pairs=len(rest),
                cause=str(cause),
                ends=nodes_in_words(f"{one.values['source']} → {one.values['destination']}" for one in rest),
                first=min(str(one.values["first"]) for one in rest),
                last=max(str(one.values["last"]) for one in rest),
            )


def _explain(group: DropGroup, facts: Facts) -> Finding:
    known = drop_reason(group.reason)
    if group.reason in _PROXY:
        record = (
            group.example.dns.query if group.example.dns else group.example.http.url if group.example.http else None
        )
        return _finding(DROPS_BY_PROXY, group, f"refused by the proxy for {group.source}", what=record or group.reason)
    if group.reason == "POLICY_DENY" and group.example.denied_by:
        named = tuple(PolicyRef(policy.kind, policy.namespace, policy.name) for policy in group.example.denied_by)
        words = tuple(f"{policy.kind} {policy.short}" for policy in named)
        return _finding(DROPS_BY_POLICY, group, _denial(group, words), refs=tuple(map(str, named)), policies=words)
    if not known.is_policy and not group.is_audit:
        reason, meaning = group.reason, known.meaning
        return _finding(DROPS_OTHERWISE, group, reason, advice=known.remedy, reason=reason, meaning=meaning)
    return _by_policy(group, facts)


def _by_policy(group: DropGroup, facts: Facts) -> Finding:
    decision = attempt(lambda: decision_on(group, facts))
    untold = _denial(group, ("a policy that could not be told",))
    if isinstance(decision, Lacking):
        return _finding(DROPS_BY_UNKNOWN_POLICY, group, untold, why=f"{decision.part.in_words} could not be read")
    if decision is None or decision.verdict in (Verdict.UNKNOWN, Verdict.ERROR):
        missing = ", ".join(decision.missing) if decision and decision.missing else "its direction is not known"
        return _finding(DROPS_BY_UNKNOWN_POLICY, group, untold, why=missing)
    if decision.verdict is not Verdict.DENIED:
        former = _denial(group, ("a policy of before",))
        return _finding(DROPS_BY_FORMER_POLICY, group, former, at=clock(group.last_at))
    origins = decision.default_deny_by or decision.rules
    refs = tuple(dict.fromkeys(str(origin.policy) for origin in origins))
    spoken = WOULD_DROP if group.is_audit else DROPS_BY_POLICY
    named = policies_named(decision)
    return _finding(spoken, group, _denial(group, named), refs=refs, policies=named)


def _denial(group: DropGroup, policies: tuple[str, ...]) -> str:
    """Say who denies on whose side: whoever the other ends are, that is one cause."""
    is_egress = group.direction is FlowDirection.EGRESS
    side = f"egress of {group.source}" if is_egress else f"ingress of {group.destination}"
    return f"{side} denied by {', '.join(policies)}"


def _finding(
    spoken: Code,
    group: DropGroup,
    cause: str,
    *,
    refs: tuple[str, ...] = (),
    advice: str | None = None,
    **values: object,
) -> Finding:
    pair = told(group)
    return spoken.finding(
        # What passed in audit mode was not dropped.
        Outcome.NOT_APPLICABLE if group.is_audit else Outcome.PROBLEM,
        hop=Hop.EGRESS_POLICY if group.direction is FlowDirection.EGRESS else Hop.INGRESS_POLICY if refs else None,
        evidence=[
            *(Evidence("kubernetes", ref) for ref in refs),
            Evidence("hubble", f"Node//{group.example.node}", at=group.last_at, excerpt=group.reason),
        ],
        advice=advice,
        follow_up=follow_up_of(group),
        weight=group.count,
        count=group.count,
        source=pair.source,
        destination=pair.destination,
        port=pair.port,
        cause=cause,
        first=group.first_at.isoformat(),
        last=group.last_at.isoformat(),
        **values,  # type: ignore[arg-type]
    )
