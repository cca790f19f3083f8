"""A problem that stands, known again at the next moment by what it is about, never by how it is put into words.

Its key is the code and the names that the finding carries: which node, which policy, which pair. Counts, ages, states
and messages are in no key, and a pod counts as its workload, since every rollout gives it another name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from handlers.model.finding import Evidence, Finding, Outcome, Sentence, Value
from handlers.model.report import Report

_NAMES = (
    *("node", "peer", "policy", "policies", "place", "rules", "subject", "selector", "label", "source", "destination"),
    *("port", "service", "services", "namespace", "workload", "kind", "operator", "option", "options", "override"),
    *("map", "name", "who", "endpoint", "cidr", "taint", "line", "server"),
)
"""Values that say which object a finding is about."""
_OF_PODS = frozenset({"who", "endpoint", "source", "destination"})
"""Those that may name pods."""
_MORE = re.compile(r"\d+ more$")
_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
_OF_POD = re.compile(rf"(?<=[a-z0-9])(?:-[{_RANDOM}]{{8,10}})?-[{_RANDOM}]{{5}}(?![-\w])")
"""What a ReplicaSet and a DaemonSet add to a name (k8s.io/apimachinery, pkg/util/rand)."""
_ADDRESS = re.compile(r"(?<![\w.:-])(?:\d+(?:\.\d+){3}|[0-9a-f]*:[0-9a-f:]+:[0-9a-f]*)(?:/\d+)? \((?=[a-z])")
"""An address in front of the entity that it is: another client of the world each time."""
_OVER = frozenset({"DROPS_BY_FORMER_POLICY"})
"""Problems of the past: the policy that dropped has been changed since."""
_ALIKE = frozenset({"DNS_SERVERS_DOWN", "SERVICE_IS_EMPTY", "SERVICE_IS_UNREADY"})
"""Codes by which several questions tell one thing: nobody stands behind a Service."""
_GRADES: Mapping[str, int] = {"why": 90, "check": 85, "drops": 65, "audit": 50, "lint": 30}
"""How much a problem of these questions matters beside those of others, whose findings carry a grade up to 100."""
_USUAL = 40
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem at one moment.

    ``extent`` is what it reaches as far as that is known whole: the nodes that it is on, the pairs that are dropped.
    ``count`` is of packets within the time that was looked at, None for what is not counted.
    """

    key: str
    code: str
    sentence: Sentence
    question: str
    """The question that told it, in normal form."""
    follow_up: str = ""
    """A question that looks closer; empty where the one that told it is the closest."""
    advice: str = ""
    evidence: tuple[Evidence, ...] = ()
    nodes: tuple[str, ...] = ()
    """The nodes that it was seen on or seen by; while one of them is not heard, nobody knows that it is over."""
    extent: tuple[str, ...] = ()
    count: int | None = None
    grade: int = 0
    detail: Sentence | None = None
    """What else a careful reader wants to know: the nearest miss."""

    @property
    def name(self) -> str:
        """What is counted, or the code."""
        return str(self.sentence.values.get("cause") or self.code)

    @property
    def label(self) -> str:
        """A short name for a picture: the object that is in the way, else what is counted."""
        objects = (item.ref.rpartition("/")[2] for item in self.evidence if item.source == "kubernetes")
        return next(objects, self.name)

    @property
    def opens(self) -> str:
        """The question behind it."""
        return self.follow_up or self.question


def problems_in(report: Report) -> tuple[Problem, ...]:
    """Return the problems of a report: one for each cause of drops, one for each object of other findings."""
    problems = [one for one in report.findings if one.outcome is Outcome.PROBLEM and one.code not in _OVER]
    keyed = sorted(((_key_of(one), one) for one in problems), key=lambda pair: pair[0])
    grouped = ((key, [finding for _, finding in same]) for key, same in groupby(keyed, key=lambda pair: pair[0]))
    return tuple(
        _of_drops(key, same, report) if same[0].values.get("cause") else _one(key, same, report)
        for key, same in grouped
    )


