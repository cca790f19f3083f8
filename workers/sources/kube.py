"""Lists of the Kubernetes API: whole, as narrow as asked, or a reason with its remedy."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from handlers.model.snapshot import Gap
from workers.sources.assemble.logs import MOST_LINES
from workers.sources.assemble.resources import PODS, Resource, Select
from workers.sources.deadline import Deadline
from workers.sources.kube_transport import ApiError, Transport
from workers.sources.unread import ExpiredError, UnprovenError, UnreadError


class KubeLists:
    """Lists through one transport; safe to use from several threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def manifests(self, resource: Resource[object], select: Select, deadline: Deadline) -> Iterable[Any]:
        """Return the objects that are selected; those of a list are read page by page, as they are asked for.

        Raises:
            UnreadError: if they could not be read whole, which may show at the last page only.
        """
        if select.name is not None:
            return self._by_name(resource, select.namespace, select.name, deadline)
        query = {"labelSelector": select.labels, "fieldSelector": select.fields}
        return self._list(resource, select.namespace, {key: value for key, value in query.items() if value}, deadline)

    def groups(self, deadline: Deadline) -> Mapping[str, tuple[str, ...]]:
        """Return the API groups that are served, each with its versions (APIGroupList, meta/v1).

        Raises:
            UnreadError: if discovery does not list them.
        """
        try:
            body = self._transport.get("/apis", {}, deadline)
        except ApiError as error:
            gap = Gap.FORBIDDEN if error.status in (401, 403) else Gap.FAILED
            raise UnreadError(gap, f"get /apis: {error}", "Ask again.") from error
        groups = body.get("groups") if isinstance(body, dict) else None
        if not isinstance(groups, list):
            raise UnreadError(Gap.MALFORMED, "get /apis: no list of API groups")
        return {str(item.get("name")): _versions(item.get("versions")) for item in groups if isinstance(item, dict)}

    def log(self, namespace: str, pod: str, container: str, deadline: Deadline, *, previous: bool) -> list[str]:
        """Return the last lines of a container's log, each behind its time (Kubernetes API reference, Pod, read log).

        Raises:
            UnreadError: if they cannot be had.
        """
        query = {"container": container, "tailLines": str(MOST_LINES), "timestamps": "true"}
        path = f"{PODS.path(namespace, pod)}/log"
        try:
            text = self._transport.text(path, query | ({"previous": "true"} if previous else {}), deadline)
        except ApiError as error:
            gap = Gap.FORBIDDEN if error.status in (401, 403) else Gap.FAILED
            remedy = 'Allow it in a role: resources: ["pods/log"], verbs: ["get"].' if error.status == 403 else ""
            raise UnreadError(gap, f"the log of {namespace}/{pod}: {error}", remedy) from error
        return text.splitlines()

    def _by_name(self, resource: Resource[object], namespace: str | None, name: str, deadline: Deadline) -> list[Any]:
        try:
            return [self._transport.get(resource.path(namespace, name), {}, deadline)]
        except ApiError as error:
            refused = _refused("get", resource, namespace, error)
        if not isinstance(refused, _NotFoundError):
            raise refused
        if refused.object_name == name:
            return []
        raise UnprovenError(refused.missing.gap, refused.missing.detail)

    def _list(
        self, resource: Resource[object], namespace: str | None, query: Mapping[str, str], deadline: Deadline
    ) -> Iterator[Any]:
        try:
            yield from self._listed(resource, namespace, query, deadline)
        except _NotFoundError as error:
            if resource.older:
                older = replace(resource, version=resource.older, older="")
                yield from self._older(older, namespace, query, deadline)
                return
            if resource.optional and not self._is_served(resource, deadline):
                return
            raise UnreadError(
                Gap.UNSUPPORTED,
                f"the API server does not serve {resource} in {resource.api_version}",
                "Check that Cilium is installed in this cluster, and that the context is the right one."
                if resource.group == "cilium.io"
                else "",
            ) from error

    def _listed(
        self, resource: Resource[object], namespace: str | None, query: Mapping[str, str], deadline: Deadline
    ) -> Iterator[Any]:
        has_begun = False
        try:
            for page in self._transport.pages(resource.path(namespace), query, deadline):
                has_begun = True
                yield from page
        except ApiError as error:
            refused = _refused("list", resource, namespace, error)
            if error.status == 410:
                raise ExpiredError(refused.missing.gap, refused.missing.detail, refused.missing.remedy) from error
            if has_begun and isinstance(refused, _NotFoundError):
                raise UnreadError(Gap.FAILED, f"{refused.missing.detail}, half-way", "Ask again.") from error
            raise refused from error

    def _older(
        self, resource: Resource[object], namespace: str | None, query: Mapping[str, str], deadline: Deadline
    ) -> Iterator[Any]:
        found = self._list(resource, namespace, query, deadline)
        return ({"apiVersion": resource.api_version, **body} if isinstance(body, dict) else body for body in found)

    def _is_served(self, resource: Resource[object], deadline: Deadline) -> bool:
        """Whether discovery lists a resource; where there is no discovery, the 404 of its list is mostly believed."""
        try:
            body = self._transport.get(resource.api_path, {}, deadline)
        except (ApiError, UnreadError):
            return resource.is_vital
        served = body.get("resources") if isinstance(body, dict) else None
        if not isinstance(served, list):
            return resource.is_vital
        return any(isinstance(item, dict) and item.get("name") == resource.plural for item in served)


class _NotFoundError(UnreadError):
    """404; ``object_name`` is the name that the server says does not exist, None for a resource it does not serve."""

    def __init__(self, detail: str, object_name: str | None) -> None:
        super().__init__(Gap.UNSUPPORTED, detail)
        self.object_name = object_name


def _refused(verb: str, resource: Resource[object], namespace: str | None, error: ApiError) -> UnreadError:
    where = f" in namespace {namespace}" if namespace else ""
    call = f"{verb} {resource}{where}"
    if error.status == 404:
        details = error.body.get("details") if isinstance(error.body, dict) else None
        name = details.get("name") if isinstance(details, dict) else None
        return _NotFoundError(f"{call}: {error}", name if isinstance(name, str) else None)
    if error.status == 401:
        return UnreadError(
            Gap.FORBIDDEN,
            f"{call}: the API server does not accept the credentials ({error})",
            "Log in to the cluster again, or renew the service account's token.",
        )
    if error.status == 403:
        return UnreadError(
            Gap.FORBIDDEN,
            f"{call} is not allowed: {error}",
            f'Allow it in a role: apiGroups: ["{resource.group}"], resources: ["{resource.plural}"], '
            'verbs: ["get", "list"].',
        )
    if error.status == 429:
        return UnreadError(Gap.FAILED, f"{call}: the API server throttles: {error}", "Ask again in a minute.")
    return UnreadError(Gap.FAILED, f"{call}: the API server answered {error.status}: {error}", "Ask again.")


def _versions(served: object) -> tuple[str, ...]:
    versions = served if isinstance(served, list) else []
    return tuple(str(item["version"]) for item in versions if isinstance(item, dict) and item.get("version"))
