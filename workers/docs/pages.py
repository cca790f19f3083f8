"""Every generated page, by file name."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import bot.settings
import workers.cli.dry_run
import workers.settings
from bot.metrics import METRICS
from handlers.alerts.known import KNOWN
from handlers.catalogue import CATALOGUE
from handlers.commands.command import Command
from handlers.model.finding import Code
from handlers.probes.probe import OF_EVERY_PROBE, Probe
from workers.cli.bundle import USUAL
from workers.docs.alerts import alerts_page
from workers.docs.docstrings import plain
from workers.docs.metrics import metrics_page
from workers.docs.schema import report_schema
from workers.docs.settings import setting_rows

_NO_REMEDY = "nothing, unless the finding itself says what: it tells how things are."
_GENERATED = "<!-- Written by `make docs` from the declarations in the code: change them, not this page. -->"


def pages() -> dict[str, str]:
    """Return the text of each page."""
    return {
        "commands.md": commands_page(CATALOGUE.commands.values()),
        "codes.md": codes_page(CATALOGUE.codes.values(), CATALOGUE.probes),
        "alerts.md": _page(*alerts_page(KNOWN)),
        "settings.md": settings_page(),
        "metrics.md": _page(*metrics_page(METRICS)),
        "report-schema.json": json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n",
    }


def commands_page(commands: Iterable[Command]) -> str:
    """Return the page about every subcommand, in Slack and in the terminal."""
    return _page(
        "# Commands",
        "Each of them works in Slack as `/cilium NAME ...`, as a mention of the bot, and in a terminal as"
        " `cilium-triage NAME ...`. Add `fresh` for an answer that is not from the cache.",
        "Plain sentences are understood as well, in English, German, French and Spanish, by who does what to whom:"
        " `shop/cart is unreachable for shop/loadgen` is `why shop/loadgen shop/cart`. What can be read in several ways"
        " is asked back, and so is every word that may matter and means nothing. In a thread, half a question is read"
        ' from the one above it: `and on 9090?`; "it" is one of its ends. In a terminal that looks at a live cluster,'
        " `since 14:05` counts from now in the local time zone; elsewhere a time of day is asked back.",
        *(line for command in sorted(commands, key=lambda one: one.name) for line in _command(command)),
        *_report(),
        "## What a sentence is read as",
        "`cilium-triage ask --dry-run SENTENCE` looks at no cluster and says what the words are read as; so does"
        " `--dry-run` with every subcommand. With `--output json`:",
        (workers.cli.dry_run.__doc__ or "").partition("there:\n\n")[2].replace("``", "`"),
    )


def _report() -> Iterator[str]:
    yield "## report"
    yield (
        "Several answers as files for a ticket, or for those who make Cilium: the verdicts in a list, each answer in"
        " full, what it rests on, what ran, and what could not be read; without what looks like a secret."
    )
    yield "```\n/cilium report\ncilium-triage report [QUESTION]... [--out FILE.md|FILE.html|FILE.zip|FILE.json]\n```"
    yield (
        "In Slack it takes the answers that stand in the thread (of a slash command: in the channel) of the last day,"
        " and gives `report.md` and `report.zip`. In a terminal it asks the questions that are named, by default"
        f" {', '.join(f'`{name}`' for name in USUAL)}; the file is for your eyes alone (mode 0600), and the exit status"
        " is that of the worst answer."
    )
    yield 'Examples:\n\n- `report --out report.html`\n- `report health drops shop "why shop/frontend shop/cart 8080"`'


def _command(command: Command) -> Iterator[str]:
    yield f"## {command.name}"
    yield command.summary
    yield f"```\n/cilium {command.usage}\n```"
    yield "Examples:\n\n" + "\n".join(f"- `{example}`" for example in command.examples)
    facts = [f"Who may ask: {command.role}."]
    seconds = int(command.keep.total_seconds())
    facts.append(f"An answer is kept for {seconds} s." if seconds else "An answer is never kept.")
    yield " ".join(facts)


def codes_page(codes: Iterable[Code], probes: Iterable[Probe]) -> str:
    """Return the page about every explanation code, with the check that says it."""
    by_code: dict[str, list[Probe]] = {}
    for probe in probes:
        for code in probe.codes:
            by_code.setdefault(code.name, []).append(probe)
    return _page(
        "# Explanation codes",
        "Every finding carries one of these codes. Codes are stable, texts are not: scripts should look at codes.",
        *(line for code in sorted(codes, key=lambda one: one.name) for line in _code(code, by_code.get(code.name, []))),
    )


def _code(code: Code, probes: list[Probe]) -> Iterator[str]:
    yield f"## {code.name}"
    yield f"**Cause:** {code.meaning}"
    yield f"> {code.lead} {code.template}" if code.lead else f"> {code.template}"
    yield f"**Evidence:** {_evidence(code, probes)}."
    yield f"**Remedy:** {code.advice or _NO_REMEDY}"
    for probe in probes:
        hop = f" at hop `{probe.hop}`" if probe.hop else ""
        blocks = ", which decides whether traffic passes" if probe.blocking else ""
        yield f"Said by the check `{probe.name}`{hop}{blocks}. Its claim: {probe.healthy}"


def _evidence(code: Code, probes: list[Probe]) -> str:
    """Return what a finding of this code is made of: the parts of the cluster that its checks read."""
    if code in OF_EVERY_PROBE:
        return "what the check that says it would have read"
    needed = {part.in_words for probe in probes for part in probe.needs}
    used = {part.in_words for probe in probes for part in probe.uses} - needed
    told = [", ".join(sorted(needed)), f"where they were read, {', '.join(sorted(used))}" if used else ""]
    return "; ".join(filter(None, told))


def settings_page() -> str:
    """Return the page about every environment variable."""
    head = "| variable | default | meaning |\n|---|---|---|\n"
    return _page(
        "# Settings",
        "Everything is set by environment variables. A variable that is missing or wrong ends the process with a line"
        " that names it.",
        "## Web process",
        plain(bot.settings.Settings.__doc__ or ""),
        head + "\n".join(setting_rows(bot.settings.Settings)),
        "## Worker and scheduler",
        plain(workers.settings.WorkerSettings.__doc__ or ""),
        head + "\n".join(setting_rows(workers.settings.WorkerSettings)),
        "The worker also reads `KUBECONFIG` and the variables of the hubble CLI: `HUBBLE_SERVER`, `HUBBLE_TLS`,"
        " `HUBBLE_TLS_SERVER_NAME`, `HUBBLE_TLS_CA_CERT_FILES`, `HUBBLE_TLS_CLIENT_CERT_FILE` and"
        " `HUBBLE_TLS_CLIENT_KEY_FILE`.",
    )


def _page(*paragraphs: str) -> str:
    return "\n\n".join([_GENERATED, *(paragraph.strip() for paragraph in paragraphs)]) + "\n"


def stale_pages(directory: Path) -> list[str]:
    """Return the names of the pages in ``directory`` that differ from what the declarations give."""
    return [name for name, text in pages().items() if _read(directory / name) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
