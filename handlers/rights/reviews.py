"""Which right of Kubernetes lets somebody see what of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.model.ownership import Content, Owner
from handlers.rights.people import Person


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource, as a role grants it."""

    verb: str
    group: str
    resource: str
    subresource: str = ""


RIGHTS: Mapping[Content, Right] = {
    Content.PODS: Right("list", "", "pods"),
    Content.SERVICES: Right("list", "", "services"),
    Content.NETWORK_POLICIES: Right("list", "networking.k8s.io", "networkpolicies"),
    Content.CILIUM_POLICIES: Right("list", "cilium.io", "ciliumnetworkpolicies"),
    # What a pod sends and receives is as private as what it writes to its log.
    Content.FLOWS: Right("get", "", "pods", "log"),
    Content.CLUSTER_POLICIES: Right("list", "cilium.io", "ciliumclusterwidenetworkpolicies"),
    Content.NODES: Right("list", "", "nodes"),
    Content.OBJECTS: Right("list", "*", "*"),
}
"""The right that is asked about, for each content but namespaces: those are told by their pods."""


def review_of(person: Person, owner: Owner) -> dict[str, Any]:
    """Return the SubjectAccessReview that asks whether somebody may read this (authorization.k8s.io/v1)."""
    right = RIGHTS[owner.content]
    attributes = {"verb": right.verb, "group": right.group, "resource": right.resource}
    if right.subresource:
        attributes["subresource"] = right.subresource
    if owner.namespace:
        attributes["namespace"] = owner.namespace
    who = {key: value for key, value in (("user", person.user), ("groups", list(person.all_groups))) if value}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {**who, "resourceAttributes": attributes},
    }


def is_allowed(answer: Any) -> bool:
    """Return what a reviewed object says: only a plain yes is one, and an error beside it makes it a no."""
    status = answer.get("status") if isinstance(answer, Mapping) else None
    if not isinstance(status, Mapping):
        return False
    return status.get("allowed") is True and not status.get("denied") and not status.get("evaluationError")
