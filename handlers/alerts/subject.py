"""Alertmanager's subject line, which has the values of labels and not their names.

``__subject`` of template/default.tmpl: ``[FIRING:2] `` then the values of the group's labels, then in parentheses those
of the common labels that are not among them; each list is in the order of the labels' names, ``alertname`` first. So a
word is read by its place among the others and by its shape; where the words can be read in several ways, all are given.
"""

import re
from functools import cache, lru_cache

from handlers.alerts.alert import Labels
from handlers.names.grammar import is_label

SUBJECT = re.compile(r"\[(?P<state>FIRING|RESOLVED)[^\]\n]{0,60}\]\s*(?P<rest>[^\n]{0,1500})", re.IGNORECASE)
_BARE = re.compile(r"(?P<rest>[^\n()]{0,200}\([^\n()]{3,1000}\))")
_MOST_WORDS = 16
MOST_READINGS = 6

_SEVERITIES = frozenset(
    "critical warning info none error page high low medium major minor p1 p2 p3 p4 p5 notice".split()
)
_ANY = re.compile(r"[\w.-]{1,63}")
_SHAPES: dict[str, re.Pattern[str]] = {
    "pod": re.compile(r"[a-z0-9][-a-z0-9.]*-(?:[a-z]*\d[a-z0-9]*|[bcdfghjklmnpqrstvwxz]{5})"),
    "prometheus": re.compile(r"[a-z0-9-]+/[a-z0-9.-]+"),
    "instance": re.compile(r"[a-z]+://\S+|\S*:\d+|\d+(?:\.\d+){3}|[a-z0-9-]+(?:\.[a-z0-9-]+)+"),
    "to": re.compile(r"\S*:\d+|\d+(?:\.\d+){3}"),
    "name": re.compile(r"v\d\w*(?:\.[a-z0-9-]+)+"),
    "uid": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}"),
    "job": re.compile(r"[\w.-]{1,63}(?:/[\w.-]{1,63})*"),
    "endpoint": re.compile(r"[a-z][a-z0-9-]{1,14}"),
    "reason": re.compile(r"[A-Z][A-Za-z_]+"),
    "condition": re.compile(r"[A-Z][A-Za-z]+"),
    "status": re.compile(r"true|false|unknown"),
    "source": re.compile(r"[a-z0-9][-a-z0-9.]*/[-a-z0-9.]+|\d+(?:\.\d+){3}|reserved:[a-z-]+|world"),
    "destination": re.compile(r"[a-z0-9][-a-z0-9.]*/[-a-z0-9.]+|\d+(?:\.\d+){3}|reserved:[a-z-]+|world"),
    "protocol": re.compile(r"TCP|UDP|SCTP|ICMPv[46]"),
    "node": re.compile(r"[a-z0-9][-a-z0-9.]*"),
}
_FREE = "app cluster component datacenter env environment priority project region stage team tenant tier zone".split()
"""Labels that people and Prometheus add, whose values can be any word."""
_ADDED = (
    *_FREE,
    *"condition container endpoint instance job namespace pod prometheus protocol reason service".split(),
    *"severity status uid".split(),
)

_EXPORTERS = re.compile(r"kube-state-metrics|kube-rbac-proxy.*|https?-main|node-exporter|kubelet|apiserver")
"""Words that are never the object of an alert: who measured it."""
_UNMISTAKABLE = (
    ("pod", re.compile(r".+-[bcdf-hj-np-tv-z2-9]{6,10}-[bcdf-hj-np-tv-z2-9]{5}")),
    ("node", re.compile(r".*[a-z].*\d.*")),
)
"""Shapes beside which a plain word is no name of that kind."""
_BESIDES = ("cluster", "prometheus")
"""Labels that are told where every reading agrees on them."""
_OBJECT = frozenset("namespace deployment statefulset daemonset job_name container service ingress".split())


def bare_subject(line: str, name: str) -> str:
    """Return what follows the name of an alert in a subject that lost its brackets, nothing where it is prose."""
    found = _BARE.match(line, line.find(name) + len(name)) if name and name in line else None
    words = found["rest"].replace("(", " ").replace(")", " ").split() if found else []
    is_subject = any(word in _SEVERITIES or _SHAPES["prometheus"].fullmatch(word) for word in words)
    return found["rest"] if found and is_subject else ""


