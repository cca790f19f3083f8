"""How the other end of a flow is written in a policy, in each of the forms that would do, the closest first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from handlers.model.labels import (
    CLUSTER_LABEL,
    NAMESPACE_LABEL,
    NAMESPACE_LABELS_PREFIX,
    SERVICE_ACCOUNT_LABEL,
    LabelSet,
    Source,
)
from handlers.model.party import Party, PartyKind
from handlers.model.rule import Direction
from handlers.patch.identify import labels_meaning, own_workload_labels, written
from handlers.policy.cidr import Address, parse_address
from handlers.policy.config import PolicyConfig
from handlers.policy.entities import ENTITIES, entities_of, entity_selectors
from handlers.reach.ends import PodEnds

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_WRITABLE = tuple(map(str, ENTITIES))


@dataclass(frozen=True, slots=True)
class Writing:
    """One entry of a peer list. ``suffix`` is the list's name after ``from`` or ``to``; NetworkPolicies have none."""

    suffix: str
    value: object
    words: str
    is_by_name: bool = field(default=False)
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Writer:
    """What is needed to write peers: who is known, and how the cluster is set up."""

    pods: PodEnds
    config: PolicyConfig
    complete: bool

    def labels(self, labels: LabelSet) -> dict[str, str]:
        """Give the ``matchLabels`` that mean a workload within its namespace."""
        return written(labels_meaning(labels, self.pods, complete=self.complete))

    def cilium(
        self, peer: Party, seen: LabelSet, namespace: str, direction: Direction, names: tuple[str, ...]
    ) -> Iterator[Writing]:
        """Write a peer for a Cilium policy of a namespace (empty: cluster-wide).

        ``seen`` are its labels in the eyes of the subject, ``names`` its DNS names by which it may be written.
        """
        if seen.namespace:
            chosen = self.labels(seen)
            if not namespace or seen.namespace != namespace:
                chosen[f"k8s:{NAMESPACE_LABEL}"] = seen.namespace
            if seen.cluster and seen.cluster != self.config.cluster_name:
                chosen[f"k8s:{CLUSTER_LABEL}"] = seen.cluster
            value = {"matchLabels": chosen} if chosen else {}
            yield Writing("Endpoints", value, _pods_in_words(chosen, seen.namespace))
            return
        if peer.kind is PartyKind.OUTSIDE and direction is Direction.EGRESS:
            for name in names:
                yield Writing("FQDNs", {"matchName": name}, name, is_by_name=True, rank=-1)
        address = parse_address(peer.ips[0]) if peer.ips else None
        if address is not None and (peer.kind is PartyKind.OUTSIDE or self._is_node_by_address(peer)):
            prefix = single_prefix(address)
            yield Writing("CIDR", prefix, prefix)
            yield Writing("CIDRSet", {"cidr": prefix}, prefix, rank=1)
        hostname = seen.find(Source.NODE, "kubernetes.io/hostname")
        if self.config.node_selector_labels and hostname is not None and seen.has_reserved("remote-node"):
            selector = {"matchLabels": {hostname.key: hostname.value}}
            yield Writing("Nodes", selector, f"node {hostname.value}")
        is_address_known = address is not None and peer.kind is PartyKind.OUTSIDE
        for entity in entities_of(seen, entity_selectors(self.config.cluster_name)):
            if entity in _WRITABLE and not (entity == "world" and is_address_known):
                yield Writing("Entities", entity, entity, rank=_WRITABLE.index(entity))

    def _is_node_by_address(self, peer: Party) -> bool:
        return self.config.cidr_matches_nodes and peer.kind is PartyKind.NODE

    def kubernetes(self, peer: Party, seen: LabelSet, namespace: str) -> Iterator[Writing]:
        """Write a peer for a NetworkPolicy; nothing where that kind cannot say it (nodes, entities, DNS names)."""
        if seen.namespace:
            if seen.cluster and seen.cluster != self.config.cluster_name:
                return
            chosen = self.labels(seen)
            if any(SERVICE_ACCOUNT_LABEL in key for key in chosen):
                return
            value: dict[str, object] = {"podSelector": {"matchLabels": chosen} if chosen else {}}
            if seen.namespace != namespace:
                found = _namespace_labels(seen)
                if not found:
                    return
                value = {"namespaceSelector": {"matchLabels": found}, **value}
            yield Writing("", value, _pods_in_words(chosen, seen.namespace))
            return
        address = parse_address(peer.ips[0]) if peer.ips else None
        if address is not None and (peer.kind is PartyKind.OUTSIDE or self._is_node_by_address(peer)):
            prefix = single_prefix(address)
            yield Writing("", {"ipBlock": {"cidr": prefix}}, prefix)


def single_prefix(address: Address) -> str:
    """Write the prefix of one address."""
    return f"{address}/{address.max_prefixlen}"


def _namespace_labels(seen: LabelSet) -> dict[str, str]:
    """Give the label that names a namespace, if identities carry it (they do unless a label filter drops it)."""
    label = seen.find(Source.K8S, f"{NAMESPACE_LABELS_PREFIX}.{_NAMESPACE_NAME}")
    return {_NAMESPACE_NAME: label.value} if label is not None and label.value == seen.namespace else {}


def _pods_in_words(chosen: Mapping[str, str], namespace: str) -> str:
    labels = ",".join(f"{key}={value}" for key, value in chosen.items() if not key.startswith("k8s:io."))
    account = next((value for key, value in chosen.items() if SERVICE_ACCOUNT_LABEL in key), "")
    who = labels or (f"service account {account}" if account else "all pods")
    return f"{who} in {namespace}"


def name_of(party: Party, seen: LabelSet) -> str:
    """Give a word for an object's name: the workload, the entity, or the address."""
    best = own_workload_labels(seen)
    if seen.namespace and best:
        return best[0].value
    if seen.namespace:
        return seen.namespace
    return party.ips[0] if party.kind is PartyKind.OUTSIDE and party.ips else party.name
