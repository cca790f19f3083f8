"""Whom one end sees in the other: the identity labels that the policy of the first is applied to.

A node is the host for the pods on it and a remote node for everybody else
(Documentation/security/policy/language.rst:255-263); the DNS names of an address count only while some policy asks
for them (pkg/fqdn/namemanager/manager.go).
"""

from collections.abc import Iterable

from handlers.model.labels import Label, LabelSet, Source
from handlers.model.party import Party, PartyKind
from handlers.model.rule import LabelSelector
from handlers.policy.config import PolicyConfig
from handlers.policy.fqdn import name_matches
from handlers.policy.versions import DOUBLE_STAR, WORLD_SPLITS

HOST_LABELS = LabelSet.reserved("host")
NODE_KINDS = (PartyKind.NODE, PartyKind.HOST)
"""The ends that are nodes by themselves: host policies select them, where the host firewall is on."""
GOVERNED_KINDS = (PartyKind.ENDPOINT, PartyKind.INIT, PartyKind.HEALTH, PartyKind.INGRESS)
"""The ends that are endpoints: they have a policy of their own on their node."""


def is_local_node(party: Party, viewer: Party) -> bool:
    """Tell whether the party is the node that the viewer runs on."""
    if party.kind is PartyKind.HOST:
        return True
    # Nodes of another cluster may bear the same name; they are not managed here.
    return party.kind is PartyKind.NODE and party.managed and bool(party.node) and party.node == viewer.node


_SPLIT_WORLDS = tuple(LabelSet.reserved(name) for name in ("world-ipv4", "world-ipv6"))
_WORLD = Label(key="world", source=Source.RESERVED)


def labels_seen(party: Party, viewer: Party, fqdn_labels: tuple[Label, ...], config: PolicyConfig) -> LabelSet:
    """Give the identity labels of a party in the eyes of a viewer; ``fqdn_labels`` are added where they may be."""
    if is_local_node(party, viewer):
        return party.local_labels or HOST_LABELS
    if fqdn_labels and party.kind is PartyKind.OUTSIDE:
        return party.labels.with_labels(fqdn_labels)
    if party.labels in _SPLIT_WORLDS and config.holds(WORLD_SPLITS):
        return party.labels.with_labels((_WORLD,))
    return party.labels


def own_labels(party: Party) -> LabelSet:
    """Give the labels by which policies select a party as their subject."""
    if party.kind in NODE_KINDS:
        return party.host_labels or HOST_LABELS
    return party.labels


def is_under_policy(party: Party, config: PolicyConfig) -> bool:
    """Tell whether the policy of this end is enforced here: pods of this cluster, and nodes with the host firewall."""
    if not party.managed:
        return False
    if party.kind in NODE_KINDS:
        return config.host_firewall
    return party.kind in GOVERNED_KINDS


def fqdn_selectors(selectors: Iterable[LabelSelector]) -> tuple[str, ...]:
    """Give the names and patterns that policies ask for."""
    found = (
        requirement.key
        for selector in selectors
        for requirement in selector.requirements
        if requirement.source == Source.FQDN
    )
    return tuple(dict.fromkeys(found))


def fqdn_labels_of(names: Iterable[str], asked: Iterable[str], config: PolicyConfig) -> tuple[Label, ...]:
    """Give the ``fqdn:`` labels of an address with these names: one for each name or pattern that a policy asks for."""
    known = tuple(names)
    double_star = config.holds(DOUBLE_STAR)
    return tuple(
        Label(key=text, source=Source.FQDN)
        for text in asked
        if any(
            name_matches(name, "" if "*" in text else text, text if "*" in text else "", double_star=double_star)
            for name in known
        )
    )