def values_in(rest: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of the group and of what is common, without the alert's name."""
    group, _, common = rest.partition("(")
    common = common.rpartition(")")[0] if ")" in common else common
    kept = [[word for word in part.split() if word != name] for part in (group, common)]
    # A service that bounds its titles cuts the last word.
    words = [tuple(part[:-1] if part and part[-1].endswith(("...", "…")) else part) for part in kept]
    return words[0], words[1]


@lru_cache(maxsize=512)
def readings(
    group: tuple[str, ...], common: tuple[str, ...], wanted: tuple[str, ...], *, is_known: bool
) -> tuple[Labels, ...]:
    """Return every way in which the words can be values of labels, as far as it differs in the labels that are wanted.

    Readings that have all of them are given; else, of a known alert, those that have a namespace. The likelier
    ones come first.
    """
    if len(group) + len(common) > _MOST_WORDS:
        return ()
    names = sorted({*_ADDED, *wanted})
    kept = (*wanted, *_BESIDES)
    found = {_merged(one, other) for one in _ways(group, names, kept) for other in _ways(common, names, kept)} - {None}
    whole = [dict(pairs) for pairs in found if pairs is not None and set(wanted) <= {name for name, _ in pairs}]
    partly = [dict(pairs) for pairs in found if pairs is not None and "namespace" in dict(pairs)]
    chosen = whole or (partly if is_known else [])
    return _as_far_as_sure(chosen, (*common, *group))


def _as_far_as_sure(chosen: list[dict[str, str]], words: tuple[str, ...]) -> tuple[Labels, ...]:
    for label, shape in _UNMISTAKABLE:
        chosen = [one for one in chosen if shape.fullmatch(one.get(label, ""))] or chosen
    in_order = sorted(chosen, key=lambda labels: (*_likelihood(labels, words), sorted(labels.items())))
    besides = {name: {one.pop(name, "") for one in in_order} for name in _BESIDES}
    agreed = {name: values.pop() for name, values in besides.items() if len(values) == 1}
    distinct: list[dict[str, str]] = []
    for one in in_order:
        if one not in distinct:
            distinct.append(one)
    told = {name: value for name, value in agreed.items() if value}
    return tuple({**one, **told} for one in distinct[:MOST_READINGS])


def _likelihood(labels: Labels, words: tuple[str, ...]) -> tuple[bool, int]:
    """Return a key, likelier readings first: more labels stand before ``namespace`` in the alphabet than after it."""
    namespace = labels.get("namespace", "")
    return "cluster" not in labels, -words.index(namespace) if namespace in words else 0


_Pairs = frozenset[tuple[str, str]]


def _ways(words: tuple[str, ...], names: list[str], kept: tuple[str, ...]) -> frozenset[_Pairs]:
    """Return the labels that are kept of every assignment of words to names in their order."""

    @cache
    def from_here(word: int, name: int) -> frozenset[_Pairs]:
        if word == len(words):
            return frozenset({frozenset()})
        ways: set[_Pairs] = set()
        for index in range(name, len(names)):
            if _fits(words[word], names[index]):
                own = frozenset({(names[index], words[word])}) if names[index] in kept else frozenset()
                ways.update(own | rest for rest in from_here(word + 1, index + 1))
        return frozenset(ways)

    return from_here(0, 0)


def _merged(one: _Pairs, other: _Pairs) -> _Pairs | None:
    names = [name for name, _ in (*one, *other)]
    return one | other if len(names) == len(set(names)) else None


def _fits(word: str, name: str) -> bool:
    if name == "severity":
        return word.lower() in _SEVERITIES
    if name in _OBJECT or name.endswith("_namespace"):
        is_exporter = _EXPORTERS.fullmatch(word) is not None and name not in ("container", "service")
        return is_label(word) and word not in _SEVERITIES and not word.isdigit() and not is_exporter
    if name == "node" and _EXPORTERS.fullmatch(word):
        return False
    shape = _SHAPES.get(name)
    if shape is not None:
        return shape.fullmatch(word) is not None and word not in _SEVERITIES
    return _ANY.fullmatch(word) is not None and word.lower() not in _SEVERITIES
