"""Facts that were not read: which selectors they leave in doubt."""

from handlers.model.labels import CLUSTER_LABEL, LabelSet, Source
from handlers.model.party import MissingFact, Party
from handlers.model.rule import LabelSelector, Requirement
from handlers.policy.services import UNREAD_SERVICE

_FACT_OF_SOURCE = {
    UNREAD_SERVICE: MissingFact.SERVICES,
    Source.CIDR_GROUP: MissingFact.CIDR_GROUPS,
    Source.FQDN: MissingFact.DNS_NAMES,
    Source.CIDR: MissingFact.ADDRESS,
    Source.NODE: MissingFact.NODES,
    Source.ANY: MissingFact.NODES,
}


def fact_in_doubt(selector: LabelSelector, peer: Party, labels: LabelSet) -> MissingFact | None:
    """Give the unread fact that decides whether a selector means the peer, or None when that is certain.

    ``labels`` are those that the other end sees in the peer.
    """
    missing = peer.missing
    if peer.fqdn_names is None:
        missing = missing | {MissingFact.DNS_NAMES}
    if MissingFact.LABELS in missing and not selector.is_wildcard:
        return MissingFact.LABELS
    doubt = None
    for requirement in selector.requirements:
        fact = _fact_of(requirement)
        if fact is MissingFact.SERVICES or (fact is not None and fact in missing):
            doubt = doubt or fact
        elif not requirement.matches(labels):
            return None
    if doubt is MissingFact.KUBE_APISERVER and labels.has_reserved("kube-apiserver"):
        return None
    return doubt


def _fact_of(requirement: Requirement) -> MissingFact | None:
    if requirement.source == Source.RESERVED and requirement.key == "kube-apiserver":
        return MissingFact.KUBE_APISERVER
    if requirement.key == CLUSTER_LABEL:
        return MissingFact.NODES
    return _FACT_OF_SOURCE.get(requirement.source)
