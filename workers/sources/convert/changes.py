"""Managed fields of any object to the model: who owns what of it since when.

FieldsV1 is a tree of ``f:name``, ``k:{...}`` and ``v:...`` keys (Kubernetes, sigs.k8s.io/structured-merge-diff).
"""

from collections.abc import Iterator

from handlers.model.change import Change
from workers.sources.convert.reading import Body, moment, name_of, namespace_of, rows, struct, text

_LONGEST = 200
"""Characters of a manager's name, or of a path, that are kept: no honest one is longer."""
_MOST_FIELDS = 24
_DEEPEST = 3
"""Levels of a path that tell a reader what was touched: ``spec.template.spec``, ``metadata.labels.tier``."""


def changes(kind: str, body: Body) -> tuple[Change, ...]:
    """Return the newest change of each manager, and the creation; status, which controllers write, is left out."""
    metadata = struct(body, "metadata")
    created = moment(metadata, "creationTimestamp")
    namespace, name = namespace_of(body), name_of(body)
    found = [
        Change(kind, namespace, name, (text(entry, "manager") or "")[:_LONGEST], at, at == created, _fields(entry))
        for entry in rows(metadata, "managedFields")
        if text(entry, "subresource") != "status" and (at := moment(entry, "time")) is not None
    ]
    if created is not None and not any(change.is_creation for change in found):
        found.append(Change(kind, namespace, name, "", created, is_creation=True))
    return tuple(change for change in found if change.is_creation or set(change.fields) != {"status"})


def later_changes(kind: str, body: Body) -> tuple[Change, ...]:
    """Return what others than controllers changed after the object was made; of most pods that is nothing."""
    metadata = struct(body, "metadata")
    created = text(metadata, "creationTimestamp")
    later = [
        entry
        for entry in rows(metadata, "managedFields")
        if text(entry, "time") != created and text(entry, "subresource") != "status"
    ]
    if not later:
        return ()
    return tuple(change for change in changes(kind, body) if change.is_own_will and not change.is_creation)


def _fields(entry: Body) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for path in _paths(struct(entry, "fieldsV1"), ()):
        paths[".".join(path)[:_LONGEST]] = None
        if len(paths) == _MOST_FIELDS:
            break
    return tuple(paths)


def _paths(tree: Body, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    names = sorted(key[2:] for key in tree if isinstance(key, str) and key.startswith("f:"))
    if above and (not names or len(above) == _DEEPEST):
        yield above
        return
    for name in names:
        if above == () and name == "status":
            yield ("status",)
        else:
            yield from _paths(struct(tree, f"f:{name}"), (*above, name))
