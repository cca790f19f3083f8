"""The proxy was seen reading requests, and refused none.

Requests that a proxy reads are flows of their own, of the type L7, with method, path and code. Packets to the port
without such flows were read by nobody.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import L7Filter
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import EventType, Flow, FlowEnd, FlowType, FlowVerdict
from handlers.model.parts import Part
from handlers.model.rule import Direction, HttpRule, L7Kind
from handlers.model.traffic import HttpRequest
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.l7 import http_differences
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
    template="The proxy read {count} request{count:|s} {way} {pod} on {port}: {kinds}; answers: {codes}",
)
L7_NOT_READ = code(
    "L7_NOT_READ",
    meaning="Packets passed on a port that has L7 rules, after the policy was last changed, and no request was read.",
    template="{count} packet{count: was|s were} let through on {port} of {pod}, last at {last}, and no proxy read them",
    reason="packets pass on {port} of {pod}, and no proxy reads them",
    advice="The policy is not in force there: see the endpoint's state, and whether the proxy runs.",
)
L7_UNSEEN = code(
    "L7_UNSEEN",
    meaning="Nothing was seen to come to the port in the time that was looked at.",
    template="No traffic on {port} of {pod} was seen",
)
MOST_SHOWN = 6
"""Kinds of requests named in one line."""


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
    if not filters:
        return
    flows: tuple[Flow, ...] = facts.flows.flows
    seen: set[tuple[str, str]] = set()
    for one in filters:
        if (str(one.pod), one.on) in seen:
            continue
        seen.add((str(one.pod), one.on))
        same = [other for other in filters if (other.pod is one.pod and other.on == one.on)]
        yield from _at(one, same, flows, _changed_at(one, facts))


def _changed_at(one: L7Filter, facts: Facts) -> datetime | None:
    ref = str(one.rule.origin.policy)
    return next((policy.changed_at for policy in facts.policies if policy.ref == ref), None)


def _at(one: L7Filter, same: list[L7Filter], flows: Iterable[Flow], changed: datetime | None) -> Iterator[Finding]:
    mine = [flow for flow in flows if _is_to(flow, one)]
    requests = [flow for flow in mine if flow.type is FlowType.L7 and flow.is_reply is not True]
    refused = [flow for flow in requests if flow.verdict is FlowVerdict.DROPPED]
    yield from _refusals(one, same, refused)
    if requests:
        kinds = Counter(_request_in_words(flow) for flow in requests)
        shown = tuple(f"{kind} ({count})" for kind, count in kinds.most_common(MOST_SHOWN))
        yield L7_SEEN.finding(
            Outcome.FINE,
            hop=Hop.L7,
            evidence=[Evidence("hubble", f"Pod/{one.pod}", at=max(flow.time for flow in requests))],
            count=len(requests),
            way="to" if one.direction is Direction.INGRESS else "from",
            pod=str(one.pod),
            port=one.on,
            kinds=shown,
            codes=_codes(flows, one),
        )
        return
    passed = [
        flow
        for flow in mine
        if flow.verdict is FlowVerdict.FORWARDED
        and flow.type is FlowType.L3_L4
        and flow.event_type == EventType.TRACE
        and changed is not None
        and flow.time > changed
    ]
    if passed and one.needs_envoy:
        newest = max(passed, key=lambda flow: flow.time)
        yield L7_NOT_READ.finding(
            Outcome.PROBLEM,
            hop=Hop.L7,
            weight=70,
            evidence=[Evidence("hubble", f"Pod/{one.pod}", at=newest.time)],
            count=len(passed),
            port=one.on,
            pod=str(one.pod),
            last=clock(newest.time),
        )
    elif not mine:
        yield L7_UNSEEN.finding(Outcome.NOT_APPLICABLE, hop=Hop.L7, port=one.on, pod=str(one.pod))


def _refusals(one: L7Filter, same: list[L7Filter], refused: list[Flow]) -> Iterator[Finding]:
    policies = tuple(dict.fromkeys(str(other.rule.origin.policy) for other in same))
    grouped: dict[tuple[str, str], list[Flow]] = {}
    for flow in refused:
        grouped.setdefault((_request_in_words(flow), _named(flow.source)), []).append(flow)
    for (request, source), group in list(grouped.items())[:MOST_SHOWN]:
        newest = max(group, key=lambda flow: flow.time)
        yield L7_REFUSED.finding(
            Outcome.PROBLEM,
            hop=Hop.L7,
            weight=min(60, len(group)),
            evidence=[
                Evidence("hubble", f"Pod/{one.pod}", at=newest.time),
                *(Evidence("kubernetes", policy) for policy in policies),
            ],
            request=request,
            source=source,
            destination=_named(newest.destination),
            port=one.on,
            count=len(group),
            last=clock(newest.time),
            policies=policies,
            nearest=_nearest(newest, same),
        )


def _nearest(flow: Flow, filters: list[L7Filter]) -> str:
    """Name the HTTP rule that fails on the fewest fields, and those."""
    request = _request(flow)
    rules = [(rule, one) for one in filters for rule in one.rules.http if one.rules.kind is L7Kind.HTTP]
    if request is None or not rules:
        return ""
    rule, one = min(rules, key=lambda pair: len(_differing(pair[0], pair[1], request)))
    differing = _differing(rule, one, request)
    return f"; the nearest rule is {rule}, and the {' and '.join(differing)} differs" if differing else ""


def _differing(rule: HttpRule, one: L7Filter, request: HttpRequest) -> tuple[str, ...]:
    return tuple(found.field for found in http_differences(rule, request, one.rule.origin) if found.field != "host")


def _request(flow: Flow) -> HttpRequest | None:
    if flow.http is None:
        return None
    # Hubble writes the whole URL: scheme, host, path and query (Cilium, pkg/hubble/parser/seven/http.go).
    host, slash, path = flow.http.url.partition("://")[2].partition("/")
    return HttpRequest(flow.http.method, f"{slash or '/'}{path}", host)


def _request_in_words(flow: Flow) -> str:
    request = _request(flow)
    if request is not None:
        return f"{request.method} {request.path}"[:120]
    return f"DNS {flow.dns.query}"[:120] if flow.dns else "a request"


def _codes(flows: Iterable[Flow], one: L7Filter) -> tuple[str, ...]:
    """Count the answers by their code: of HTTP, 403 may be the application's own; of DNS the rcode."""
    own = [flow for flow in flows if flow.type is FlowType.L7 and flow.is_reply is True and _is_from(flow, one)]
    codes = Counter(str(flow.http.code) for flow in own if flow.http)
    codes += Counter(f"rcode {flow.dns.rcode}" for flow in own if flow.dns)
    return tuple(f"{answer} ({count})" for answer, count in codes.most_common(MOST_SHOWN)) or ("not seen",)


def _is_from(flow: Flow, one: L7Filter) -> bool:
    end = flow.source if one.direction is Direction.INGRESS else flow.destination
    is_there = (end.namespace, end.pod) == (one.pod.namespace, one.pod.name)
    return is_there and (flow.source.port in one.numbers if one.numbers else True)


def _named(end: FlowEnd) -> str:
    return f"{end.namespace}/{end.pod}" if end.pod else end.ip


def _is_to(flow: Flow, one: L7Filter) -> bool:
    """Whether a flow is a request, or a packet of one, on the port of the filter."""
    end = flow.destination if one.direction is Direction.INGRESS else flow.source
    is_there = (end.namespace, end.pod) == (one.pod.namespace, one.pod.name)
    return is_there and flow.is_reply is not True and (flow.destination.port in one.numbers if one.numbers else True)
