"""Manifests on their way to a person: cleaned, as YAML, as a difference, and as the command that applies them."""

import difflib
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

import yaml

from handlers.model.policy_kind import PolicyKind, is_policy_kind
from handlers.model.rule import PolicyRef

MOST_VALUES = 20_000
MOST_DEPTH = 40
_TOP = ("apiVersion", "kind", "metadata", "spec", "specs")
_METADATA = ("name", "namespace", "labels", "annotations")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class ManifestError(ValueError):
    """A manifest that cannot be shown or changed: too large, too deep, or no JSON."""


def reference_of(manifest: Mapping[str, object]) -> PolicyRef | None:
    """Name a policy object; None for what is none."""
    kind, metadata = manifest.get("kind"), manifest.get("metadata")
    if not isinstance(kind, str) or not is_policy_kind(kind) or not isinstance(metadata, Mapping):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not _OBJECT_NAME.fullmatch(name):
        return None
    if not PolicyKind(kind).api.is_namespaced:
        return PolicyRef(kind, "", name)
    place = namespace if namespace is not None else "default"
    return PolicyRef(kind, place, name) if isinstance(place, str) and _OBJECT_NAME.fullmatch(place) else None


def clean(manifest: Mapping[str, object]) -> dict[str, object]:
    """Copy a manifest without what the API server adds; raises ManifestError.

    The copy shares nothing with the original and nothing within itself, so that its YAML has no aliases.
    """
    copied = _copy({key: manifest[key] for key in _TOP if manifest.get(key) is not None}, 0, [0])
    if not isinstance(copied, dict):
        raise ManifestError("the manifest is no object")
    metadata = copied.get("metadata")
    if isinstance(metadata, dict):
        kept = {key: metadata[key] for key in _METADATA if metadata.get(key)}
        annotations = kept.get("annotations")
        if isinstance(annotations, dict):
            annotations.pop(_LAST_APPLIED, None)
            if not annotations:
                kept.pop("annotations")
        copied["metadata"] = kept
    return copied


def _copy(value: object, depth: int, seen: list[int]) -> object:
    seen[0] += 1
    if depth > MOST_DEPTH or seen[0] > MOST_VALUES:
        raise ManifestError("the manifest is too large or too deep")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ManifestError("the manifest has a key that is no text")
        return {str(key): _copy(inner, depth + 1, seen) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(inner, depth + 1, seen) for inner in value]
    raise ManifestError(f"the manifest holds a {type(value).__name__}")


def to_yaml(manifest: Mapping[str, object]) -> str:
    """Write a cleaned manifest as YAML, its keys in their order."""
    text: str = yaml.dump(
        dict(manifest), Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=110
    )
    return text


def unified(old: str, new: str, policy: PolicyRef) -> str:
    """Write what changes, as a unified difference; an object that is not there yet comes from ``/dev/null``."""
    path = "/".join(filter(None, (policy.kind, policy.namespace, policy.name)))
    source = f"live/{path}" if old else "/dev/null"
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), source, f"patched/{path}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def changed_lines(difference: str) -> int:
    """Count the lines that a difference adds or takes away."""
    return sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in difference.splitlines())


def json_text(operations: Iterable[Mapping[str, object]]) -> str:
    """Write JSON patch operations."""
    return json.dumps(list(operations), ensure_ascii=False, separators=(",", ":"))


def patch_command(policy: PolicyRef, operations: Sequence[Mapping[str, object]]) -> str:
    """Write the command that applies a JSON patch."""
    place = ["-n", policy.namespace] if policy.namespace else []
    words = ["kubectl", *place, "patch", PolicyKind(policy.kind).api.resource, policy.name, "--type=json", "-p"]
    return shlex.join([*words, json_text(operations)])


APPLY_COMMAND = "kubectl apply -f -"
"""The command that makes a new object from its manifest on standard input."""
