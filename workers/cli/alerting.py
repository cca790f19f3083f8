"""The commands about alerts: ``alert`` asks what one asks, ``alerts`` prints what makes them exact."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.options import (
    BudgetOption,
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    NamespaceOption,
    ReplayOption,
    SysdumpOption,
    origin_of,
)
from workers.origin import Live
from workers.status import Status

ALERT = "alert"
ALERTS = "alerts"


class AlertOutput(StrEnum):
    """How cards are printed."""

    TEXT = "text"
    JSON = "json"


AlertOutputOption = Annotated[AlertOutput, typer.Option("--output", "-o", help="Form of the cards.")]


def add_alert_commands(app: typer.Typer) -> None:
    """Add ``alert`` and ``alerts`` to the command line."""
    about = "Read an alert as Alertmanager, Grafana, Slack or Kubernetes send it, and ask it."
    app.command(ALERT, help=about)(_triaging)
    app.add_typer(_alerts_app(), name=ALERTS)


def _triaging(
    file: Annotated[Path, typer.Argument(help="A webhook, a Slack message, an event, or lines of text; - is stdin.")],
    sysdump: SysdumpOption = None,
    replay: ReplayOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_namespace: NamespaceOption = None,
    output: AlertOutputOption = AlertOutput.TEXT,
    budget: BudgetOption = 10.0,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what it is read as, and look at nothing.")] = False,
) -> int:
    from workers.cli.alert import answer_cards, print_cards, read_cards

    cards, as_json = read_cards(file), output is AlertOutput.JSON
    if dry:
        print_cards(cards, as_json=as_json)
        return Status.FINE
    origin = origin_of(sysdump, replay, Live(context, kubeconfig, hubble_server, cilium_namespace))
    return answer_cards(cards, origin, budget, as_json=as_json)


def _alerts_app() -> typer.Typer:
    app = typer.Typer(help="What makes alerts exact.", no_args_is_help=True)

    @app.callback()
    def alerts() -> None:
        """What makes alerts exact."""

    @app.command("rules")
    def rules() -> None:
        """Print rules for Prometheus on Hubble's and Cilium's metrics, and a receiver for Alertmanager."""
        from handlers.alerts.rules import rules_and_receiver

        typer.echo(rules_and_receiver(), nl=False)

    return app
