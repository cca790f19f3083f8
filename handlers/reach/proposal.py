"""A change that somebody thinks about: policies to put in place or take away, labels to set or remove."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handlers.model.policy_kind import is_policy_kind, namespace_of, policy_kind_called
from handlers.model.rule import Manifest, PolicyRef
from handlers.reach.cluster import Cluster


class ProposalError(ValueError):
    """The proposal does not fit the cluster; the text says where."""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Labels of a pod (``namespace/name``) or of a namespace (its name alone); None takes a label away."""

    target: str
    labels: Mapping[str, str | None]

    @classmethod
    def parse(cls, text: str) -> "LabelChange":
        """Read ``shop/cart-1 tier=back old-`` or ``shop env=prod``, as for ``kubectl label``. Raises ProposalError."""
        target, *words = text.split()
        labels: dict[str, str | None] = {}
        for word in words:
            key, separator, value = word.partition("=")
            if separator and key:
                labels[key] = value
            elif not separator and word.endswith("-") and len(word) > 1:
                labels[word[:-1]] = None
            else:
                raise ProposalError(f"{word[:60]!r} is no label change; write key=value, or key- to remove it")
        if not labels:
            raise ProposalError(f"no labels to change on {target[:60]}; write: POD-OR-NAMESPACE key=value ...")
        return cls(target, labels)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Policies to add or replace, policies to delete, and label changes."""

    put: tuple[Manifest, ...] = ()
    delete: tuple[PolicyRef, ...] = ()
    labels: tuple[LabelChange, ...] = ()

    def applied(self, cluster: Cluster) -> Cluster:
        """Give the cluster as it would be. Raises ProposalError for what is not there to be deleted or labelled."""
        manifests = {reference_of(manifest): manifest for manifest in cluster.manifests}
        for reference in self.delete:
            if reference not in manifests:
                raise ProposalError(f"{reference} is not in the cluster, so it cannot be deleted")
            del manifests[reference]
        manifests.update({reference_of(manifest): manifest for manifest in self.put})
        changed = cluster.with_manifests(manifests.values())
        for change in self.labels:
            try:
                if "/" in change.target:
                    changed = changed.with_pod_labels(change.target, change.labels)
                else:
                    changed = changed.with_namespace_labels(change.target, change.labels)
            except KeyError as error:
                raise ProposalError(f"there is no pod or namespace {change.target} in the cluster") from error
        return changed


def parse_reference(text: str) -> PolicyRef:
    """Read ``Kind/namespace/name`` or ``Kind//name``; kinds may be short. Raises ProposalError."""
    kind, first, rest = text.partition("/")
    namespace, second, name = rest.partition("/")
    known = policy_kind_called(kind)
    if not first or known is None:
        raise ProposalError(
            f"{text[:80]!r} names no policy; write cnp/NAMESPACE/NAME, netpol/NAMESPACE/NAME or ccnp/NAME"
        )
    place, name = (namespace, name) if second else ("", namespace)
    return PolicyRef(known, namespace_of(known, place), name)


def is_policy(document: object) -> bool:
    """Tell whether a document is a policy that Cilium enforces."""
    return isinstance(document, Mapping) and is_policy_kind(document.get("kind"))


def reference_of(manifest: Manifest) -> PolicyRef:
    """Give the name of a policy object; parts that are no text are empty."""
    metadata = manifest.get("metadata")
    fields = metadata if isinstance(metadata, Mapping) else {}
    kind, namespace, name = manifest.get("kind"), fields.get("namespace"), fields.get("name")
    space = namespace_of(kind, namespace if isinstance(namespace, str) else "")
    return PolicyRef(kind if isinstance(kind, str) else "", space, name if isinstance(name, str) else "")


def policies_among(documents: Iterable[object]) -> tuple[Manifest, ...]:
    """Keep the policies of a pile of objects, those inside lists included."""
    found: list[Manifest] = []
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        items = document.get("items")
        if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
            found.extend(item for item in items if is_policy(item))
        elif is_policy(document):
            found.append(document)
    return tuple(found)
