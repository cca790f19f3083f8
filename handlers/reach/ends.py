"""The ends of flows in a cluster: one for each identity, since pods with equal labels have one policy."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from handlers.model.labels import LabelSet
from handlers.model.party import Party, PartyKind
from handlers.policy.cidr import Address, parse_address
from handlers.reach.bits import members
from handlers.reach.cluster import ClusterPod
from handlers.reach.label_index import LabelIndex


@dataclass(frozen=True, slots=True)
class ClusterEnd:
    """One end of flows: an identity with the pods that carry it, an entity, or a piece of the outside.

    An identity without pods is one whose carriers are out of reach.
    """

    party: Party
    title: str
    pods: tuple[ClusterPod, ...] = ()
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Give the title."""
        return self.title

    @property
    def namespace(self) -> str:
        """The namespace of its pods, or nothing."""
        return self.pods[0].namespace if self.pods else ""

    @property
    def count(self) -> int:
        """How many pods it stands for, as far as is known."""
        return max(1, len(self.pods))


def likeness(party: Party) -> tuple[object, ...]:
    """Give what two parties must share to be one end."""
    return (
        party.kind,
        party.labels,
        party.managed,
        party.host_labels,
        party.local_labels,
        party.named_ports,
        party.fqdn_names if party.kind is PartyKind.OUTSIDE else (),
        party.missing,
    )


@dataclass(slots=True)
class PodEnds:
    """The pods of a cluster as ends, numbered from 0."""

    ends: tuple[ClusterEnd, ...]
    _number_of: dict[tuple[str, LabelSet], int] = field(init=False)
    _index: LabelIndex | None = field(init=False, default=None)
    _addresses: frozenset[Address] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Number the pods by name."""
        self._number_of = {
            (str(pod), end.party.labels): number for number, end in enumerate(self.ends) for pod in end.pods
        }

    @classmethod
    def of(cls, groups: Iterable[Sequence[ClusterPod]], lonely: Iterable[Party] = ()) -> "PodEnds":
        """Make one end of each group; ``lonely`` are identities whose carriers are out of reach."""
        parts = [tuple(group) for group in groups]
        # Pods of one workload that policy tells apart have to be told apart by who reads, too.
        shared = Counter((part[0].namespace, part[0].workload) for part in parts)
        ends = [_end(part, by_workload=shared[part[0].namespace, part[0].workload] == 1) for part in parts]
        for party in lonely:
            title = f"{party.labels.namespace}/{party}"
            ends.append(ClusterEnd(anywhere(party, title), title))
        return cls(tuple(unambiguous(ends)))

    @classmethod
    def of_pods(cls, pods: Iterable[ClusterPod], lonely: Iterable[Party] = ()) -> "PodEnds":
        """Make one end of all pods that policy cannot tell apart."""
        groups: dict[tuple[object, ...], list[ClusterPod]] = {}
        for pod in pods:
            groups.setdefault(likeness(pod.party), []).append(pod)
        return cls.of(groups.values(), lonely)

    @classmethod
    def of_parties(cls, parties: Iterable[Party]) -> "PodEnds":
        """Make the ends of pods that are named ``namespace/name``."""
        return cls.of_pods(_pod(party) for party in parties)

    @property
    def index(self) -> LabelIndex:
        """Which ends selectors select."""
        if self._index is None:
            self._index = LabelIndex([end.party.labels for end in self.ends])
        return self._index

    @property
    def addresses(self) -> frozenset[Address]:
        """The addresses of all pods."""
        if self._addresses is None:
            texts = (ip for end in self.ends for pod in end.pods for ip in pod.party.ips)
            self._addresses = frozenset(one for one in map(parse_address, texts) if one is not None)
        return self._addresses

    def find(self, party: Party) -> int | None:
        """Give the number of the end that a pod is part of: by its name, else whatever policy cannot tell from it."""
        number = self._number_of.get((party.name, party.labels))
        if number is not None:
            return number
        alike = [
            number
            for number in members(self.index.bearing(party.labels))
            if self.ends[number].party.labels == party.labels and self.ends[number].party.managed == party.managed
        ]
        ports = (party.named_ports, None)
        return next((number for number in alike if self.ends[number].party.named_ports in ports), None)

    def with_pod(self, party: Party) -> "PodEnds":
        """Give the same ends, and one for a pod that is none of them."""
        return PodEnds(tuple(unambiguous((*self.ends, _end((_pod(party),))))))


def _pod(party: Party) -> ClusterPod:
    namespace, _, name = party.name.rpartition("/")
    return ClusterPod(namespace or party.labels.namespace, name, party)


def _end(pods: tuple[ClusterPod, ...], *, by_workload: bool = False) -> ClusterEnd:
    first = pods[0]
    name = first.workload or first.app or first.name
    if len(pods) == 1 and not (by_workload and first.workload):
        name = first.name
    title = f"{first.namespace}/{name}"
    if first.host_network:
        title = f"{title} (host network)"
    return ClusterEnd(anywhere(first.party, title), title, pods)


def anywhere(party: Party, name: str) -> Party:
    """Give the party without the node that it runs on: an identity may run on any."""
    return replace(party, name=name, node="", ips=(), identity=None)


def unambiguous(ends: Iterable[ClusterEnd]) -> Iterator[ClusterEnd]:
    """Tell ends of one title apart by a number."""
    seen: dict[str, int] = {}
    for end in ends:
        seen[end.title] = seen.get(end.title, 0) + 1
        count = seen[end.title]
        title = end.title if count == 1 else f"{end.title} #{count}"
        yield end if count == 1 else replace(end, title=title, party=replace(end.party, name=title))
