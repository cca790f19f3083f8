"""The proxy was seen reading requests, and refused none.

Requests that a proxy reads are flows of their own, of the type L7, with method, path and code. Packets to the port
without such flows were read by nobody.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import L7Filter, by_entry, pods_in_words
from handlers.connection.l7_requests import (
    MOST_SHOWN,
    answer_codes,
    end_in_words,
    nearest_in_words,
    packets_to,
    request_in_words,
)
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import EventType, Flow, FlowType, FlowVerdict
from handlers.model.parts import Part
from handlers.model.rule import Direction
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

L7_REFUSED = code(
    "L7_REFUSED",
    meaning="The proxy refused requests that no L7 rule of the policies lets pass: the client got 403, or REFUSED.",
    template="The proxy refused {request} of {source} to {destination} on {port} {count} time{count:|s}, last {last}: "
    "no rule of {policies} lets it pass{nearest}",
    reason="the proxy refused {request} of {source}, last at {last}",
    advice="If it ought to pass, add a rule for it next to the others; if not, the policy does its work.",
)
L7_SEEN = code(
    "L7_SEEN",
    meaning="Requests that the proxy read, with their answers.",
    template="The proxy read {count} request{count:|s} {way} {pods} on {port}: {kinds}; answers: {codes}",
)
L7_NOT_READ = code(
    "L7_NOT_READ",
    meaning="Packets passed on a port that has L7 rules, after the policy was last changed, and no request was read.",
    template="{count} packet{count: was|s were} let through on {port} of {pods}, last {last}, and no proxy read them",
    reason="packets pass on {port} of {pods}, and no proxy reads them",
    advice="The policy is not in force there: see the endpoint's state, and whether the proxy runs.",
)
L7_UNSEEN = code(
    "L7_UNSEEN",
    meaning="Nothing was seen to come to the port in the time that was looked at.",
    template="No traffic on {port} of {pods} was seen",
)


@probe(
    answers=(L7OfPolicy, L7OfConnection),
    codes=(L7_REFUSED, L7_SEEN, L7_NOT_READ, L7_UNSEEN),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES),
    hop=Hop.L7,
)
def l7_requests_seen(question: L7OfPolicy | L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Tell requests and refusals apart, and what was read from what was not."""
    filters = question.filters(facts)
    flows: tuple[Flow, ...] = facts.flows.flows if filters else ()
    for group in by_entry(filters):
        changed = next((one.changed_at for one in facts.policies if one.ref == str(group[0].rule.origin.policy)), None)
        mine = packets_to(group, flows)
        requests = [flow for flow in mine if flow.type is FlowType.L7]
        yield from _refusals(group, [flow for flow in requests if flow.verdict is FlowVerdict.DROPPED], filters)
        unread = _passed(mine, changed) if group[0].needs_envoy else []
        if requests:
            yield _seen(group, requests, answer_codes(group, flows))
        elif unread:
            yield _not_read(group, unread)
        elif not mine:
            pods = pods_in_words(group)
            yield L7_UNSEEN.finding(Outcome.NOT_APPLICABLE, hop=Hop.L7, port=group[0].on, pods=pods)


def _passed(flows: list[Flow], changed: datetime | None) -> list[Flow]:
    return [
        flow
        for flow in flows
        if flow.verdict is FlowVerdict.FORWARDED
        and flow.type is FlowType.L3_L4
        and flow.event_type == EventType.TRACE
        and changed is not None
        and flow.time > changed
    ]


def _seen(group: list[L7Filter], requests: list[Flow], codes: tuple[str, ...]) -> Finding:
    kinds = Counter(map(request_in_words, requests))
    newest = max(flow.time for flow in requests)
    return L7_SEEN.finding(
        Outcome.FINE,
        hop=Hop.L7,
        evidence=[Evidence("hubble", str(group[0].rule.origin.policy), at=newest)],
        count=len(requests),
        way="to" if group[0].direction is Direction.INGRESS else "from",
        pods=pods_in_words(group),
        port=group[0].on,
        kinds=tuple(f"{kind} ({count})" for kind, count in kinds.most_common(MOST_SHOWN)),
        codes=codes,
    )


def _not_read(group: list[L7Filter], passed: list[Flow]) -> Finding:
    newest = max(flow.time for flow in passed)
    return L7_NOT_READ.finding(
        Outcome.PROBLEM,
        hop=Hop.L7,
        weight=70,
        evidence=[Evidence("hubble", str(group[0].rule.origin.policy), at=newest)],
        count=len(passed),
        port=group[0].on,
        pods=pods_in_words(group),
        last=clock(newest),
    )


def _refusals(group: list[L7Filter], refused: list[Flow], filters: tuple[L7Filter, ...]) -> Iterator[Finding]:
    """Name each kind of request that was refused; every filter of the port has a say in that."""
    same = [one for one in filters if one.direction is group[0].direction and one.on == group[0].on]
    if group[0].ports.pointer != same[0].ports.pointer or group[0].rule.origin != same[0].rule.origin:
        return
    policies = tuple(dict.fromkeys(str(one.rule.origin.policy) for one in same))
    grouped: dict[tuple[str, str], list[Flow]] = {}
    for flow in refused:
        grouped.setdefault((request_in_words(flow), end_in_words(flow.source)), []).append(flow)
    for (request, source), flows in sorted(grouped.items(), key=lambda item: -len(item[1]))[:MOST_SHOWN]:
        newest = max(flows, key=lambda flow: flow.time)
        yield L7_REFUSED.finding(
            Outcome.PROBLEM,
            hop=Hop.L7,
            weight=min(60, len(flows)),
            evidence=[
                Evidence("hubble", f"Pod/{end_in_words(newest.source)}", at=newest.time),
                *(Evidence("kubernetes", policy) for policy in policies),
            ],
            request=request,
            source=source,
            destination=end_in_words(newest.destination),
            port=group[0].on,
            count=len(flows),
            last=clock(newest.time),
            policies=policies,
            nearest=nearest_in_words(newest, same),
        )
