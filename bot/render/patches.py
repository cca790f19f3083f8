"""The patches of an answer as a message of their own, for who pressed the button."""

from collections.abc import Iterator

from bot.render import reading
from bot.render.blocks import Block, Message, bullets, clip, code, code_block, escape, message, section
from handlers.model.report import Patch, Report

MOST_PATCHES = 2
"""Patches shown in a message, a flow has two sides; the file has all."""


def patches_message(report: Report) -> Message:
    """Return what each patch changes, what else it opens, and how that was proven."""
    blocks = list(_patches(report))
    titles = "; ".join(patch.title for patch in report.patches)
    return message(blocks or [section("There is no patch.")], titles or "There is no patch.")


def _patches(report: Report) -> Iterator[Block]:
    shown = report.patches[:MOST_PATCHES]
    for number, patch in enumerate(shown, start=1):
        target = code(reading.ref_in_words(patch.policy))
        total = len(report.patches)
        # They belong together: the flow opens when all are applied.
        more = f" _({number} of {total}, apply all)_" if total > 1 else ""
        verb = "adds" if patch.is_new else "changes"
        body = (patch.manifest if patch.is_new else patch.diff) or patch.manifest
        yield section(
            f"*{clip(escape(patch.title), 300)}* — {verb} {target}{more}\n{code_block(body, 2_200 // len(shown))}"
        )
        yield section(_consequences(patch))


def _consequences(patch: Patch) -> str:
    phrase, flows = reading.also_opens(patch)
    sign = "" if patch.blast_radius_known and not flows else "⚠️ "
    lines = [f"{sign}*{clip(escape(phrase), 200)}{':' if flows else '.'}*"]
    if flows:
        lines.append(bullets([escape(flow) for flow in flows], most=6, limit=500, each=160, rest="see the file"))
    if patch.checks:
        lines.append(f"Proven: {clip(escape('; '.join(patch.checks)), 400)}")
    return "\n".join(lines)
