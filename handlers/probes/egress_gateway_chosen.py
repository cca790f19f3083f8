"""No egress gateway policy contradicts another, or leaves the destination out.

The narrowest range decides, whichever policy it is in, and excluded ranges count as any other. Two policies with one
range for one pod contradict each other, and nothing in them tells which one wins.
"""

from collections.abc import Iterator

from handlers.connection.outbound import OUTBOUND_PARTS, Outbound, outbound_of
from handlers.connection.trial import Trial
from handlers.model.agent import EgressGatewayEntry
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code, prose
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

EGRESS_GATEWAY_UNCLEAR = code(
    "EGRESS_GATEWAY_UNCLEAR",
    meaning="An egress gateway policy selects the pod; whether it takes this destination depends on its address.",
    template="Whether {policy} takes {source} out through a gateway depends on the destination's address",
    advice="Ask for the address.",
)
EGRESS_GATEWAY_EXCLUDED = code(
    "EGRESS_GATEWAY_EXCLUDED",
    meaning="An egress gateway policy selects the pod, and excludes the destination: it leaves from its own node.",
    template="{policy} does not take {source} to {address}: its excludedCIDRs hold {excluded}, so that the other side "
    "sees {seen}, the address of {node}, in place of {wanted}; nothing is dropped",
    reason="the excludedCIDRs of {name} hold {excluded}: the other side sees {seen} in place of {wanted}",
    advice="Take the range out of excludedCIDRs if the traffic ought to leave through the gateway.",
)
EGRESS_GATEWAY_CONFLICT = code(
    "EGRESS_GATEWAY_CONFLICT",
    meaning="Two egress gateway policies name the same range for one pod: which of them counts is left to chance.",
    template="{policies} both decide on {source} to {cidr}, and say different things: the one that an agent happens to "
    "write last counts, and that may change when it starts again{now}",
    reason="{policies} both name {cidr} for it, and chance decides between them",
    advice="Let one policy alone name the range for these pods, or make one of the ranges narrower.",
)
EGRESS_GATEWAY_REFUSED = code(
    "EGRESS_GATEWAY_REFUSED",
    meaning="Agents do not take the egress gateway policy, so that nothing of it happens.",
    template="{policy} would take {source} out, but agents refuse it: {refusal}",
    advice="Correct the policy; the API server accepts what agents then refuse.",
)


@probe(
    answers=(AboutConnection,),
    codes=(EGRESS_GATEWAY_UNCLEAR, EGRESS_GATEWAY_EXCLUDED, EGRESS_GATEWAY_CONFLICT, EGRESS_GATEWAY_REFUSED),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *OUTBOUND_PARTS),
    hop=Hop.EGRESS_GATEWAY,
    blocking=True,
)
def egress_gateway_chosen(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge what decides on the packets of each pod, each thing once."""
    said: set[tuple[object, ...]] = set()
    for outbound in outbound_of(Trial(question.connection, facts)):
        for finding in _judge(outbound):
            key = (
                finding.code,
                outbound.source.title,
                str(finding.values.get("policy") or finding.values.get("policies")),
            )
            if key not in said:
                said.add(key)
                yield finding


def _judge(outbound: Outbound) -> Iterator[Finding]:
    choice, source = outbound.choice, outbound.source.title
    for policy in outbound.refused:
        yield EGRESS_GATEWAY_REFUSED.finding(
            Outcome.PROBLEM,
            hop=Hop.EGRESS_GATEWAY,
            evidence=[Evidence("kubernetes", policy.ref, "/spec")],
            policy=policy.ref,
            source=source,
            refusal=prose(policy.refusal),
        )
    if not outbound.is_on:
        return
    if choice.is_open:
        policies = tuple(entry.policy.name for entry in (*choice.deciding, *choice.overruled))
        yield EGRESS_GATEWAY_UNCLEAR.finding(
            Outcome.UNKNOWN,
            hop=Hop.EGRESS_GATEWAY,
            blocking=True,
            policy=policies or "an egress gateway policy",
            source=source,
        )
    elif choice.is_conflict:
        yield _conflict(outbound)
    elif choice.kept_out_of:
        yield _excluded(outbound)


def _conflict(outbound: Outbound) -> Finding:
    deciding = outbound.choice.deciding
    told = outbound.entry_on(outbound.source.node)
    now = Sentence("")
    evidence = [Evidence("kubernetes", entry.policy.ref, "/spec") for entry in deciding]
    if isinstance(told, EgressGatewayEntry):
        node = next((one for one in outbound.facts.nodes if told.gateway_ip in one.ips), None)
        there = outbound.entry_on(node.name) if node else None
        address = there.egress_ip if isinstance(there, EgressGatewayEntry) else None
        template = "; now bpf egress list on {node} has {gateway}" + (" with {address}" if address else "")
        gateway = node.name if node else told.gateway_ip or "Not Found"
        now = Sentence(template, {"node": outbound.source.node, "gateway": gateway, "address": address})
        evidence.append(Evidence("agent", f"Node//{outbound.source.node}", "bpf egress list"))
    return EGRESS_GATEWAY_CONFLICT.finding(
        Outcome.PROBLEM,
        hop=Hop.EGRESS_GATEWAY,
        evidence=evidence,
        policies=tuple(entry.policy.ref for entry in deciding),
        source=outbound.source.title,
        cidr=deciding[0].cidr,
        now=now,
    )


def _excluded(outbound: Outbound) -> Finding:
    # It stops nothing, but the other side may let in the gateway's address alone.
    out = next(entry for entry in outbound.choice.deciding if entry.is_excluded)
    kept = outbound.choice.kept_out_of[0]
    wanted = next((way.source for way in outbound.ways(kept)), "the gateway's address")
    evidence = [Evidence("kubernetes", out.policy.ref, "/spec/excludedCIDRs")]
    told = outbound.entry_on(outbound.source.node)
    if isinstance(told, EgressGatewayEntry) and told.is_excluded:
        evidence.append(Evidence("agent", f"Node//{outbound.source.node}", "bpf egress list", excerpt="Excluded CIDR"))
    return EGRESS_GATEWAY_EXCLUDED.finding(
        Outcome.PROBLEM,
        hop=Hop.EGRESS_GATEWAY,
        evidence=evidence,
        policy=out.policy.ref,
        name=out.policy.name,
        source=outbound.source.title,
        address=outbound.choice.address,
        excluded=out.cidr,
        seen=outbound.address_at_home,
        node=outbound.source.node or "its node",
        wanted=wanted,
    )
