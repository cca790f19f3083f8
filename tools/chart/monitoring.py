"""The alerts and the dashboard of ``deploy/monitoring``, as files of the chart."""

from pathlib import Path

import yaml

_MONITORING = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"


def alerts_file() -> str:
    """Return ``files/alerts.yaml``: what stands below ``spec`` of the plain PrometheusRule."""
    rule = yaml.safe_load((_MONITORING / "prometheus-rule.yaml").read_text(encoding="utf-8"))
    return yaml.safe_dump(rule["spec"], sort_keys=False, width=1000)


def dashboard_file() -> str:
    """Return ``files/dashboard.json``."""
    return (_MONITORING / "dashboard.json").read_text(encoding="utf-8")
