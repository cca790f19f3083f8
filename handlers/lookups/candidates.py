"""Real names of Services that a wrong one may have meant."""

from handlers.lookups.resolver import CLUSTER_DOMAIN
from handlers.model.cluster import Service
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.names.spelling import nearest

_MOST = 3


def nearest_names(name: str, namespace: str, facts: Facts) -> tuple[str, ...]:
    """Return names by which a pod of ``namespace`` reaches Services that are spelt alike, best first.

    A Service of the very name in another namespace comes before all others. Empty for what can only be outside.
    """
    labels = name.removesuffix(f".{CLUSTER_DOMAIN}").removesuffix(".svc").split(".")
    if len(labels) > 2:
        return ()
    services = _known(facts)
    wanted, space = labels[0], labels[1] if len(labels) == 2 else namespace
    spaces = {one.namespace for one in services}
    misspelt = () if space in spaces else nearest(space, spaces)
    moved = [one for one in services if one.name == wanted and one.namespace in misspelt]
    same = [one for one in services if one.name == wanted and one.namespace != space]
    by_name = {one.name: one for one in services if one.namespace == space}
    alike = [by_name[found] for found in nearest(wanted, by_name)]
    found = dict.fromkeys(_short(one, namespace) for one in (*moved, *same, *alike))
    return tuple(found)[:_MOST]


def _short(service: Service, home: str) -> str:
    return service.name if service.namespace == home else f"{service.name}.{service.namespace}"


def _known(facts: Facts) -> tuple[Service, ...]:
    """Return every Service where the whole list was read, else those of the namespaces that were."""
    look = facts.look(Part.ALL_SERVICES)
    return look.value if isinstance(look, Known) else facts.services
