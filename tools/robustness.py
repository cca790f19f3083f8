"""The tables of docs/robustness.md: each part is written by one command, between its marks."""

import re
from pathlib import Path

PAGE = Path("docs/robustness.md")


def write(part: str, text: str) -> None:
    """Put text in the place of what a part of the page held.

    Raises:
        ValueError: if the page has no such part.
    """
    page = PAGE.read_text("utf-8")
    marks = rf"(?s)(<!-- {part} -->\n).*?(<!-- end of {part} -->)"
    if not re.search(marks, page):
        raise ValueError(f"{PAGE} has no part {part}")
    PAGE.write_text(re.sub(marks, lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page), "utf-8")


def table(titles: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
