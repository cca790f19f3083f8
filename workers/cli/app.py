"""The commands of the terminal, generated from the table of subcommands."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.render.clean import clean, one_line
from handlers.alerts.alert import NotAnAlertError
from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import NotUnderstoodError
from workers.cli.alerting import ALERT, ALERTS, add_alert_commands
from workers.cli.ask import Choices, answer_in_terminal
from workers.cli.completion import SHELLS, Completed, script
from workers.cli.doctor import ABOUT_DOCTOR, DOCTOR, add_doctor_command
from workers.cli.dry_run import dry_run
from workers.cli.options import (
    BudgetOption,
    ContextOption,
    HubbleOption,
    KubeconfigOption,
    NamespaceOption,
    ReplayOption,
    SysdumpOption,
    VersionOption,
    origin_of,
)
from workers.cli.version import version_in_words
from workers.documents import UnreadableError, attached
from workers.origin import Live, NotOpenedError
from workers.status import Status

PROGRAM = "cilium-triage"
ASK = "ask"
POLICY = "policy"
REPORT = "report"
DIGEST = "digest"
WATCH = "watch"
COMPLETION = "completion"
"""Commands that are not questions of the table."""
_COMMANDS = (ASK, POLICY, REPORT, DIGEST, WATCH, ALERT, ALERTS, DOCTOR)
HELP = ("help", "-h", "--help")


class Output(StrEnum):
    """How the report is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SLACK = "slack"


Words = Annotated[list[str] | None, typer.Argument(help="The question, as after /cilium in Slack.", show_default=False)]
RecordOption = Annotated[
    Path | None, typer.Option("--record", help="Write everything that was read to FILE, redacted.", show_default=False)
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the answer.")]
FileOption = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", help="Policies or a contract that the question is about: a file, a folder, or -."),
]
BareNamesOption = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace of names without one.", show_default=False)
]
QuestionsArgument = Annotated[
    list[str] | None, typer.Argument(help="Questions, each as after /cilium; without any, the usual ones.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Write to FILE.md, .html, .zip or .json, for your eyes alone.", show_default=False),
]
ScopeArgument = Annotated[
    list[str] | None, typer.Argument(help="health,drops,lint of shop; without any, the usual ones.", show_default=False)
]
PreviousOption = Annotated[
    Path | None,
    typer.Option("--previous", help="What the last digest printed with --output json; - is stdin.", show_default=False),
]
ContractOption = Annotated[
    list[Path] | None,
    typer.Option("--contract", help="Reachability contracts that are checked too: a file or a folder."),
]
_DIGEST_IN_SHORT = "What differs since the last digest, worst first."
_ABOUT_DIGEST = """What differs since the last digest, worst first; one line where nothing does.

Usage: digest [SCOPE] [--previous FILE] [--contract FILE]

\b
Examples:
digest --output json > monday.json
digest --previous friday.json
digest health,drops,lint of shop --previous friday.json --output markdown"""
BeforeOption = Annotated[
    Path | None,
    typer.Option(
        "--before", help="A sysdump or a recording of before the change; without it, now.", show_default=False
    ),
]
_WATCH_IN_SHORT = "Did the fix work? Looks again until packets pass or time is up."
_ABOUT_WATCH = """Did the fix work? Looks again until packets pass or time is up, and says who changed what.

Usage: watch why A B [PORT] [10m] [--before DUMP]

\b
Examples:
watch why shop/frontend shop/cart 8080 10m
watch why shop/frontend shop/cart 8080 --before monday.zip --sysdump friday.zip

Status: 0 fixed, 1 still stopped, 2 cannot tell (yet)."""
_REPORT_IN_SHORT = "Several answers as one file for a ticket."
_ABOUT_REPORT = """Several answers as one file for a ticket, or for those who make Cilium.

Usage: report [QUESTION]... [--out FILE.md|FILE.html|FILE.zip]

\b
Examples:
report --out report.html
report health drops shop "why shop/frontend shop/cart 8080" --out report.zip"""
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what the words are read as, and look at nothing.")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Accepted as in Slack; a terminal keeps no answers.")]


