"""Policy objects, untouched: what an author left out stays absent, and ``[]`` stays ``[]``."""

from datetime import datetime
from typing import Any

from handlers.model.cluster import PolicyObject
from workers.sources.convert.changes import changes
from workers.sources.convert.reading import (
    Body,
    MalformedError,
    moment,
    name_of,
    namespace_of,
    rows,
    struct,
    text,
)

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def policy_object(kind: str, api_version: str, body: Body) -> PolicyObject:
    """Read a policy of the kind that was listed; typed lists of the API server leave kind and version out of items.

    Managed fields and the last applied configuration are dropped, after it was read from them who changed what when.

    Raises:
        MalformedError: if the object has no name, or is of another kind than the list it came in. What its
            specification means, or that it means nothing, is for the policy engine to say.
    """
    stated = text(body, "kind")
    if stated not in (None, "", kind):
        raise MalformedError(f"it is a {stated}")
    return PolicyObject(
        kind=kind,
        namespace=namespace_of(body),
        name=name_of(body),
        manifest={
            "apiVersion": text(body, "apiVersion") or api_version,
            "kind": kind,
            **{key: value for key, value in body.items() if key not in ("apiVersion", "kind", "metadata")},
            "metadata": _told(struct(body, "metadata")),
        },
        changed_at=changed_at(struct(body, "metadata")),
        changes=changes(kind, body),
    )


def changed_at(metadata: Body) -> datetime | None:
    """Return the newest time at which the object itself changed; writes of its status do not count."""
    writes = [item for item in rows(metadata, "managedFields") if text(item, "subresource") != "status"]
    times = [moment(metadata, "creationTimestamp"), *(moment(item, "time") for item in writes)]
    return max((time for time in times if time is not None), default=None)


def _told(metadata: Body) -> dict[str, Any]:
    told = {key: value for key, value in metadata.items() if key != "managedFields"}
    annotations = struct(metadata, "annotations")
    if LAST_APPLIED in annotations:
        told["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
        if not told["annotations"]:
            del told["annotations"]
    return told
