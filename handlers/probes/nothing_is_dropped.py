"""Nothing is dropped.

Each group is one cause: a pair, a port and a reason. Hubble names the policy of an explicit deny only; for a default
deny it is computed here, from the policies as they stand and the labels that the flow carried.
"""

from collections.abc import Iterator

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
)
DROPS_BY_UNKNOWN_POLICY = code(
    "DROPS_BY_UNKNOWN_POLICY",
    meaning="Packets of one pair dropped by policy; which one could not be computed.",
    template="{count} × {source} → {destination} on {port}: dropped by a policy that could not be told ({why})",
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
DROPS_OF_WHOM = code(
    "DROPS_OF_WHOM",
    meaning="The name means nothing, or nothing of which drops can be told.",
    template="There is no namespace, pod, workload, Service, node or address {name} whose drops could be told",
    advice="Check the spelling.",
)

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
    for group in drop_groups((flow for flow in seen if not is_neighbour_noise(flow)), owners_of(facts)):
        yield _explain(group, facts)
    if noise:
        nodes = nodes_in_words({flow.node for flow in noise})
        yield NEIGHBOUR_NOISE.finding(Outcome.FINE, weight=len(noise), count=len(noise), nodes=nodes)


def _explain(group: DropGroup, facts: Facts) -> Finding:
    known = drop_reason(group.reason)
    if group.reason in _PROXY:
        record = (
            group.example.dns.query if group.example.dns else group.example.http.url if group.example.http else None
        )
        return _finding(DROPS_BY_PROXY, group, what=record or group.reason)
    if group.reason == "POLICY_DENY" and group.example.denied_by:
        named = tuple(policy.ref for policy in group.example.denied_by)
        return _finding(DROPS_BY_POLICY, group, refs=named, policies=named)
    if not known.is_policy and not group.is_audit:
        return _finding(DROPS_OTHERWISE, group, advice=known.remedy, reason=group.reason, meaning=known.meaning)
    return _by_policy(group, facts)


def _by_policy(group: DropGroup, facts: Facts) -> Finding:
    decision = attempt(lambda: decision_on(group, facts))
    if isinstance(decision, Lacking):
        return _finding(DROPS_BY_UNKNOWN_POLICY, group, why=f"{decision.part.in_words} could not be read")
    if decision is None or decision.verdict in (Verdict.UNKNOWN, Verdict.ERROR):
        missing = ", ".join(decision.missing) if decision and decision.missing else "its direction is not known"
        return _finding(DROPS_BY_UNKNOWN_POLICY, group, why=missing)
    if decision.verdict is not Verdict.DENIED:
        return _finding(DROPS_BY_FORMER_POLICY, group, at=clock(group.last_at))
    origins = decision.default_deny_by or decision.rules
    refs = tuple(dict.fromkeys(str(origin.policy) for origin in origins))
    spoken = WOULD_DROP if group.is_audit else DROPS_BY_POLICY
    return _finding(spoken, group, refs=refs, policies=policies_named(decision))


def _finding(
    spoken: Code, group: DropGroup, *, refs: tuple[str, ...] = (), advice: str | None = None, **values: object
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
        **values,  # type: ignore[arg-type]
    )
