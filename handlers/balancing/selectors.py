"""What a Service's selector misses by: the labels of pods that come nearest to it."""

from collections.abc import Iterable
from dataclasses import dataclass

from handlers.model.cluster import Pod, Service
from handlers.names.spelling import nearest


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Pods that have all but one of the labels wanted, and what they have in its place, empty for no such label."""

    key: str
    wanted: str
    had: str
    pods: tuple[Pod, ...]


def nearest_pods(service: Service, pods: Iterable[Pod]) -> NearMiss | None:
    """Return the running pods of the namespace that a selector misses by the least, None where none comes near."""
    within = [pod for pod in pods if pod.namespace == service.namespace and pod.is_running]
    found: list[tuple[tuple[bool, bool, int], NearMiss]] = []
    for key, wanted in (service.selector or {}).items():
        others = {name: value for name, value in (service.selector or {}).items() if name != key}
        alike = [pod for pod in within if others.items() <= pod.labels.items() and pod.labels.get(key) != wanted]
        for had in {pod.labels.get(key, "") for pod in alike}:
            mine = tuple(pod for pod in alike if pod.labels.get(key, "") == had)
            is_alike = bool(had) and bool(nearest(wanted, [had]))
            is_named = had == service.name
            if is_alike or is_named or others:
                found.append(((is_named, is_alike, len(others)), NearMiss(key, wanted, had, mine)))
    return max(found, key=lambda item: (item[0], item[1].had), default=(None, None))[1]
