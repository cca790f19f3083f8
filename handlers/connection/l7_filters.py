"""Where a proxy has to read what pods say: the port entries with application rules that select them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from handlers.connection.policies import policies_of
from handlers.connection.trial import Trial
from handlers.model.cluster import Pod
from handlers.model.facts import Facts, needed
from handlers.model.party import Party
from handlers.model.rule import Direction, Effect, L4Protocol, L7Kind, L7Rules, PortRule, Rule
from handlers.model.traffic import Protocol
from handlers.policy.pods import pod_party

MOST_PODS = 60
"""Pods of one policy that are looked at."""
MOST_NAMED = 5
"""Pods named in one line."""


@dataclass(frozen=True, slots=True)
class L7Filter:
    """One port entry with application rules, at one pod that its rule selects.

    ``peers`` are the other ends that are asked about, none where any is meant.
    """

    pod: Pod
    party: Party
    rule: Rule
    ports: PortRule
    rules: L7Rules
    peers: tuple[Party, ...] = ()

    @property
    def direction(self) -> Direction:
        """Whether it reads what arrives, or what leaves."""
        return self.rule.direction

    @property
    def needs_envoy(self) -> bool:
        """Whether Envoy has to run for it; DNS is read by a proxy inside the agent."""
        return self.rules.kind is not L7Kind.DNS

    @property
    def numbers(self) -> tuple[int, ...]:
        """The ports as numbers; a name means the port of the pod's own that bears it."""
        named = {port.name: port.port for port in self.pod.ports if port.name}
        ports = (named.get(port.name, 0) if port.name else port.port for port in self.ports.ports)
        return tuple(dict.fromkeys(port for port in ports if port))

    @property
    def on(self) -> str:
        """The ports in words."""
        return ", ".join(map(str, self.ports.ports)) or "every port"

    @property
    def passes(self) -> tuple[str, ...]:
        """What it lets pass, as its author would say it."""
        if self.rules.kind is L7Kind.DNS:
            return tuple(rule.match_name or rule.match_pattern for rule in self.rules.dns)
        if self.rules.http:
            return tuple(map(str, self.rules.http))
        return tuple(" ".join(f"{key}={value}" for key, value in one) for one in self.rules.other)

    @property
    def protocol(self) -> Protocol:
        """The protocol below; any is taken for TCP."""
        return Protocol.UDP if self.ports.ports and self.ports.ports[0].protocol is L4Protocol.UDP else Protocol.TCP


def filters_of_policy(namespace: str | None, name: str, facts: Facts) -> tuple[L7Filter, ...]:
    """Return what the policies of this name read, at each pod that they select.

    Raises:
        PartMissingError: if policies, nodes or pods were not read.
    """
    wanted = (namespace or "", name)
    return facts.once(("L7 filters", wanted), lambda: tuple(islice(_of_policy(wanted, facts), MOST_PODS)))


def _of_policy(wanted: tuple[str, str], facts: Facts) -> Iterator[L7Filter]:
    for pod in facts.pods:
        if pod.is_running and not pod.host_network:
            for one in _at(pod, facts):
                if (one.rule.origin.policy.namespace, one.rule.origin.policy.name) == wanted:
                    yield one


def filters_of_connection(trial: Trial) -> tuple[L7Filter, ...]:
    """Return what is read of a connection, at either end.

    Raises:
        PartMissingError: if what tells the ends, or a policy, was not read.
    """
    found: dict[tuple[str, str, str], L7Filter] = {}
    for leg in needed(trial.judgements):
        source = (leg.leg.source, leg.destination, Direction.EGRESS)
        for place, other, direction in (source, (leg.leg.destination, leg.source, Direction.INGRESS)):
            if place.pod is None or place.pod.host_network:
                continue
            for one in _at(place.pod, trial.facts):
                if one.direction is direction and leg.traffic.port in (one.numbers or (leg.traffic.port,)):
                    key = (str(one.pod), str(one.rule.origin.policy), one.ports.pointer)
                    peers = found[key].peers if key in found else ()
                    found[key] = replace(one, peers=(*peers, other))
    return tuple(found.values())


def _at(pod: Pod, facts: Facts) -> Iterator[L7Filter]:
    policies = policies_of(facts)
    party = pod_party(pod, facts, policies)
    for direction in Direction:
        for rule in policies.rules_selecting(party, direction):
            for ports in rule.ports if rule.effect is Effect.ALLOW else ():
                if ports.l7 is not None:
                    yield L7Filter(pod, party, rule, ports, ports.l7)


def by_entry(filters: Iterable[L7Filter]) -> list[list[L7Filter]]:
    """Return the filters of each port entry, one for each pod."""
    found: dict[tuple[str, str], list[L7Filter]] = {}
    for one in filters:
        found.setdefault((str(one.rule.origin.policy), one.ports.pointer), []).append(one)
    return list(found.values())


def pods_in_words(filters: Iterable[L7Filter]) -> tuple[str, ...]:
    """Name the pods, a few of many."""
    return shortened(str(one.pod) for one in filters)


def shortened(names: Iterable[str]) -> tuple[str, ...]:
    """Return distinct names, and of many only the first and how many more there are."""
    found = tuple(dict.fromkeys(names))
    return found if len(found) <= MOST_NAMED else (*found[: MOST_NAMED - 1], f"{len(found) - MOST_NAMED + 1} more")
