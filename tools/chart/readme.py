"""The chart's README: a head that is written by hand, and a row for each value, from the comments of its values."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.chart.settings import groups, variable

_KEY = re.compile(r"(?P<indent> *)(?P<key>\w+):(?P<rest>.*)")
_TELLS = "# -- "
_MARK = "<!-- Below this line: written by `make chart-files` from values.yaml and the settings. -->"


def readme(chart: Path) -> str:
    """Return the README: its head as it is, and what follows anew."""
    head = (chart / "README.md").read_text(encoding="utf-8").partition(_MARK)[0]
    rows = [f"| `{path}` | `{default}` | {meaning} |" for path, default, meaning in value_rows(chart / "values.yaml")]
    settings = [
        f"| `settings.{group}.{name}` | `{variable(name)}` |" for group, names in groups().items() for name in names
    ]
    table = ["## Values", "", "| value | default | meaning |", "|---|---|---|", *rows]
    listed = [
        "## Settings",
        "",
        "What each means: docs/settings.md.",
        "",
        "| value | variable |",
        "|---|---|",
        *settings,
    ]
    return head + "\n".join([_MARK, "", *table, "", *listed, ""])


def value_rows(values: Path) -> Iterator[tuple[str, str, str]]:
    """Yield path, default as JSON-like YAML, and meaning of each value that has a comment ``# -- …`` above it."""
    path: list[str] = []
    told: list[str] = []
    text_of_values = values.read_text(encoding="utf-8")
    defaults = yaml.load(text_of_values, yaml.CSafeLoader)
    for line in text_of_values.splitlines():
        text = line.strip()
        if text.startswith(_TELLS):
            told = [text.removeprefix(_TELLS)]
        elif text.startswith("# ") and told:
            told.append(text.removeprefix("# "))
        elif found := _KEY.match(line):
            path = [*path[: len(found["indent"]) // 2], found["key"]]
            if told:
                yield ".".join(path), _default(defaults, path), " ".join(told).replace("|", "\\|")
            told = []


def _default(defaults: Any, path: list[str]) -> str:
    value = defaults
    for key in path:
        value = value[key]
    return yaml.dump(value, Dumper=yaml.CSafeDumper, default_flow_style=True, width=1000).removesuffix("...\n").strip()