def _one(key: str, same: list[Finding], report: Report) -> Problem:
    worst = max(same, key=lambda finding: finding.weight)
    told = worst.sentence
    if same[1:]:
        told = Sentence("{first}; and {count} more like it", {"first": worst.sentence, "count": len(same) - 1})
    return Problem(
        key=key,
        code=worst.code,
        sentence=told,
        question=report.question,
        follow_up=worst.follow_up,
        advice=worst.advice,
        evidence=tuple(dict.fromkeys(item for one in same for item in one.evidence)),
        nodes=_nodes(same),
        extent=_whole(same),
        grade=_grade(worst, report),
        detail=worst.detail,
    )


def _of_drops(key: str, same: list[Finding], report: Report) -> Problem:
    """Return one cause of drops with all its pairs; which of them are told one by one depends on their counts."""
    same = sorted(same, key=lambda finding: -finding.weight)
    packets = sum(one.weight for one in same)
    named = [one for one in same if "source" in one.values]
    shown = tuple(dict.fromkeys(map(_pair, named)))[:_NAMED]
    more = sum(int(str(one.values.get("pairs") or 1)) for one in same) - len(shown)
    values: dict[str, Value] = {
        "cause": str(same[0].values["cause"]),
        "meaning": same[0].values.get("meaning"),
        "count": packets,
        "pairs": "; ".join(shown),
        "more": more,
    }
    template = "{cause} ({meaning})" if values["meaning"] else "{cause}"
    template += ": {count} packet{count:|s} dropped, {pairs}" + (" and {more} more" if more > 0 else "")
    return Problem(
        key=key,
        code=same[0].code,
        sentence=Sentence(template, values),
        question=report.question,
        follow_up=same[0].follow_up,
        advice=same[0].advice,
        evidence=tuple(dict.fromkeys(item for one in same for item in one.evidence)),
        nodes=_nodes(same),
        extent=tuple(sorted({_steady(_pair(one)) for one in named})) if len(named) == len(same) else (),
        count=packets,
        grade=_grade(same[0], report),
    )


def _pair(finding: Finding) -> str:
    values = finding.values
    return f"{values['source']} → {values['destination']} on {values.get('port')}"


def _key_of(finding: Finding) -> str:
    if cause := finding.values.get("cause"):
        return f"DROPS {_ADDRESS.sub('(', str(cause))}"
    if finding.code in _ALIKE:
        return f"SERVICE_LEADS_NOWHERE service={finding.values.get('service')}"
    names = (f"{name}={_words(name, finding.values[name])}" for name in _NAMES if finding.values.get(name))
    return " ".join([finding.code, *names])


def _words(name: str, value: Value) -> str:
    told = [one for one in value if not _MORE.match(one)] if isinstance(value, tuple) else [str(value)]
    return ",".join(sorted({_steady(one) if name in _OF_PODS else one for one in told}))


def _steady(name: str) -> str:
    """Return a name without what another rollout, or another client of the world, has otherwise."""
    return _OF_POD.sub("", _ADDRESS.sub("(", name))


def _nodes(same: Iterable[Finding]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for finding in same:
        named = (finding.values.get(name) for name in ("node", "peer"))
        found |= dict.fromkeys(str(name) for name in named if name)
        listed = finding.values.get("nodes")
        found |= dict.fromkeys(listed if isinstance(listed, tuple) else ())
        found |= dict.fromkeys(item.ref[6:] for item in finding.evidence if item.ref.startswith("Node//"))
    return tuple(found)


def _whole(same: Iterable[Finding]) -> tuple[str, ...]:
    """Return the nodes that findings are on, none where one of them leaves some out."""
    listed = [one.values.get("nodes") for one in same]
    found = {node for nodes in listed if isinstance(nodes, tuple) for node in nodes}
    is_whole = all(isinstance(nodes, tuple) for nodes in listed) and not any(map(_MORE.match, found))
    return tuple(sorted(found)) if is_whole else ()


def _grade(finding: Finding, report: Report) -> int:
    grade = _GRADES.get(report.command)
    return grade if grade is not None else min(100, finding.weight) or _USUAL
