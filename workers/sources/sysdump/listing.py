"""Whether a file of a sysdump holds all of a list: lines that were cut off its end leave YAML that still parses.

`cilium sysdump` writes keys in the order of the alphabet, so that ``metadata`` comes after ``items``, and after the
``data`` of a ConfigMap: a file that ends before it was cut. JSON proves itself, for its last bracket closes its first.
"""

from collections.abc import Mapping
from typing import Any

from handlers.model.manifest_yaml import ManifestError, load_manifest
from workers.sources.convert.reading import MalformedError, items, struct, text

_REST = "the file ends before the list does: it was cut"


def whole_list(written: bytes, kind: str, what: str) -> list[Any]:
    """Return every object of a list of this kind.

    Raises:
        MalformedError: if it is no such list, or nothing proves that it is whole.
    """
    body = _loaded(written, what)
    found = items(body, what)
    if (said := body.get("kind")) not in (None, "List", f"{kind}List"):
        raise MalformedError(f"{what} holds {said!r:.60}, not a list of {kind}")
    metadata = _closing(body, "items", written, what)
    # An empty version is what kubectl writes.
    if not isinstance(metadata.get("resourceVersion"), str | int) and not _is_json(written):
        raise MalformedError(f"{what}: {_REST} (no resourceVersion after its items)")
    if metadata.get("continue") or metadata.get("remainingItemCount"):
        raise MalformedError(f"{what} is one page of a longer list")
    return found


def cut_list(written: bytes, kind: str, what: str) -> list[Any]:
    """Return the objects of a list of this kind that stand before the place where its file was cut.

    Raises:
        MalformedError: if it is no such list.
    """
    start = written.rfind(b"\n- ")
    body = _loaded(written[: start + 1] if start > 0 else written, what)
    if (said := body.get("kind")) not in (None, "List", f"{kind}List"):
        raise MalformedError(f"{what} holds {said!r:.60}, not a list of {kind}")
    return items(body, what)


def whole_config_map(written: bytes, what: str) -> Mapping[str, Any]:
    """Return a ConfigMap.

    Raises:
        MalformedError: if it is none, or nothing proves that its settings are whole.
    """
    body = _loaded(written, what)
    if body.get("kind") != "ConfigMap" or not text(_closing(body, "data", written, what), "name"):
        raise MalformedError(f"{what}: the file ends before the ConfigMap does: it was cut")
    return body


def whole_workloads(written: bytes, kind: str, what: str) -> list[Any]:
    """Return the workloads of a file, which holds a list or one object; ``status`` ends such an object.

    Raises:
        MalformedError: if it holds something else, or nothing proves that it is whole.
    """
    body = _loaded(written, what)
    if "items" in body:
        return whole_list(written, kind, what)
    status = struct(body, "status")
    # The counts stand in the order of the alphabet; one of zero is left out of a Deployment.
    last = "numberReady" if kind == "DaemonSet" else "updatedReplicas"
    if body.get("kind") not in (None, kind) or last not in status:
        raise MalformedError(f"{what}: the file ends before the {kind} does, or holds something else")
    return [body]


def _loaded(written: bytes, what: str) -> Mapping[str, Any]:
    try:
        body = load_manifest(written)
    except ManifestError as error:
        raise MalformedError(f"{what}: {error}") from error
    if not isinstance(body, Mapping):
        raise MalformedError(f"{what} holds no object")
    return body


def _closing(body: Mapping[str, Any], content: str, written: bytes, what: str) -> Mapping[str, Any]:
    """Return the metadata, which must stand behind the content."""
    keys = list(body)
    behind = content not in keys or keys.index("metadata") > keys.index(content) if "metadata" in keys else False
    if not behind and not _is_json(written):
        raise MalformedError(f"{what}: {_REST} (no metadata after its {content})")
    return struct(body, "metadata")


def _is_json(written: bytes) -> bool:
    return written.lstrip().startswith(b"{")
