"""Requests that a proxy logged: what was asked and answered, and which rule comes nearest to one that it refused."""

from collections import Counter
from collections.abc import Iterable

from handlers.connection.l7_filters import L7Filter
from handlers.model.flow import Flow, FlowEnd, FlowType
from handlers.model.rule import Direction, HttpRule
from handlers.model.traffic import HttpRequest
from handlers.policy.l7 import http_differences

LONGEST = 120
"""Characters of a request that are shown."""
MOST_SHOWN = 6
"""Kinds of requests, or codes, named in one line."""
_NO_CLIENTS = ("reserved:host", "reserved:health")
"""Whose packets no policy sends to a proxy: a node reaches its own pods, and probes them."""


def packets_to(filters: Iterable[L7Filter], flows: Iterable[Flow]) -> list[Flow]:
    """Return requests, and packets of them, on the port of filters that share it."""
    pods, numbers, inward = _where(filters)
    return [
        flow
        for flow in flows
        if flow.is_reply is not True
        and _name(flow.destination if inward else flow.source) in pods
        and (not numbers or flow.destination.port in numbers)
        and not any(label in flow.source.labels for label in _NO_CLIENTS)
    ]


def answer_codes(filters: Iterable[L7Filter], flows: Iterable[Flow]) -> tuple[str, ...]:
    """Count answers by their code: of HTTP, where 403 may be the application's own; of DNS the rcode."""
    pods, numbers, inward = _where(filters)
    answers = [
        flow
        for flow in flows
        if flow.type is FlowType.L7
        and flow.is_reply is True
        and _name(flow.source if inward else flow.destination) in pods
        and (not numbers or flow.source.port in numbers)
    ]
    codes = Counter(str(flow.http.code) for flow in answers if flow.http)
    codes += Counter(f"rcode {flow.dns.rcode}" for flow in answers if flow.dns)
    return tuple(f"{code} ({count})" for code, count in codes.most_common(MOST_SHOWN)) or ("not seen",)


def request_in_words(flow: Flow) -> str:
    """Write a request as people do: ``GET /api/items``, ``DNS api.example.com``."""
    request = _request(flow)
    if request is not None:
        return f"{request.method} {request.path}"[:LONGEST]
    return f"DNS {flow.dns.query}"[:LONGEST] if flow.dns else "a request"


def end_in_words(end: FlowEnd) -> str:
    """Name an end by its pod, else by its address."""
    return _name(end) if end.pod else end.ip


def nearest_in_words(flow: Flow, filters: Iterable[L7Filter]) -> str:
    """Name the HTTP rule that fails on the fewest fields, and those; empty where there is none."""
    request = _request(flow)
    filters = [one for one in filters if not one.rule.may_be_void]
    rules = [(_differing(rule, one, request), rule) for one in filters for rule in one.rules.http] if request else []
    differing, nearest = min(rules, key=lambda pair: len(pair[0]), default=((), HttpRule()))
    return f"; the nearest rule is {nearest}, and the {' and '.join(differing)} differs" if differing else ""


def _differing(rule: HttpRule, one: L7Filter, request: HttpRequest) -> tuple[str, ...]:
    return tuple(found.field for found in http_differences(rule, request, one.rule.origin))


def _request(flow: Flow) -> HttpRequest | None:
    if flow.http is None:
        return None
    # Hubble writes the whole URL: scheme, host, path and query (Cilium, pkg/hubble/parser/seven/http.go).
    host, slash, path = flow.http.url.partition("://")[2].partition("/")
    return HttpRequest(flow.http.method, f"{slash or '/'}{path}", host)


def _where(filters: Iterable[L7Filter]) -> tuple[set[str], set[int], bool]:
    filters = tuple(filters)
    numbers = {number for one in filters for number in one.numbers}
    return {str(one.pod) for one in filters}, numbers, filters[0].direction is Direction.INGRESS


def _name(end: FlowEnd) -> str:
    return f"{end.namespace}/{end.pod}"
