"""JSON on standard output."""

import json
from typing import Any

from bot.render.clean import in_json


def json_text(body: Any) -> str:
    """Return a value as JSON, ended by a newline; what would move a terminal's cursor stands there as an escape."""
    return in_json(json.dumps(body, indent=2, ensure_ascii=False)) + "\n"
