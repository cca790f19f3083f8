"""The identities in use: against whom the reach of a patch is measured."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from handlers.model.labels import LabelSet
from handlers.model.party import NamedPort, Party
from handlers.policy.parties import party_of_labels

_MOST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """One identity and who carries it now.

    ``named_ports`` are the container ports of its pods (None means not read); pods of one identity whose port names
    differ are separate entries, since ingress rules by port name mean different things to them. ``managed`` is False
    for pods of another cluster, whose own policy is enforced there.
    """

    labels: LabelSet
    count: int = 1
    samples: tuple[str, ...] = ()
    named_ports: tuple[NamedPort, ...] | None = ()
    managed: bool = True

    @property
    def party(self) -> Party:
        """One end of a flow that stands for every pod of this identity; it is on no particular node."""
        return replace(party_of_labels(self.labels, ports=self.named_ports), managed=self.managed)


@dataclass(frozen=True, slots=True)
class KnownIdentities:
    """Every identity in use. ``outside`` are further outside addresses worth telling apart, with their DNS names."""

    identities: tuple[KnownIdentity, ...]
    outside: tuple[Party, ...] = ()

    @classmethod
    def of_pods(cls, pods: Iterable[Party], outside: Iterable[Party] = ()) -> "KnownIdentities":
        """Group pods by what policy can tell apart: labels, port names, and whether they are of this cluster."""
        groups: dict[tuple[LabelSet, tuple[NamedPort, ...] | None, bool], list[str]] = {}
        for pod in pods:
            groups.setdefault((pod.labels, pod.named_ports, pod.managed), []).append(pod.name)
        return cls(
            tuple(
                KnownIdentity(labels, len(names), tuple(sorted(names)[:_MOST_SAMPLES]), ports, managed)
                for (labels, ports, managed), names in groups.items()
            ),
            tuple(outside),
        )
