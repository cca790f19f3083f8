"""Which fields the specification of a policy uses: what no policy refers to need not be read."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.model.cluster import PolicyObject

TO_SERVICES = frozenset({"toServices"})
TO_NAMES = frozenset({"toFQDNs"})
ENTITIES = frozenset({"fromEntities", "toEntities"})
CIDR_GROUPS = frozenset({"cidrGroupRef", "cidrGroupSelector", "toGroups", "fromGroups"})


def some_policy_has(fields: frozenset[str], policies: Iterable[PolicyObject]) -> bool:
    """Whether some policy's ``spec`` or ``specs`` has one of the fields, at any depth."""
    return any(_has(fields, [policy.manifest.get("spec"), policy.manifest.get("specs")]) for policy in policies)


def _has(fields: frozenset[str], values: list[Any]) -> bool:
    while values:
        value = values.pop()
        # What JSON holds is told by its type alone; asking an abstract class takes ten times as long.
        if type(value) is str:
            continue
        if type(value) is dict or isinstance(value, Mapping):
            if not fields.isdisjoint(value):
                return True
            values += value.values()
        elif isinstance(value, list | tuple):
            values += value
    return False
