"""The objects that the chart renders to, as Helm wrote them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from tools.chart.rendered import RENDERED

Object = dict[str, Any]
PROCESSES = ("web", "worker", "beat")


@cache
def rendered(name: str) -> tuple[Object, ...]:
    """Return the objects of one file of values in ``ci/``."""
    text = (RENDERED / f"{name}.yaml").read_text(encoding="utf-8")
    return tuple(item for item in yaml.load_all(text, yaml.CSafeLoader) if item)


def of_kind(name: str, *kinds: str) -> list[Object]:
    """Return those of some kinds."""
    return [item for item in rendered(name) if item["kind"] in kinds]


def pods(name: str) -> Iterator[tuple[str, Object]]:
    """Yield the pods of Deployments, and that of the test, each with its component."""
    for item in of_kind(name, "Deployment"):
        template = item["spec"]["template"]
        yield template["metadata"]["labels"]["app.kubernetes.io/component"], template
    for item in of_kind(name, "Pod"):
        yield item["metadata"]["labels"]["app.kubernetes.io/component"], item


def environment(pod: Object) -> dict[str, str]:
    """Return the variables of a pod's only container; what comes of a Secret is ``NAME/KEY``."""
    (container,) = pod["spec"]["containers"]
    found = {}
    for entry in container.get("env", ()):
        secret = entry.get("valueFrom", {}).get("secretKeyRef")
        found[entry["name"]] = f"{secret['name']}/{secret['key']}" if secret else entry["value"]
    return found
