"""A hook of MkDocs: anchors are those of GitHub, and what lies outside of ``docs`` is linked where it is kept.

``SITE_REPOSITORY`` is the address of the repository; without it such a link is its text alone.
"""

import os
import posixpath
import re
from typing import Any

_OUTWARDS = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")
_BRANCH = "main"


def on_config(config: Any) -> Any:
    """Make anchors as GitHub does, so that one link is good on both."""
    from pymdownx.slugs import slugify  # only where the site is built

    config.mdx_configs.setdefault("toc", {})["slugify"] = slugify(case="lower")
    return config


def on_page_markdown(markdown: str, *, page: Any, **_others: Any) -> str:
    """Link what the site does not hold to the repository."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))
    return outwards(markdown, folder, os.environ.get("SITE_REPOSITORY", ""))


def outwards(markdown: str, folder: str, repository: str) -> str:
    """Return the text of a page in ``folder`` with its links out of ``docs`` led to the repository, or taken off."""

    def led(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        if path.startswith("docs/"):
            return link[0]
        return f"[{link[1]}]({repository}/blob/{_BRANCH}/{path}{link[3] or ''})" if repository else link[1]

    return _OUTWARDS.sub(led, markdown)
