"""Every right that answers use, made from the kinds that are read; and what the API server says of each."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from handlers.doctor.rights import Right, Ruling
from workers.sources.assemble.foreign import as_served
from workers.sources.assemble.objects import CONFIG_NAME
from workers.sources.assemble.resources import CONFIG_MAPS, EVENTS, SECRETS, Resource, every_kind
from workers.sources.deadline import Deadline
from workers.sources.kube import KubeLists
from workers.sources.kube_transport import ApiError, KubeTransport
from workers.sources.relay import CLIENT_SECRET
from workers.sources.unread import UnreadError

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_AT_ONCE = 8
_STREAM_VERBS = ("get", "create")
"""A websocket asks for ``get``, and from Kubernetes 1.35 on for ``create`` as well."""


def rights_used(
    cilium: str, *, forward_in: str = "", secret_in: str = "", reviews: bool = False, watches: bool = False
) -> Iterator[Right]:
    """Yield them, with Cilium in a namespace.

    The others count where they are used: relay by a port-forward, or by TLS, each in the namespace that is given;
    reviews of people's rights; watching warnings.
    """
    for kind in every_kind():
        if kind.is_listed:
            yield Right("list", kind.group, kind.plural)
        if kind.is_listed and kind.by_name:
            yield Right("get", kind.group, kind.plural)
    yield Right("get", CONFIG_MAPS.group, CONFIG_MAPS.plural, cilium, CONFIG_NAME)
    yield Right("get", "", "pods/log", cilium)
    yield from (Right(verb, "", "pods/exec", cilium) for verb in _STREAM_VERBS)
    if forward_in:
        yield from (Right(verb, "", "pods/portforward", forward_in) for verb in _STREAM_VERBS)
    if secret_in:
        yield Right("get", SECRETS.group, SECRETS.plural, secret_in, CLIENT_SECRET)
    if reviews:
        yield Right("create", "authorization.k8s.io", "subjectaccessreviews")
    if watches:
        yield Right("watch", EVENTS.group, EVENTS.plural)


def rulings(transport: KubeTransport, rights: Sequence[Right], deadline: Deadline) -> list[tuple[Right, Ruling]]:
    """Ask about every right; a refused one to a kind that the API does not serve is not missed."""
    try:
        groups: Mapping[str, tuple[str, ...]] | None = KubeLists(transport).groups(deadline)
    except UnreadError:
        groups = None

    def ruling(right: Right) -> tuple[Right, Ruling]:
        found = _ruling(transport, right, deadline)
        is_of_nobody = found is Ruling.REFUSED and not _is_served(transport, right, groups, deadline)
        return right, Ruling.UNSERVED if is_of_nobody else found

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rights") as calls:
        return list(calls.map(ruling, rights))


def _is_served(
    transport: KubeTransport, right: Right, groups: Mapping[str, tuple[str, ...]] | None, deadline: Deadline
) -> bool:
    """Whether the API serves a right's kind in some version; so it is said where nothing tells."""
    kinds = [kind for kind in every_kind() if (kind.group, kind.plural) == (right.group, right.resource)]
    if groups is not None and right.group and right.group not in groups:
        return False
    versions = [version for kind in kinds for version in as_served(kind, groups)]
    return not versions or any(served(transport, version, deadline) is not False for version in versions)


def served(transport: KubeTransport, kind: Resource[object], deadline: Deadline) -> bool | None:
    """Whether discovery lists a kind, None where it does not tell."""
    try:
        body = transport.get(kind.api_path, {}, deadline)
    except ApiError as error:
        return False if error.status == 404 else None
    except UnreadError:
        return None
    listed = body.get("resources") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        return None
    return any(isinstance(item, dict) and item.get("name") == kind.plural for item in listed)


def _ruling(transport: KubeTransport, right: Right, deadline: Deadline) -> Ruling:
    try:
        answer = transport.post(REVIEWS, _review(right), deadline)
    except (ApiError, UnreadError):
        return Ruling.UNTOLD
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict) or not isinstance(status.get("allowed"), bool):
        return Ruling.UNTOLD
    return Ruling.GRANTED if status["allowed"] else Ruling.REFUSED


def _review(right: Right) -> dict[str, Any]:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
        "name": right.name,
    }
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value or key == "group"}},
    }
