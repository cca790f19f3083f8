"""Links in the documentation lead to files that are there and to headings that they have; the site has every page."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.mkdocs_hook import outwards

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path for where in ("*.md", "docs/**/*.md", "deploy/**/*.md", ".github/**/*.md") for path in ROOT.glob(where)
)
_FENCE = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2`*\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?[^)]*\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors that GitHub gives a page: headings in lower case, without marks, dashes for blanks."""
    made: list[str] = []
    for heading in _HEADING.findall(_FENCE.sub("", path.read_text(encoding="utf-8"))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        again = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", one) is not None for one in made)
        made.append(f"{anchor}-{again}" if again else anchor)
    return frozenset(made)


def dead(path: Path) -> list[str]:
    """The links of a page that lead nowhere in the repository."""
    text = _CODE.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))
    found = []
    for link in _LINK.findall(text):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (path.parent / target).resolve() if target else path
        is_there = file.exists() and file.is_relative_to(ROOT)
        if not is_there or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert dead(page) == []


@pytest.mark.parametrize("link", ["no-such.md", "README.md#no-such-heading", "../../outside"])
def test_a_dead_link_is_noticed(tmp_path: Path, link: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"[here]({link}), `[code](skipped.md)`\n\n```\n[also](skipped.md)\n```\n", encoding="utf-8")
    assert dead(page) == [link]


def _listed(entry: Any) -> list[str]:
    match entry:
        case str():
            return [entry]
        case dict():
            return [one for value in entry.values() for one in _listed(value)]
        case _:
            return [one for value in entry for one in _listed(value)]


def test_the_site_lists_every_page_once() -> None:
    nav = _listed(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert sorted(nav) == sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize(
    ("link", "with_repository", "without"),
    [
        ("[it](../deploy/x.yaml)", "[it](https://example.org/r/blob/main/deploy/x.yaml)", "it"),
        ("[it](../README.md#top)", "[it](https://example.org/r/blob/main/README.md#top)", "it"),
        ("[it](policy.md#versions)", "[it](policy.md#versions)", "[it](policy.md#versions)"),
    ],
    ids=["a file", "a heading", "a page of the site"],
)
def test_the_site_leads_out_of_it_to_the_repository(link: str, with_repository: str, without: str) -> None:
    assert outwards(link, "docs/", "https://example.org/r") == with_repository
    assert outwards(link, "docs/", "") == without
