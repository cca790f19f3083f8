"""How people name ends in questions about the whole cluster, and which ends they mean.

| written | means |
|---|---|
| ``*`` | every pod |
| ``shop/*`` or ``shop/`` | every pod of a namespace |
| ``shop/cart`` | the pod; else the pods of this workload, or of this application (label ``app`` and its kin) |
| ``shop/app=cart,tier=back`` | the pods of the namespace that bear these labels; ``*/app=cart`` in every namespace |
| ``world``, ``host``, ``remote-node``, ``kube-apiserver``, ``ingress``, ``health``, ... | the entity |
| ``203.0.113.7``, ``203.0.113.0/24`` | whom the address belongs to; the outside ends inside the prefix |
| ``api.example.com`` | the addresses that the cluster has learnt for the name |
"""

import ipaddress

from handlers.model.endpoint import EntityName
from handlers.model.labels import Network
from handlers.model.party import PartyKind
from handlers.policy.entities import ENTITIES
from handlers.reach.cluster import ClusterPod
from handlers.reach.ends import ClusterEnd
from handlers.reach.roster import Roster


class EndNameError(ValueError):
    """The text names no end in any of the ways that are understood."""


def ends_named(text: str, roster: Roster) -> tuple[int, ...]:
    """Give the numbers of the ends that a text means; none when nothing of that name is there.

    Raises:
        EndNameError: if the text is no name at all.
    """
    text = text.strip()
    if not text or len(text) > 500:
        raise EndNameError("the name of an end is empty or too long")
    if text in ENTITIES:
        entity = EntityName(text)
        return tuple(number for number, end in enumerate(roster.ends) if _is_entity(end, entity))
    if text == "*":
        return tuple(number for number, end in enumerate(roster.ends) if end.pods)
    network = _network(text)
    if network is not None:
        return tuple(number for number, end in enumerate(roster.ends) if _is_in(end, network))
    namespace, separator, name = text.partition("/")
    if not separator:
        return _by_dns_name(text, roster)
    if not namespace:
        raise EndNameError(f"{text!r} has no namespace; write namespace/name, or */name for every namespace")
    return _pods_named("" if namespace == "*" else namespace, name, roster)


def _is_entity(end: ClusterEnd, entity: EntityName) -> bool:
    kind, party = ENTITIES[entity].kind, end.party
    is_it = (
        party.kind is kind
        or (entity is EntityName.KUBE_APISERVER and party.labels.has_reserved(entity))
        or (entity is EntityName.REMOTE_NODE and party.kind is PartyKind.NODE)
    )
    return is_it and not end.pods


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_in(end: ClusterEnd, network: Network) -> bool:
    return any(_contains(network, address) for address in _addresses(end))


def _addresses(end: ClusterEnd) -> tuple[str, ...]:
    return end.addresses + tuple(ip for pod in end.pods for ip in pod.party.ips)


def _contains(network: Network, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False


def _by_dns_name(name: str, roster: Roster) -> tuple[int, ...]:
    if "." not in name:
        raise EndNameError(f"{name[:60]!r} is no entity, no address and no DNS name; a pod is written namespace/name")
    wanted = name.lower().rstrip(".")
    return tuple(
        number
        for number, end in enumerate(roster.ends)
        if wanted in {known.lower().rstrip(".") for known in end.party.fqdn_names or ()}
    )


def _pods_named(namespace: str, name: str, roster: Roster) -> tuple[int, ...]:
    candidates = [
        (number, pod)
        for number, end in enumerate(roster.ends)
        for pod in end.pods
        if not namespace or pod.namespace == namespace
    ]
    if name in ("", "*"):
        return tuple(dict.fromkeys(number for number, _ in candidates))
    if "=" in name:
        wanted = dict(_pair(part) for part in name.split(","))
        return tuple(dict.fromkeys(number for number, pod in candidates if wanted.items() <= _labels(pod).items()))
    for matches in (_is_pod, _is_workload, _is_app):
        found = tuple(dict.fromkeys(number for number, pod in candidates if matches(pod, name)))
        if found:
            return found
    return ()


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise EndNameError(f"{text[:60]!r} is no label; write key=value")
    return key.strip(), value.strip()


def _labels(pod: ClusterPod) -> dict[str, str]:
    return {**{label.key: label.value for label in pod.party.labels}, **dict(pod.party.unfiltered)}


def _is_pod(pod: ClusterPod, name: str) -> bool:
    return pod.name == name


def _is_workload(pod: ClusterPod, name: str) -> bool:
    return pod.workload == name


def _is_app(pod: ClusterPod, name: str) -> bool:
    return pod.app == name
