"""JSON Schema of the JSON report, from the type hints and docstrings of the dataclasses it is made of."""

import dataclasses
import inspect
import types
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from handlers.model.finding import Finding, Sentence, Value
from handlers.model.headline import Headline
from handlers.model.report import SCHEMA, Report
from workers.docs.docstrings import attribute_docstrings, plain

Json = dict[str, Any]

_SCALARS: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    Sentence: {"type": "string"},
}


def report_schema() -> Json:
    """Return the schema of what ``workers.report_json`` gives."""
    definitions: dict[str, Json] = {}
    report = _object(Report, definitions)
    report["properties"] |= {
        "schema": {"const": SCHEMA},
        "headline": {"type": "string", "description": "The answer in one plain sentence."},
        "answer": _schema(Headline, definitions) | {"description": "The parts that the headline is made of."},
        "cached_at": {
            "anyOf": [_SCALARS[datetime], _SCALARS[types.NoneType]],
            "description": "When the answer was kept, if it comes from the cache.",
        },
    }
    report["required"] = sorted(report["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cilium-triage report",
        **report,
        "$defs": dict(sorted(definitions.items())),
    }


def _finding(definitions: dict[str, Json]) -> Json:
    finding = _object(Finding, definitions)
    del finding["properties"]["sentence"]
    finding["properties"] |= {
        "text": {"type": "string", "description": "The claim in words."},
        "values": {
            "type": "object",
            "additionalProperties": _schema(Value, definitions),
            "description": "What the words of the claim are filled with.",
        },
    }
    finding["required"] = sorted(finding["properties"])
    return finding


def _object(cls: type[Any], definitions: dict[str, Json]) -> Json:
    hints = get_type_hints(cls)
    told = attribute_docstrings(cls)
    properties = {
        item.name: _schema(hints[item.name], definitions)
        | ({"description": told[item.name]} if item.name in told else {})
        for item in dataclasses.fields(cls)
        if cls is not Report or item.name not in ("headline", "ownership")
    }
    return {
        "type": "object",
        "description": plain(inspect.getdoc(cls) or ""),
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _schema(hint: Any, definitions: dict[str, Json]) -> Json:
    origin = get_origin(hint)
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if origin in (Union, types.UnionType):
        members = [_schema(member, definitions) for member in get_args(hint)]
        return {"anyOf": [member for index, member in enumerate(members) if member not in members[:index]]}
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], definitions)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(get_args(hint)[1], definitions)}
    if dataclasses.is_dataclass(hint):
        return _reference(hint, definitions)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    raise TypeError(f"no schema is known for {hint}")


def _reference(cls: Any, definitions: dict[str, Json]) -> Json:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}
        definitions[cls.__name__] = _finding(definitions) if cls is Finding else _object(cls, definitions)
    return {"$ref": f"#/$defs/{cls.__name__}"}
