"""The rows about environment variables, from the settings' fields."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from workers.docs.docstrings import attribute_docstrings


def setting_rows(settings: type[BaseSettings]) -> Iterator[str]:
    """Yield a row of a Markdown table for each setting, by name."""
    told = attribute_docstrings(settings)
    prefix = settings.model_config.get("env_prefix") or ""
    rows = {
        _variable(name, field, prefix): (field, told.get(name, "")) for name, field in settings.model_fields.items()
    }
    for variable, (field, meaning) in sorted(rows.items()):
        yield f"| `{variable}` | {_default(field)} | {meaning.replace('|', '/')} |"


def _variable(name: str, field: FieldInfo, prefix: str) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else f"{prefix}{name.upper()}"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is PydanticUndefined:
        return "required"
    if value in (None, "", (), frozenset()):
        return ""
    return f"`{value}`"
