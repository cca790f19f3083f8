"""What a rule puts into the policy maps of those that it selects: for which peers, on which ports, with which effect.

Read off the engine's own filters (handlers/policy/filters.py), so that there is one meaning of a rule. Whether a flow
passes is then a matter of sets: it is denied when a deny entry covers it, else allowed when an allow entry does; and
the proxy takes it when one of the allow entries redirects, since any redirect has a higher priority than none (rungs
4 to 6 of handlers/policy/decide.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from handlers.model.rule import L4Protocol, LabelSelector, Rule
from handlers.model.traffic import Traffic
from handlers.policy.filters import Filter, FilterKey, RuleConflict, build_filters
from handlers.policy.ports import covered, protocol_of


class Aspect(IntEnum):
    """What an entry does to the flows that it covers; the last two are of entries that depend on an unread fact."""

    ALLOW = 0
    DENY = 1
    REDIRECT = 2
    MAY_ALLOW = 3
    MAY_DENY = 4

    @property
    def in_doubt(self) -> "Aspect":
        """The same effect, depending on a fact that was not read."""
        return Aspect.MAY_DENY if self is Aspect.DENY else Aspect.MAY_ALLOW


class Ports(NamedTuple):
    """The ports of an entry, as the policy map has them; ``WHOLE`` is every port of every protocol."""

    protocol: L4Protocol
    port: int
    end_port: int

    def cover(self, traffic: Traffic) -> bool:
        """Tell whether the entry covers this traffic, as far as ports go."""
        if self.protocol is L4Protocol.ANY:
            return True
        return self.protocol is protocol_of(traffic.protocol) and (
            covered(self.port, self.end_port, traffic.port) is not None
        )


WHOLE = Ports(L4Protocol.ANY, 0, 0)


class Entry(NamedTuple):
    """One entry: ``name`` is set where a port name has yet to be resolved, and stands for the port."""

    ports: Ports
    name: str
    selector: LabelSelector
    aspect: Aspect


@dataclass(frozen=True, slots=True)
class RuleEntries:
    """The entries of one rule.

    ``can_conflict`` tells whether the rule says anything that another one could contradict; ``needs_merging`` whether
    its entries depend on its subject, or on the other rules that select it.
    """

    rule: Rule
    entries: tuple[Entry, ...]
    can_conflict: bool
    needs_merging: bool

    @property
    def denies(self) -> bool:
        """Whether a deny is among the entries, which can make a contradiction vanish."""
        return any(entry.aspect is Aspect.DENY for entry in self.entries)


def entries_of_rule(rule: Rule) -> RuleEntries:
    """Read off what one rule contributes, whatever else selects its subject."""
    try:
        filters = build_filters(
            (rule,),
            rule.direction,
            add_default_allow=False,
            localhost=None,
            subject_namespace=rule.subject.namespace,
            l7_refuses=True,
        )
    except RuleConflict:
        return RuleEntries(rule, (), can_conflict=True, needs_merging=True)
    cells = [cell for one in filters.values() for cell in one.cells.values()]
    return RuleEntries(
        rule,
        tuple(entries_of_filters(filters)),
        can_conflict=any(cell.parser or cell.authentication for cell in cells),
        # Requirements narrow the other rules too; a port name with a range takes that of the first rule to name it;
        # a listener is looked for in the namespace of the subject.
        needs_merging=bool(rule.requires)
        or any(one.name and one.end_port for one in filters.values())
        or any(ports.listener is not None for ports in rule.ports),
    )


def entries_of_filters(filters: Mapping[FilterKey, Filter]) -> Iterable[Entry]:
    """Read off the entries of merged filters."""
    for one in filters.values():
        ports = Ports(one.protocol, one.port, one.end_port)
        for selector, cell in one.cells.items():
            yield Entry(ports, one.name, selector, Aspect.DENY if cell.deny else Aspect.ALLOW)
            if cell.parser and not cell.deny:
                yield Entry(ports, one.name, selector, Aspect.REDIRECT)
