"""``python -m tools.pictures``: draw every scene on a phone and on a desk, and say how high each answer is."""

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.render.report import report_message
from tools.pictures.browser import Box, NoBrowserError, Page, browser_page
from tools.pictures.scenes import SCENES, Scene
from tools.playground.manifest import installed
from tools.playground.server import Playground, running_playground

FOLDER = Path("docs/pictures")
WIDTHS = (375, 1280)
"""CSS pixels: a phone, and a laptop."""
HIGHEST_BLOCKED = 600
"""CSS pixels that a blocked answer may take on a phone: one screen."""
_TALL = 16_000
_CHANNEL, _ASKER, _ASKER_ID = "#incident-42", "ada", "U0ADA00001"


_WHERE = """new Promise((found) => {
  const look = () => {
    const message = document.querySelector('article[data-ts="%s"]');
    if (!message) return setTimeout(look, 20);
    const { x, y, width, height } = message.getBoundingClientRect();
    found({ x, y, width, height });
  };
  look();
})"""
"""Waits for a message to be drawn, and says where."""


@dataclass(frozen=True, slots=True)
class _Picture:
    scene: Scene
    width: int
    height: float
    png: bytes


def main() -> int:
    """Write the pictures; return 1 where a blocked answer is too high, or there is no browser."""
    try:
        pictures = asyncio.run(_draw())
    except NoBrowserError as error:
        sys.stderr.write(f"No pictures: {error}\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    heights: dict[str, list[float]] = {}
    for picture in pictures:
        heights.setdefault(picture.scene.name, []).append(picture.height)
        (FOLDER / f"{picture.scene.name}-{picture.width}.png").write_bytes(picture.png)
    for name, (phone, desk) in heights.items():
        sys.stdout.write(f"{name:20} {phone:5.0f} px at {WIDTHS[0]}, {desk:5.0f} px at {WIDTHS[1]}\n")
    _write_page()
    too_high = [scene.name for scene in SCENES if scene.is_blocked and heights[scene.name][0] > HIGHEST_BLOCKED]
    if too_high:
        sys.stderr.write(f"Higher than {HIGHEST_BLOCKED} px on a phone: {', '.join(too_high)}\n")
    return 1 if too_high else 0


async def _draw() -> list[_Picture]:
    with running_playground(installed()) as playground:
        posted = {scene.name: _post(playground, scene) for scene in SCENES}
        async with browser_page() as page:
            pictures = []
            for width in WIDTHS:
                await page.open(playground.url, width, _TALL)
                pictures += [await _picture(page, scene, posted[scene.name], width) for scene in SCENES]
            return pictures


def _post(playground: Playground, scene: Scene) -> str:
    """Ask and answer in the channel as the bot would, and return the answer's time stamp."""
    shown = report_message(scene.report(), report_id="0123456789abcdef", asked_by=_ASKER_ID)
    playground.say(_ASKER, _CHANNEL, scene.question)
    answer = playground.post_as_app(_CHANNEL, "cilium-triage", shown.text, blocks=list(shown.blocks))
    return str(answer["ts"])


async def _picture(page: Page, scene: Scene, ts: str, width: int) -> _Picture:
    box = Box(**await page.value(_WHERE % ts))
    return _Picture(scene, width, box.height, await page.picture(box))


def _write_page() -> None:
    """List the pictures for who reads the docs."""
    (FOLDER / "README.md").write_text("\n".join(_lines(SCENES)) + "\n", encoding="utf-8")


def _lines(scenes: Iterable[Scene]) -> Iterable[str]:
    yield "# What answers look like"
    yield ""
    yield "Real answers about recorded clusters, drawn by `make pictures` on the playground's page: on a phone"
    yield f"({WIDTHS[0]} pixels) and on a laptop ({WIDTHS[1]}). It fails if a blocked answer is higher than"
    yield f"{HIGHEST_BLOCKED} pixels on the phone."
    for scene in scenes:
        yield ""
        yield f"## {scene.title}"
        yield ""
        yield f"`/cilium {scene.question}`"
        yield ""
        yield " ".join(f"![{scene.title}, {width} pixels wide]({scene.name}-{width}.png)" for width in WIDTHS)


if __name__ == "__main__":
    sys.exit(main())
