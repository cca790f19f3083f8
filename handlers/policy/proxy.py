"""What the HTTP proxy does with a request, once the policy map has sent the connection there.

The agent sends the proxy one rule list for each filter (pkg/envoy/xds_server.go, getDirectionNetworkPolicy); the
proxy joins the lists of all port ranges that cover a port, and tries the rules for port 0 last (cilium/proxy,
cilium/network_policy.cc). Two shortcuts of the agent show through: a filter in which somebody's plain allow covers
everybody is sent as an empty list, and an empty list adds nothing where it is joined to another.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handlers.model.labels import LabelSet
from handlers.model.rule import HttpRule, L4Protocol, LabelSelector
from handlers.model.traffic import HttpRequest
from handlers.policy.filters import Cell, Filter
from handlers.policy.l7 import http_matches

Selects = Callable[[LabelSelector], bool]


@dataclass(frozen=True, slots=True)
class ProxyView:
    """What the proxy lets pass for one peer on one port: everything, or the requests that one of the rules matches."""

    open: bool
    rules: tuple[HttpRule, ...]

    def allows(self, request: HttpRequest) -> bool:
        """Tell whether a request passes."""
        return self.open or any(http_matches(rule, request) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class _Sent:
    """One rule as sent: for everybody or some peers, with HTTP rules or without."""

    cell: Cell
    applies: bool


def proxy_view(
    matching: Iterable[Filter],
    whole: Iterable[Filter],
    selects: Selects,
    *,
    identities: tuple[LabelSet, ...] | None,
    joins_keep_open: bool,
) -> ProxyView:
    """Work out what the proxy lets pass.

    ``matching`` are the TCP filters for a port that covers the asked one, ``whole`` those for every port; ``selects``
    tells which selectors mean the peer. ``identities`` are all identities in use: a rule for nobody is not sent at
    all. ``joins_keep_open`` is the behaviour of newer proxies, where joining does not lose a plain allow.
    """
    wildcard = [
        _Sent(cell, selector.is_wildcard or selects(selector))
        for one in whole
        for selector, cell in one.cells.items()
        if _is_sent(selector, identities)
    ]
    opens_all = any(selector.is_wildcard and not cell.deny for one in whole for selector, cell in one.cells.items())
    lists = []
    for one in matching:
        sent = _sent_rules(one, selects, identities, opens_all)
        if sent is not None:
            lists.append(sent)
    rules = [rule for sent in lists for rule in sent]
    if not any(rule.cell.http for rule in rules):
        return ProxyView(open=True, rules=())
    keeps_open = joins_keep_open and any(not sent for sent in lists)
    applying = [rule for rule in (*rules, *wildcard) if rule.applies and not rule.cell.listener]
    if keeps_open or any(not rule.cell.http for rule in applying):
        return ProxyView(open=True, rules=tuple(one for rule in applying for one in rule.cell.http))
    http = tuple(dict.fromkeys(one for rule in applying for one in rule.cell.http))
    return ProxyView(open=any(one.is_wildcard for one in http), rules=http)


def _is_sent(selector: LabelSelector, identities: tuple[LabelSet, ...] | None) -> bool:
    return selector.is_wildcard or identities is None or any(selector.matches(labels) for labels in identities)


def _sent_rules(
    one: Filter, selects: Selects, identities: tuple[LabelSet, ...] | None, opens_all: bool
) -> list[_Sent] | None:
    """Give the rules sent for a filter; an empty list means "everything", None means that the filter is not sent."""
    rules, everybody_passes, has_side_effects = [], False, False
    for selector, cell in one.cells.items():
        if not _is_sent(selector, identities):
            continue
        plain = not (cell.http or cell.terminating_tls or cell.originating_tls or cell.server_names or cell.listener)
        if selector.is_wildcard and plain and not cell.deny and not cell.other:
            everybody_passes = True
        if cell.deny or any(rule.header_matches for rule in cell.http):
            has_side_effects = True
        rules.append(_Sent(cell, selector.is_wildcard or selects(selector)))
    if not rules:
        return None
    if not has_side_effects:
        if opens_all:
            return None
        if everybody_passes:
            return []
    return rules


def is_tcp(one: Filter) -> bool:
    """Tell whether a filter is sent to the proxy at all: TCP ones, and those for every protocol."""
    return one.protocol in (L4Protocol.TCP, L4Protocol.ANY)
