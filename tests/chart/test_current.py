"""What is generated of the chart is what the generators write now."""

from pathlib import Path

import pytest

from tools.chart.__main__ import generated
from tools.chart.rendered import CHART, RENDERED, cases, head


@pytest.mark.parametrize("path", sorted(generated()), ids=lambda path: path.name)
def test_make_chart_files_would_change_nothing(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path]


@pytest.mark.parametrize("name", sorted(cases()))
def test_the_rendered_objects_are_of_this_chart(name: str) -> None:
    with (RENDERED / f"{name}.yaml").open(encoding="utf-8") as file:
        assert file.readline() == head(name), "make chart-rendered, which needs Helm"


def test_nothing_rendered_is_left_of_values_that_are_gone() -> None:
    assert {path.stem for path in RENDERED.glob("*.yaml")} == set(cases())


@pytest.mark.parametrize("preset", sorted((CHART / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_preset_is_rendered(preset: Path) -> None:
    assert preset.read_bytes() == (CHART / "ci" / f"{preset.stem}-values.yaml").read_bytes()
    assert f"presets/{preset.name}" in (CHART / "README.md").read_text(encoding="utf-8")
