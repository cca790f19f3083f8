"""A digest in words: its first line, and the whole as plain text and as Markdown."""

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.render.clean import in_markdown, one_line
from bot.render.columns import Row, drawn
from bot.render.table import lines_of, markdown_of
from handlers.digests.compare import Change, Digest, Kind
from handlers.model.table import Table

_LABEL = 10
_MOST_CAUSES = 10
_SHORT = 160


def opening(digest: Digest) -> str:
    """Return what a digest comes to in one line; where nothing differs it is the whole of it."""
    stand = _standing(digest)
    if digest.before is None:
        return f"First digest: {stand}"
    if digest.changes:
        counted = ((kind, sum(one.kind is kind for one in digest.changes)) for kind in Kind)
        told = ", ".join(f"{count} {kind}" for kind, count in counted if count)
        return f"{told} since {when(digest.before.at)}; {stand}"
    return f"Nothing changed since {when(digest.before.at)}; {stand}"


def _standing(digest: Digest) -> str:
    count = len(digest.problems)
    stand = f"{count} problem{'s stand' if count > 1 else ' stands'}" if count else "no problem stands"
    held = f", {len(digest.held)} of before could not be looked at" if digest.held else ""
    return f"{stand}{held}{'' if count or held or not digest.unread else ', as far as could be read'}"


def when(at: datetime) -> str:
    """Return a moment in the fewest words that tell it apart."""
    return at.astimezone(UTC).strftime("%a %Y-%m-%d %H:%M UTC")


def one_line_of(digest: Digest) -> str:
    """Return the digest of an unchanged cluster: one line, with what was not read counted."""
    unread = [one_line(str(told)) for told in digest.now.unread]
    more = f", and {len(unread) - 1} more" if unread[1:] else ""
    if not unread:
        return opening(digest)
    first = unread[0] if len(unread[0]) <= _SHORT else f"{unread[0][:_SHORT].rstrip()}…"
    return f"{opening(digest)}; not read: {first}{more}"


def brief(digest: Digest) -> str:
    """Return what a notification and a screen reader say: what it comes to, and each change."""
    return "\n".join(
        [opening(digest), *(f"{change.kind}: {one_line(str(change.sentence))}" for change in digest.changes)]
    )


def plain(digest: Digest, *, width: int = 0) -> str:
    """Return the digest as text: one line where nothing differs, else a line for each change and each that stands."""
    if digest.is_unchanged:
        return one_line_of(digest)
    rows = [Row("", opening(digest))]
    rows += [Row(_lead(str(change.kind)), _line(change)) for change in digest.changes]
    rows += [Row(_lead("stands"), _line(problem)) for problem in digest.problems if problem.kind is Kind.STANDS]
    rows += [
        Row(_lead("not read" if not number else ""), one_line(str(told))) for number, told in enumerate(digest.unread)
    ]
    if table := table_of(digest):
        rows += [Row("", f"\n{table.title}", kept=True), Row("", lines_of(table, width), kept=True), Row("", "")]
    rows += [Row(_lead("asked"), one_line(", ".join(digest.now.questions)))]
    rows += [Row(_lead("source"), one_line(f"{digest.now.source}, {when(digest.now.at)}"))]
    return drawn(rows, width)


def _lead(label: str) -> str:
    return f"  {label:<{_LABEL}}"


def _line(change: Change) -> str:
    return f"{one_line(str(change.sentence))}  [{one_line(change.question)}]"


def markdown(digest: Digest) -> str:
    """Return the digest as Markdown."""
    lines = [f"## {in_markdown(opening(digest))}", ""]
    shown = [*digest.changes, *(one for one in digest.problems if one.kind is Kind.STANDS)]
    lines += [line for change in shown for line in _md(change)]
    lines += [f"- **not read** {in_markdown(str(told))}" for told in digest.unread]
    if table := table_of(digest):
        lines += ["", f"**{table.title}**", "", markdown_of(table)]
    lines += ["", in_markdown(f"{', '.join(digest.now.questions)} · {digest.now.source}, {when(digest.now.at)}")]
    return "\n".join(lines) + "\n"


def _md(change: Change) -> Iterator[str]:
    question = one_line(change.question).replace("`", "'")
    yield f"- **{change.kind}** {in_markdown(str(change.sentence))} (`{question}`)"
    if change.advice and change.kind in (Kind.NEW, Kind.WORSE):
        yield f"  - {in_markdown(change.advice)}"


def table_of(digest: Digest) -> Table | None:
    """Return drops by cause, figures first: a phone shows no more of a table. None where nothing was dropped."""
    causes = digest.causes
    if not causes:
        return None
    rows = tuple((cause.now, cause.before, cause.name) for cause in causes[:_MOST_CAUSES])
    return Table("Drops by cause", ("packets", "before", "cause"), rows, left_out=max(0, len(causes) - _MOST_CAUSES))
