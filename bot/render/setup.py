"""What is not as it should be in the setup, as lines of Slack's markup."""

from collections.abc import Mapping, Sequence

from bot.render.blocks import escape
from handlers.doctor.check import Check, Standing

_MOST, _LONGEST = 8, 300


def setup_lines(found: Mapping[str, Sequence[Check]]) -> list[str]:
    """Return a line for each problem that a process found, with what to do; then for what it could not tell."""
    rows = [
        (check.standing, f"*{escape(process)}* · {escape(_cut(str(check)))}{_remedy(check)}")
        for process, checks in found.items()
        for check in checks
        if check.standing is not Standing.FINE
    ]
    ordered = [line for standing, line in sorted(rows, key=lambda row: row[0] is not Standing.PROBLEM)]
    more = len(ordered) - _MOST
    return [*ordered[:_MOST], *([f"{more} more: `cilium-triage doctor` tells them"] if more > 0 else [])]


def _remedy(check: Check) -> str:
    return f" → {escape(_cut(check.remedy))}" if check.remedy else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
