"""The settings of the processes as values of the chart: their names there, and what may be said."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from bot.settings import Mode, Settings
from workers.settings import Digest, WorkerSettings

_SECRET = (SecretStr, SecretStr | None)
CLUSTERS = "clusters"
"""The one setting that has a place of its own among the values: entries there may bring a kubeconfig."""

_ALSO: Mapping[str, Mapping[str, Any]] = {
    "mode": {"type": "string", "enum": [str(mode) for mode in Mode]},
    "host": {"type": "string", "minLength": 1},
    "port": {"type": "integer", "minimum": 1},
    "alive_file": {"type": "string", "pattern": "^/tmp/"},
    "rights": {"type": ["string", "object", "null"]},
}
"""What the chart knows better: templates use these, and the one folder that can be written to is ``/tmp``."""

Group = Mapping[str, dict[str, Any]]


def groups() -> Mapping[str, Group]:
    """Return the schemas of ``settings.common`` (what both processes have), ``web`` and ``worker``."""
    web, worker = dict(_settings(Settings)), dict(_settings(WorkerSettings))
    return {
        "common": {name: schema for name, schema in web.items() if name in worker},
        "web": {name: schema for name, schema in web.items() if name not in worker},
        "worker": {name: schema for name, schema in worker.items() if name not in web},
    }


def variable(name: str) -> str:
    """Return the environment variable of a value: ``CILIUM_TRIAGE_KEY_PREFIX`` of ``keyPrefix``."""
    snake = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name).upper()
    return "SLACK_API_URL" if name == "slackApiUrl" else f"CILIUM_TRIAGE_{snake}"


def secrets() -> frozenset[str]:
    """Return the variables that come of Secrets."""
    return frozenset(
        str(field.validation_alias or f"CILIUM_TRIAGE_{name.upper()}")
        for settings in (Settings, WorkerSettings)
        for name, field in settings.model_fields.items()
        if field.annotation in _SECRET
    )


def _settings(settings: type[BaseSettings]) -> Iterator[tuple[str, dict[str, Any]]]:
    properties = settings.model_json_schema(by_alias=False)["properties"]
    for name, field in sorted(settings.model_fields.items()):
        if field.annotation not in _SECRET and name != CLUSTERS:
            head, *tail = name.split("_")
            schema = _schema(properties[name], field)
            yield head + "".join(map(str.title, tail)), {**schema, **_ALSO.get(name, {})}


def _schema(declared: Mapping[str, Any], field: FieldInfo) -> dict[str, Any]:
    """What a value may be: a number within its bounds, a text, a list of names, or what is JSON in the variable."""
    forms = declared.get("anyOf", [declared])
    kinds = {form.get("type", "string") for form in forms}
    bounds = {
        bound: value
        for form in forms
        for bound, value in form.items()
        if bound in ("minimum", "maximum", "exclusiveMinimum", "pattern")
    }
    if kinds & {"integer", "number", "boolean"}:
        (kind,) = kinds - {"null"}
        return {"type": [kind, "null"], **bounds}
    if "array" in kinds:
        of_names = "frozenset" in str(field.annotation)
        return {"type": ["array", "null"], "items": {"type": "string"} if of_names else Digest.model_json_schema()}
    return {"type": ["object", "null"]} if "object" in kinds else {"type": ["string", "null"], **bounds}
