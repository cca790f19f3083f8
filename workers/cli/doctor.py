"""``doctor``: look at a setup, and say of everything that is not as it should be what to do about it."""

from enum import StrEnum
from typing import Annotated

import typer

from workers.cli.options import ContextOption, HubbleOption, KubeconfigOption, NamespaceOption
from workers.origin import Live
from workers.status import Status

DOCTOR = "doctor"
ABOUT_DOCTOR = "Check a setup: API, rights, agents, relay, versions, clocks; Redis and Slack where they are configured."


class DoctorOutput(StrEnum):
    """How checks are printed."""

    TEXT = "text"
    JSON = "json"


def add_doctor_command(app: typer.Typer) -> None:
    """Add ``doctor`` to the command line."""
    app.command(DOCTOR, help=ABOUT_DOCTOR)(_doctor)


def _doctor(
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
    hubble_server: HubbleOption = None,
    cilium_namespace: NamespaceOption = None,
    output: Annotated[DoctorOutput, typer.Option("--output", "-o", help="Form of the checks.")] = DoctorOutput.TEXT,
) -> int:
    from handlers.doctor.check import Check, Standing, standing_of
    from workers.cli.json_text import json_text
    from workers.doctor.setup import checks_json, checks_of, last_lines, lines_of

    as_json = output is DoctorOutput.JSON
    checks: list[Check] = []
    for check in checks_of(Live(context, kubeconfig, hubble_server, cilium_namespace)):
        checks.append(check)
        if not as_json:
            typer.echo(lines_of(check))
    told = [json_text(checks_json(checks)).rstrip()] if as_json else last_lines(checks)
    typer.echo("\n".join(told))
    of = {Standing.FINE: Status.FINE, Standing.PROBLEM: Status.PROBLEM, Standing.UNKNOWN: Status.UNKNOWN}
    return of[standing_of(checks)]
