"""Whom the ends of a cluster see in each other: one sighting for each end, and a second one for nodes.

A node is the host for what runs on it and a remote node for everybody else, with other labels each time
(handlers/policy/views.py). So peers are numbered by sighting: the first as many numbers are the ends themselves, as
everybody sees them, and behind them stand the nodes as those on the node see them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.model.labels import LabelSet
from handlers.model.party import Party, PartyKind
from handlers.policy.parties import party_of_labels
from handlers.policy.policy_set import PolicySet
from handlers.policy.views import HOST_LABELS, NODE_KINDS
from handlers.reach.bits import bit_set, everything

STRANGER = party_of_labels(LabelSet(()))
"""A viewer that runs on no node."""


@dataclass(frozen=True, slots=True)
class PeerLabels:
    """The labels of every sighting, and how sightings and ends belong together."""

    parties: tuple[Party, ...]
    labels: tuple[LabelSet, ...]
    end_of: tuple[int, ...]
    """The number of the end behind each sighting."""
    local: int
    """The sightings that are the viewer's own node."""
    pods: int
    """The ends that are no nodes."""
    neighbours: dict[str, tuple[tuple[int, int], ...]]
    """For each node name, the ends that are this node, each with its sighting by those who run on it."""
    on_node: dict[str, int]
    """For each of these node names, the ends that run on it."""

    @classmethod
    def of(cls, policies: PolicySet, parties: Sequence[Party]) -> "PeerLabels":
        """Number the sightings of these ends."""
        labels = [policies.labels_seen(party, STRANGER) for party in parties]
        end_of = list(range(len(parties)))
        local = [number for number, party in enumerate(parties) if party.kind is PartyKind.HOST]
        neighbours: dict[str, list[tuple[int, int]]] = {}
        for number, party in enumerate(parties):
            if party.kind is PartyKind.NODE and party.managed and party.node:
                neighbours.setdefault(party.node, []).append((number, len(labels)))
                local.append(len(labels))
                labels.append(party.local_labels or HOST_LABELS)
                end_of.append(number)
        on_node: dict[str, list[int]] = {node: [] for node in neighbours}
        for number, party in enumerate(parties):
            if party.node in on_node:
                on_node[party.node].append(number)
        return cls(
            parties=tuple(parties),
            labels=tuple(labels),
            end_of=tuple(end_of),
            local=bit_set(local),
            pods=bit_set(number for number, party in enumerate(parties) if party.kind not in NODE_KINDS),
            neighbours={node: tuple(found) for node, found in neighbours.items()},
            on_node={node: bit_set(found) for node, found in on_node.items()},
        )

    @property
    def ends(self) -> int:
        """The set of all ends; each is also the sighting that strangers have of it."""
        return everything(len(self.parties))

    def as_seen_from(self, node: str, row: int) -> int:
        """Turn a row of sightings into a row of ends, for a viewer on this node."""
        seen = row & self.ends
        for end, sighting in self.neighbours.get(node, ()):
            bit = 1 << end
            seen = seen | bit if row >> sighting & 1 else seen & ~bit
        return seen
