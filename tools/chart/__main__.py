"""Write the generated files of the Helm chart, or check them with Helm.

``python -m tools.chart files`` writes rights, schema, README, alerts and dashboard from what they are made of;
``rendered`` asks Helm for what the tests read; ``check`` says which of them all is not current, and whether Helm
refuses what it should.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tools.chart.monitoring import alerts_file, dashboard_file
from tools.chart.readme import readme
from tools.chart.rendered import CHART, RENDERED, cases, render
from tools.chart.rights import rights_file
from tools.chart.schema import schema_file

HELM = os.environ.get("HELM", "helm")


@cache
def generated() -> dict[Path, str]:
    """Return what the generated files of the chart should hold."""
    return {
        CHART / "files" / "rights.yaml": rights_file(),
        CHART / "files" / "alerts.yaml": alerts_file(),
        CHART / "files" / "dashboard.json": dashboard_file(),
        CHART / "values.schema.json": schema_file(),
        CHART / "README.md": readme(CHART),
    }


def rendered() -> dict[Path, str]:
    """Return what the rendered files of the tests should hold."""
    return {RENDERED / f"{name}.yaml": render(HELM, name, values) for name, values in cases().items()}


def refused() -> Iterator[str]:
    """Yield the name of each file of ``ci/refused`` that Helm takes all the same."""
    for values in sorted((CHART / "ci" / "refused").glob("*.yaml")):
        try:
            render(HELM, values.stem, values)
        except subprocess.CalledProcessError:
            continue
        yield values.name


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; 1 where something is not as it should be."""
    (asked,) = arguments or ("check",)
    wanted = {**(generated() if asked != "rendered" else {}), **(rendered() if asked != "files" else {})}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if asked != "check":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        sys.stdout.write(f"{path} {'is not current: make chart-rendered' if asked == 'check' else 'written'}\n")
    taken = [] if asked != "check" else list(refused())
    sys.stdout.writelines(f"{name} is refused by nothing\n" for name in taken)
    return 1 if asked == "check" and (stale or taken) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
