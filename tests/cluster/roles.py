"""What the manifests of this repository grant to a worker, rule by rule."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.cluster.fake_api import Attempt

MANIFESTS = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"


@dataclass(frozen=True, order=True)
class Granted:
    """One verb on one resource; an empty namespace is every one, an empty name every object."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def covers(self, attempt: Attempt) -> bool:
        return (
            (self.verb, self.group, self.resource) == (attempt.verb, attempt.group, attempt.resource)
            and self.namespace in ("", attempt.namespace)
            and self.name in ("", attempt.name)
        )

    def __str__(self) -> str:
        return " ".join(filter(None, (self.verb, self.resource, self.group, self.name)))


@cache
def granted() -> tuple[Granted, ...]:
    """Read the ClusterRole and the Roles."""
    return tuple(sorted(set(_rights())))


def _rights() -> Iterator[Granted]:
    for path in sorted(MANIFESTS.glob("read-*.yaml")):
        for role in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for rule in role.get("rules", ()):
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for verb in rule["verbs"]:
                            for name in rule.get("resourceNames", [""]):
                                namespace = role["metadata"].get("namespace", "")
                                yield Granted(verb, group, resource, namespace, name)


def allows(rights: Collection[Granted], attempt: Attempt) -> bool:
    """Whether any of the rights covers an attempt."""
    return any(right.covers(attempt) for right in rights)
