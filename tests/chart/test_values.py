"""What may be said in values: every setting, nothing that nobody knows, and no secret."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.settings import Settings
from tools.chart.readme import value_rows
from tools.chart.rendered import CHART, cases
from tools.chart.schema import KUBERNETES
from tools.chart.settings import CLUSTERS, groups, secrets, variable
from workers.settings import WorkerSettings

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
REFUSED = sorted((CHART / "ci" / "refused").glob("*.yaml"))
REFUSED_BY_A_TEMPLATE = {"grace-too-short"}
"""The sum of two settings is more than a schema can say; ``make chart`` has Helm refuse it."""


def merged(values: Any, over: Any) -> Any:
    """As Helm does: maps one into the other, null takes a value away, anything else replaces."""
    if not isinstance(values, dict) or not isinstance(over, dict):
        return over
    both = {name: merged(values.get(name), over[name]) for name in over}
    return {name: value for name, value in {**values, **both}.items() if value is not None or name not in over}


def problems(values: Mapping[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(values)]


@pytest.mark.parametrize("name", sorted(cases()))
def test_good_values_are_taken(name: str) -> None:
    assert problems(merged(DEFAULTS, yaml.safe_load(cases()[name].read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_bad_values_are_refused(path: Path) -> None:
    found = problems(merged(DEFAULTS, yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert bool(found) is (path.stem not in REFUSED_BY_A_TEMPLATE)


def objects_of(schema: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object that a schema describes; what stands behind ``if`` and ``then`` narrows, and describes none."""
    if not isinstance(schema, dict):
        return
    if "object" in (schema.get("type"), *schema.get("type", ())):
        yield path, schema
    for name, one in schema.get("properties", {}).items():
        yield from objects_of(one, f"{path}/{name}")
    yield from objects_of(schema.get("items"), f"{path}[]")


AS_KUBERNETES_HAS_IT = {"/global"}
JSON_OF_A_SETTING = {"/settings/common/channels", "/settings/worker/rights", "/settings/worker/digests[]"}


def test_every_level_is_closed() -> None:
    for path, one in objects_of(SCHEMA, ""):
        is_of_others = one == KUBERNETES or path in AS_KUBERNETES_HAS_IT | JSON_OF_A_SETTING
        assert is_of_others or one["additionalProperties"] in (False, {"type": "string"}), path


def test_what_may_be_said_is_what_values_hold() -> None:
    def undeclared(schema: Mapping[str, Any], values: Any, path: str) -> Iterator[str]:
        for name, one in schema.get("properties", {}).items():
            if isinstance(values, dict) and name not in values:
                yield f"{path}/{name}"
            elif isinstance(values, dict):
                yield from undeclared(one, values[name], f"{path}/{name}")

    missing = {path for path in undeclared(SCHEMA, DEFAULTS, "") if not path.startswith("/settings/")}
    assert {path for path in missing if "/resources/" not in path} == {"/global"}


def test_every_value_says_what_it_means() -> None:
    told = {path for path, _default, _meaning in value_rows(CHART / "values.yaml")}

    def leaves(values: Any, path: str) -> Iterator[str]:
        if isinstance(values, dict) and values and path not in told:
            for name, one in values.items():
                yield from leaves(one, f"{path}.{name}".removeprefix("."))
        else:
            yield path

    assert set(leaves(DEFAULTS, "")) == told


def test_every_setting_can_be_said_and_no_secret() -> None:
    sayable = {variable(name) for group in groups().values() for name in group} | {f"CILIUM_TRIAGE_{CLUSTERS.upper()}"}
    every = {
        str(field.validation_alias or f"CILIUM_TRIAGE_{name.upper()}")
        for settings in (Settings, WorkerSettings)
        for name, field in settings.model_fields.items()
    }
    assert sayable == every - secrets()
    assert secrets() == {
        *("REDIS_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "CILIUM_TRIAGE_ALERTS_TOKEN")
    }
