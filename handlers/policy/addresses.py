"""The identity of an address: what the agent's ipcache would hold for it (pkg/ipcache/metadata.go).

Known prefixes are those of CIDR rules (their exceptions included), CIDR groups, nodes and the API server. An address
has the labels of the longest known prefix that contains it and inherits those of the shorter ones, except that only
one ``cidr:`` label stays; in-cluster addresses lose all CIDR and DNS labels, nodes unless ``policy-cidr-match-mode``
says otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handlers.model.labels import CILIUM_LABEL_PREFIX, CLUSTER_LABEL, Label, LabelSet, Network, Source
from handlers.model.party import MissingFact
from handlers.model.rule import Peer, Rule
from handlers.policy.cidr import (
    Address,
    cidr_label,
    group_name_key,
    network_of,
    parse_address,
    parse_prefix,
    world_label,
)
from handlers.policy.config import PolicyConfig
from handlers.policy.entities import ENTITIES, IN_CLUSTER
from handlers.policy.surroundings import CidrGroup, Node, Surroundings

_Key = tuple[int, int, int]


def _key(network: Network) -> _Key:
    return network.version, network.prefixlen, int(network.network_address)


def policy_prefixes(rules: Iterable[Rule]) -> set[Network]:
    """Collect the prefixes that the CIDR peers of rules make known (pkg/policy/cidr.go)."""
    known: set[Network] = set()
    for rule in rules:
        for peer in rule.peers:
            known.update(_prefixes_of(peer))
    return known


def _prefixes_of(peer: Peer) -> Iterable[Network]:
    written = (peer.cidr, *peer.excepts) if peer.cidr else peer.excepts
    return (network for network in map(network_of, written) if network is not None)


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Everything that is known of addresses."""

    config: PolicyConfig
    prefixes: Mapping[_Key, Network]
    lengths: Mapping[int, tuple[int, ...]]
    cidrs: frozenset[_Key]
    groups: Mapping[_Key, tuple[Label, ...]]
    nodes: Mapping[Address, Node]
    fqdn_labels: Mapping[Address, tuple[Label, ...]]
    apiservers: frozenset[Address]
    missing: frozenset[MissingFact]

    @classmethod
    def of(
        cls,
        rules: Iterable[Rule],
        config: PolicyConfig,
        surroundings: Surroundings,
        fqdn_labels: Mapping[Address, tuple[Label, ...]],
    ) -> "AddressBook":
        """Collect it from the rules and the surroundings; ``fqdn_labels`` are what DNS answers add."""
        prefixes = {_key(network): network for network in policy_prefixes(rules)}
        cidrs = frozenset(prefixes)
        groups: dict[_Key, tuple[Label, ...]] = {}
        # Of two groups with one prefix the first name wins a label (pkg/ipcache/types.go, flatten).
        for group in sorted(surroundings.cidr_groups or (), key=lambda one: one.name):
            labels = group_labels(group)
            for text in group.cidrs:
                network = parse_prefix(text)
                if network is not None:
                    key = _key(network)
                    prefixes[key] = network
                    groups[key] = (*groups.get(key, ()), *labels)
        lengths: dict[int, set[int]] = {4: set(), 6: set()}
        for version, length, _ in prefixes:
            lengths[version].add(length)
        facts = {
            MissingFact.CIDR_GROUPS: surroundings.cidr_groups,
            MissingFact.KUBE_APISERVER: surroundings.kube_apiserver,
            MissingFact.DNS_NAMES: surroundings.fqdn_cache,
        }
        addresses = (parse_address(text) for text in surroundings.kube_apiserver or ())
        return cls(
            config=config,
            prefixes=prefixes,
            lengths={version: tuple(sorted(found, reverse=True)) for version, found in lengths.items()},
            cidrs=cidrs,
            groups=groups,
            nodes={
                address: node
                for node in surroundings.nodes or ()
                for address in map(parse_address, node.ips)
                if address is not None
            },
            fqdn_labels=fqdn_labels,
            apiservers=frozenset(address for address in addresses if address is not None),
            missing=frozenset(fact for fact, value in facts.items() if value is None),
        )

    def _containing(self, address: Address) -> Iterable[Network]:
        """Give the known prefixes that contain an address, the longest first."""
        bits, number = address.max_prefixlen, int(address)
        for length in self.lengths[address.version]:
            shift = bits - length
            network = self.prefixes.get((address.version, length, (number >> shift) << shift))
            if network is not None:
                yield network

    def _inherited(self, address: Address, *, with_cidr: bool, longest: int = 128) -> dict[str, Label]:
        """Gather the labels of the known prefixes up to a length, those of longer ones first."""
        labels: dict[str, Label] = {}
        has_cidr = not with_cidr
        for network in self._containing(address):
            if network.prefixlen > longest:
                continue
            # Prefixes of CIDR groups carry the labels of the group, but no label of their own.
            if network.prefixlen and not has_cidr and _key(network) in self.cidrs:
                label = cidr_label(network)
                labels.setdefault(label.key, label)
                has_cidr = True
            for label in self.groups.get(_key(network), ()):
                labels.setdefault(label.key, label)
        return labels

    def identities(self) -> tuple[LabelSet, ...]:
        """Give the identities that exist without any pod: reserved ones, nodes, known prefixes and addresses."""
        found = [ENTITIES[name].labels for name in IN_CLUSTER]
        found.extend(LabelSet((world_label(version, self.config),)) for version in (4, 6))
        for address, node in self.nodes.items():
            found.extend((self.node_labels(node, address), self.local_labels(node)))
        found.extend(
            self.outside_labels(address) for address in {*self.fqdn_labels, *self.apiservers} - set(self.nodes)
        )
        for network in self.prefixes.values():
            inherited = self._inherited(network.network_address, with_cidr=True, longest=network.prefixlen)
            world = world_label(network.version, self.config)
            found.append(LabelSet((*inherited.values(), world)))
        return tuple(dict.fromkeys(found))

    def outside_labels(self, address: Address, *, with_dns: bool = True) -> LabelSet:
        """Give the identity labels of an address outside the cluster; without those of DNS answers on demand."""
        labels = {label.key: label for label in self.fqdn_labels.get(address, ())} if with_dns else {}
        if address in self.apiservers:
            labels["kube-apiserver"] = Label(key="kube-apiserver", source=Source.RESERVED)
        for key, label in self._inherited(address, with_cidr=True).items():
            labels.setdefault(key, label)
        world = world_label(address.version, self.config)
        labels[world.key] = world
        return LabelSet(tuple(labels.values()))

    def node_labels(self, node: Node, address: Address | None) -> LabelSet:
        """Give the identity labels of a node for everybody but its own pods (pkg/node/manager/manager.go:612-650)."""
        labels = [Label(key="remote-node", source=Source.RESERVED)]
        if self.config.node_selector_labels:
            labels.extend(self._node_selector_labels(node))
        if address is not None:
            if address in self.apiservers:
                labels.append(Label(key="kube-apiserver", source=Source.RESERVED))
            if self.config.cidr_matches_nodes:
                labels.append(cidr_label(_single(address)))
                labels.extend(self._inherited(address, with_cidr=False).values())
                labels.extend(self.fqdn_labels.get(address, ()))
        return LabelSet(tuple(labels))

    def _node_selector_labels(self, node: Node) -> Iterable[Label]:
        cluster = Label(key=CLUSTER_LABEL, value=node.cluster or self.config.cluster_name)
        labels = [*(Label(key=key, source=Source.NODE, value=value) for key, value in node.labels.items()), cluster]
        patterns = self.config.node_label_patterns
        if not patterns:
            return labels
        label_filter = type(self.config.label_filter)(
            patterns=patterns, only_included=any(not pattern.ignore for pattern in patterns)
        )
        return (label for label in labels if label_filter.keeps(label))

    def host_labels(self, node: Node | None) -> LabelSet:
        """Give the labels by which host policies select a node: its Kubernetes labels, as far as the filter keeps them.

        Source: pkg/endpoint/endpoint.go:2011-2031, InitWithNodeLabels.
        """
        labels = [Label(key=key, value=value) for key, value in node.labels.items()] if node is not None else []
        kept = [label for label in labels if self.config.label_filter.keeps(label)]
        return LabelSet((*kept, Label(key="host", source=Source.RESERVED)))

    def local_labels(self, node: Node | None) -> LabelSet:
        """Give the labels of a node in the eyes of the pods on it: those of all its addresses come together here.

        Source: pkg/ipcache/metadata.go, updateReservedHostLabels.
        """
        labels = [Label(key="host", source=Source.RESERVED)]
        for address in map(parse_address, node.ips if node is not None else ()):
            if address is None:
                continue
            if address in self.apiservers:
                labels.append(Label(key="kube-apiserver", source=Source.RESERVED))
            if self.config.cidr_matches_nodes:
                labels.append(cidr_label(_single(address)))
                labels.extend(self._inherited(address, with_cidr=False).values())
                labels.extend(self.fqdn_labels.get(address, ()))
        return LabelSet(tuple(labels))


def _single(address: Address) -> Network:
    network = network_of(str(address))
    if network is None:
        raise ValueError(f"{address} is no plain address")
    return network


def group_labels(group: CidrGroup) -> tuple[Label, ...]:
    """Give the labels that the prefixes of a CIDR group carry (pkg/policy/k8s/cilium_cidr_group.go, applyCIDRGroup)."""
    named = Label(key=group_name_key(group.name), source=Source.CIDR_GROUP)
    own = (
        Label(key=key, source=Source.CIDR_GROUP, value=value)
        for key, value in group.labels.items()
        if not key.startswith(CILIUM_LABEL_PREFIX)
    )
    return (*own, named)
