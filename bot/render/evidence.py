"""Everything a report rests on, as files: for the engineer who wants to check, and for the one who applies a patch."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.render import reading
from bot.render.blocks import Message, code_pages, context, escape, message, section
from bot.render.clean import clean, one_line
from bot.render.text import plain
from handlers.model.finding import Evidence, Finding
from handlers.model.report import IdentityNote, Patch, Report


def evidence_text(report: Report, *, age: timedelta | None = None) -> str:
    """Return the whole report as text: every finding, every piece of evidence, every gap."""
    lines = [f"/cilium {one_line(report.title)}", "", plain(report, age=age), ""]
    lines += ["", f"FINDINGS ({len(report.findings)})"]
    for number, finding in enumerate(report.findings, start=1):
        lines += _finding(number, finding)
    lines += ["", f"IDENTITIES ({len(report.identities)})", *(f"  {identity_line(note)}" for note in report.identities)]
    budget = report.budget
    lines += ["", "NODES", f"  heard: {_names(budget.nodes_heard)}", f"  not heard: {_names(budget.nodes_silent)}"]
    lines += ["", f"GAPS ({len(report.gaps)})", *(f"  {one_line(reading.gap_in_words(gap))}" for gap in report.gaps)]
    for patch in report.patches:
        lines += ["", f"PATCH {one_line(patch.policy)}", patch_text(patch)]
    return "\n".join(lines) + "\n"


def patch_text(patch: Patch) -> str:
    """Return one patch as a manifest that ``kubectl apply -f`` takes, with what it does in comments above."""
    phrase, flows = reading.also_opens(patch)
    comments = [
        patch.title,
        f"{'adds' if patch.is_new else 'changes'} {reading.ref_in_words(patch.policy)}",
        *(f"proven: {check}" for check in patch.checks),
        f"{phrase}{':' if flows else ''}",
        *(f"  {flow}" for flow in flows),
        *([f"apply: {patch.command}"] if patch.command else []),
    ]
    diff = clean(patch.diff).rstrip("\n").split("\n") if patch.diff.strip() and not patch.is_new else []
    return "\n".join(
        [
            *(f"# {one_line(line)}" for line in comments),
            *(f"# {line}" for line in diff),
            clean(patch.manifest).rstrip("\n"),
        ]
    )


def patches_file(report: Report) -> str:
    """Return all patches as one YAML stream, ready to apply: they belong together."""
    return "\n---\n".join(patch_text(patch) for patch in report.patches) + "\n"


def file_as_message(title: str, content: str, why: str) -> Message:
    """Return a file's beginning as a message, and why it is no file: ``why`` is a sentence without its full stop."""
    pages = code_pages(content)
    note = f"{why}; this is {'all of it' if pages.whole else 'its beginning'}."
    return message([section(f"*{escape(title)}*"), *pages.blocks, context(escape(note))], f"{title}. {note}")


def identity_line(note: IdentityNote) -> str:
    """Return one identity in a line."""
    place = f" on {note.node}" if note.node else ""
    return one_line(f"{note.number}{place}: {_carriers(note)} [{', '.join(note.labels)}]")


def _carriers(note: IdentityNote) -> str:
    more = f" and {note.more} more" if note.more else ""
    return (", ".join(note.carriers) or "nobody now") + more


def _finding(number: int, finding: Finding) -> Iterator[str]:
    place = f" at {finding.hop.value}" if finding.hop else ""
    blocking = ", blocking" if finding.blocking else ""
    yield f"{number:3}. {finding.code} {finding.outcome.value}{place}{blocking}"
    yield f"     {one_line(finding.text)}"
    yield from (f"     assumes: {one_line(assumption)}" for assumption in finding.assumptions)
    if finding.advice:
        yield f"     do: {one_line(finding.advice)}"
    if finding.follow_up:
        yield f"     look closer: /cilium {one_line(finding.follow_up)}"
    for item in finding.evidence:
        yield from _evidence(item)


def _evidence(item: Evidence) -> Iterator[str]:
    at = f" at {reading.moment(item.at)}" if item.at else ""
    yield f"     - {one_line(item.source)}: {one_line(item.ref)} {one_line(item.pointer)}{at}".rstrip()
    if item.excerpt.strip():
        yield from (f"         {line}" for line in clean(item.excerpt).rstrip("\n").split("\n"))


def _names(names: Sequence[str]) -> str:
    return one_line(", ".join(names)) or "none"