def run(arguments: Sequence[str], catalogue: Catalogue = CATALOGUE) -> int:
    """Run one command line and return its exit status."""
    words = _with_command(arguments, catalogue)
    about = f"{words[0]} " if words[0] in (*catalogue.commands, *_COMMANDS) else ""
    try:
        app = build(catalogue, with_policy=words[0] in (POLICY, "--help"))
        status = app(words, prog_name=PROGRAM, standalone_mode=False)
    except typer.Exit as left:
        return left.exit_code
    except typer.Abort:
        return Status.INTERRUPTED
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    except NotUnderstoodError as error:
        _say_not_understood(error, about)
        return Status.USAGE
    except (NotOpenedError, UnreadableError, NotAnAlertError) as error:
        typer.echo(f"{PROGRAM}: {one_line(str(error))}", err=True)
        return Status.USAGE
    except typer.TyperException as error:
        typer.echo(f"{PROGRAM}: {clean(error.format_message())}\nTry '{PROGRAM} {about}--help'.", err=True)
        return Status.USAGE
    return int(status or 0)


def _with_command(arguments: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Take words that start with no subcommand for a plain sentence, and no words at all for a call for help."""
    if not arguments or arguments[0] in HELP:
        return [*arguments[1:2], "--help"]
    known = (*catalogue.commands, *_COMMANDS, COMPLETION)
    return list(arguments) if arguments[0] in known or arguments[0].startswith("-") else [ASK, *arguments]


def build(catalogue: Catalogue = CATALOGUE, *, with_policy: bool = False) -> typer.Typer:
    """Return the command line: a command per entry, ``ask`` for plain sentences, ``policy`` if wanted."""
    app = typer.Typer(
        name=PROGRAM,
        help="Answer why one workload of a Cilium cluster cannot reach another.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_about)
    for command in catalogue.commands.values():
        examples = "\b\nExamples:\n" + "\n".join(command.examples)
        text = "\n\n".join([command.summary, f"Usage: {command.usage}", examples])
        app.command(command.name, help=text, short_help=command.summary)(_asking(catalogue, command.name))
    app.command(ASK, help="Ask in a plain sentence: can shop/frontend reach shop/cart on 8080?")(_asking(catalogue, ""))
    app.command(REPORT, help=_ABOUT_REPORT, short_help="Several answers as one file for a ticket.")(
        _reporting(catalogue)
    )
    app.command(DIGEST, help=_ABOUT_DIGEST, short_help=_DIGEST_IN_SHORT)(_digesting(catalogue))
    app.command(WATCH, help=_ABOUT_WATCH, short_help=_WATCH_IN_SHORT)(_watching(catalogue))
    add_alert_commands(app)
    add_doctor_command(app)
    app.command(COMPLETION, help="Print the completion script of a shell: bash, zsh or fish.")(_completing(catalogue))
    if with_policy:
        from workers.policy_cli import app as policy

        app.add_typer(policy, name=POLICY)
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(version_in_words())
        raise typer.Exit


_VersionOption = Annotated[
    bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which release this is.")
]


def _about(version: _VersionOption = False) -> None:
    """Answer why one workload of a Cilium cluster cannot reach another."""


def _completing(catalogue: Catalogue) -> Callable[[str], None]:
    def completion(shell: Annotated[str, typer.Argument(help=f"One of {', '.join(SHELLS)}.")]) -> None:
        if shell not in SHELLS:
            raise typer.BadParameter(f"{shell} is none of {', '.join(SHELLS)}.")
        commands = [Completed(command.name, command.summary) for command in catalogue.commands.values()]
        commands += [Completed(ASK, "Ask in a plain sentence."), Completed(POLICY, "Evaluate policies.")]
        commands += [Completed(REPORT, _REPORT_IN_SHORT), Completed(DIGEST, _DIGEST_IN_SHORT)]
        commands += [Completed(WATCH, _WATCH_IN_SHORT)]
        commands += [Completed(ALERT, "Ask what an alert asks."), Completed(ALERTS, "Rules that make alerts exact.")]
        commands += [Completed(DOCTOR, ABOUT_DOCTOR)]
        asking = typer.main.get_command(build(catalogue)).commands[ASK]  # type: ignore[attr-defined]
        options = [Completed(flag, one.help or "") for one in asking.params for flag in one.opts if flag[:2] == "--"]
        typer.echo(script(shell, commands, options), nl=False)

    return completion


def _reporting(catalogue: Catalogue) -> Callable[..., int]:
    def report(
        questions: QuestionsArgument = None,
        out: OutOption = None,
        sysdump: SysdumpOption = None,
        replay: ReplayOption = None,
        context: ContextOption = None,
        kubeconfig: KubeconfigOption = None,
        hubble_server: HubbleOption = None,
        cilium_namespace: NamespaceOption = None,
        cilium_version: VersionOption = None,
        budget: BudgetOption = 10.0,
    ) -> int:
        from workers.cli.bundle import Written, questions_of, report_in_terminal

        asked = questions_of(questions or [], catalogue)
        origin = origin_of(sysdump, replay, Live(context, kubeconfig, hubble_server, cilium_namespace))
        return report_in_terminal(asked, origin, Written(out, budget, cilium_version), catalogue)

    return report


def _digesting(catalogue: Catalogue) -> Callable[..., int]:
    def digest(
        scope: ScopeArgument = None,
        previous: PreviousOption = None,
        contract: ContractOption = None,
        sysdump: SysdumpOption = None,
        replay: ReplayOption = None,
        context: ContextOption = None,
        kubeconfig: KubeconfigOption = None,
        hubble_server: HubbleOption = None,
        cilium_namespace: NamespaceOption = None,
        cilium_version: VersionOption = None,
        output: OutputOption = Output.TEXT,
        budget: BudgetOption = 10.0,
    ) -> int:
        from workers.cli.digest import Wanted, digest_in_terminal

        origin = origin_of(sysdump, replay, Live(context, kubeconfig, hubble_server, cilium_namespace))
        contracts = tuple(contract or ())
        wanted = Wanted(" ".join(scope or []), previous, contracts, output.value, budget, cilium_version)
        return digest_in_terminal(wanted, origin, catalogue)

    return digest


def _watching(catalogue: Catalogue) -> Callable[..., int]:
    def watch(
        words: Words = None,
        before: BeforeOption = None,
        sysdump: SysdumpOption = None,
        replay: ReplayOption = None,
        context: ContextOption = None,
        kubeconfig: KubeconfigOption = None,
        hubble_server: HubbleOption = None,
        cilium_namespace: NamespaceOption = None,
        budget: BudgetOption = 10.0,
    ) -> int:
        from bot.fixes.typed import USAGE, typed_watch
        from workers.cli.watch import watch_in_terminal

        typed = typed_watch(" ".join(words or []), catalogue)
        if typed.cluster:
            raise NotUnderstoodError("A terminal chooses the cluster by --context.", USAGE)
        origin = origin_of(sysdump, replay, Live(context, kubeconfig, hubble_server, cilium_namespace))
        return watch_in_terminal(typed.asked, typed.span, before, origin, budget=budget)

    return watch


def _asking(catalogue: Catalogue, name: str) -> Callable[..., int]:
    def ask(
        words: Words = None,
        sysdump: SysdumpOption = None,
        replay: ReplayOption = None,
        context: ContextOption = None,
        kubeconfig: KubeconfigOption = None,
        hubble_server: HubbleOption = None,
        cilium_namespace: NamespaceOption = None,
        cilium_version: VersionOption = None,
        record: RecordOption = None,
        output: OutputOption = Output.TEXT,
        budget: BudgetOption = 10.0,
        fresh: FreshOption = False,
        file: FileOption = None,
        namespace: BareNamesOption = None,
        dry: DryRunOption = False,
    ) -> int:
        flag = ["-n", namespace] if namespace else []
        text = " ".join([*([name] if name else []), *(words or []), *flag])
        # A time of day is read from now; an archive has a time of its own.
        now = None if sysdump or replay else datetime.now().astimezone()
        if dry:
            said, status = dry_run(text, attached(file or []), catalogue, as_json=output is Output.JSON, now=now)
            typer.echo(said, nl=False)
            return status
        asked = catalogue.understand(text, attached(file or []), now=now)
        origin = origin_of(sysdump, replay, Live(context, kubeconfig, hubble_server, cilium_namespace))
        return answer_in_terminal(asked, origin, Choices(output.value, budget, record, cilium_version), catalogue)

    return ask


def _say_not_understood(error: NotUnderstoodError, about: str) -> None:
    lines = [f"{PROGRAM}: {error.problem}"]
    lines += [f"usage: {PROGRAM} {error.usage}"] if error.usage else []
    lines += [f"Try '{PROGRAM} {about}--help'."]
    lines += ["Did you mean:", *(f"  {PROGRAM} {suggestion}" for suggestion in error.suggestions)] * bool(
        error.suggestions
    )
    sys.stderr.write(clean("\n".join(lines)) + "\n")
