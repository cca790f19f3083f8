"""``python -m tools.pictures``: draw every scene on a phone and on a desk, and say how high each answer is."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slack_sdk import WebClient

from bot.render.blocks import Message
from bot.render.report import report_message
from tools.pictures.browser import Box, NoBrowserError, Page, browser_page
from tools.pictures.faults import Faults
from tools.pictures.messages import Shown, shown
from tools.pictures.scenes import SCENES, Scene
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.playground.server import Playground, running_playground
from tools.playground.settings import PlaygroundSettings

FOLDER = Path("docs/pictures")
WIDTHS = (375, 1280)
"""CSS pixels: a phone, and a laptop."""
HIGHEST_BLOCKED = 640
"""CSS pixels that a blocked answer may take on a phone: one screen, of which one that is 375 wide has 667."""
_TALL, _SCREEN = 16_000, 812
_CHANNEL, _ASKER, _ASKER_ID = "#incident-42", "ada", "U0ADA00001"


_LOOK = """new Promise((found) => {
  const look = () => {
    const drawn = document.querySelector(%s);
    if (!drawn) return setTimeout(look, 20);
    const { x, y, width, height } = drawn.getBoundingClientRect();
    if (!height) return setTimeout(look, 20);
    found({ x, y, width, height });
  };
  look();
})"""
"""Waits for something to be drawn, and says where."""
_OPEN_HOME = """new Promise((found) => {
  const look = () => {
    const entry = [...document.querySelectorAll('.entry')].find((one) => one.textContent.startsWith('cilium'));
    if (!entry) return setTimeout(look, 20);
    entry.click();
    document.querySelector('[role=tab]').click();
    found(true);
  };
  look();
})"""
_OPEN_PANEL = """new Promise((found) => {
  const look = () => {
    if (!document.querySelector('.entry')) return setTimeout(look, 20);
    document.querySelector('#show-panel').click();
    found(true);
  };
  look();
})"""
_PANEL, _PANEL_TITLE = ".panel", "The panel of the playground"
_MESSAGE, _HOME, _MODAL = 'article[data-ts="{}"]', ".home", "#modal[open]"


@dataclass(frozen=True, slots=True)
class _Picture:
    name: str
    width: int
    height: float
    png: bytes


def main() -> int:
    """Write the pictures; return 1 where a blocked answer is too high, or there is no browser."""
    try:
        pictures, said = asyncio.run(_draw())
    except NoBrowserError as error:
        sys.stderr.write(f"No pictures: {error}\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    heights: dict[str, list[float]] = {}
    for picture in pictures:
        heights.setdefault(picture.name, []).append(picture.height)
        (FOLDER / f"{picture.name}-{picture.width}.png").write_bytes(picture.png)
    for name, (phone, desk) in heights.items():
        sys.stdout.write(f"{name:20} {phone:5.0f} px at {WIDTHS[0]}, {desk:5.0f} px at {WIDTHS[1]}\n")
    _write_page(said)
    too_high = [scene.name for scene in SCENES if scene.is_blocked and heights[scene.name][0] > HIGHEST_BLOCKED]
    if too_high:
        sys.stderr.write(f"Higher than {HIGHEST_BLOCKED} px on a phone: {', '.join(too_high)}\n")
    return 1 if too_high else 0


async def _draw() -> tuple[list[_Picture], list[Shown]]:
    with tempfile.TemporaryDirectory() as folder, running_playground(_settings(Path(folder))) as playground:
        client = WebClient(playground.settings.bot_token, base_url=playground.api_url)
        said = list(shown(Faults(Path(folder))))
        posted = [(scene.name, _answered(playground, client, scene)) for scene in SCENES]
        posted += [(one.name, _told(playground, client, one, message)) for one in said if (message := one.message)]
        pictures = []
        async with browser_page() as page:
            for width in WIDTHS:
                await page.open(playground.url, width, _TALL)
                pictures += [await _picture(page, name, _MESSAGE.format(ts), width) for name, ts in posted]
            for width in WIDTHS:
                await page.open(playground.url, width, _SCREEN)
                await page.value(_OPEN_PANEL)
                pictures.append(await _picture(page, "panel", _PANEL, width))
            for one in said:
                if view := one.view:
                    pictures += [await _view(page, playground, client, one.name, view, width) for width in WIDTHS]
        return pictures, said


def _settings(folder: Path) -> PlaygroundSettings:
    """Return a playground that takes posts as fast as they come, and looks as it does with the processes of an app."""
    return installed(
        rates=RateLimits(enforced=False), alerts_url="http://127.0.0.1:3000/alerts", clock_file=folder / "clock"
    )


def _answered(playground: Playground, client: WebClient, scene: Scene) -> str:
    """Ask and answer in the channel as the bot would, and return the answer's time stamp."""
    playground.say(_ASKER, _CHANNEL, scene.question)
    return _posted(client, report_message(scene.report(), report_id="0123456789abcdef", asked_by=_ASKER_ID))


def _posted(client: WebClient, message: Message) -> str:
    return str(client.chat_postMessage(channel=_CHANNEL, text=message.text, blocks=list(message.blocks))["ts"])


def _told(playground: Playground, client: WebClient, one: Shown, message: Message) -> str:
    """Let the bot say something by itself, below a title of somebody else: so it stands in no row with what it said."""
    playground.say(_ASKER, _CHANNEL, one.title)
    return _posted(client, message)


async def _view(
    page: Page, playground: Playground, client: WebClient, name: str, view: dict[str, Any], width: int
) -> _Picture:
    """Draw App Home, or a modal over the page."""
    if view["type"] == "home":
        client.views_publish(user_id=_ASKER_ID, view=view)
        await page.open(playground.url, width, _TALL)
        await page.value(_OPEN_HOME)
        return await _picture(page, name, _HOME, width)
    await page.open(playground.url, width, _SCREEN)
    client.views_open(trigger_id=playground.trigger(_ASKER), view=view)
    return await _picture(page, name, _MODAL, width)


async def _picture(page: Page, name: str, selector: str, width: int) -> _Picture:
    box = Box(**await page.value(_LOOK % json.dumps(selector)))
    return _Picture(name, width, box.height, await page.picture(box))


def _write_page(said: Iterable[Shown]) -> None:
    """List the pictures for who reads the docs."""
    (FOLDER / "README.md").write_text("\n".join(_lines(SCENES, said)) + "\n", encoding="utf-8")


def _lines(scenes: Iterable[Scene], said: Iterable[Shown]) -> Iterable[str]:
    yield "# What answers look like"
    yield ""
    yield "Real answers about recorded clusters, drawn by `make pictures` on the playground's page: on a phone"
    yield f"({WIDTHS[0]} pixels) and on a laptop ({WIDTHS[1]}). It fails if a blocked answer is higher than"
    yield f"{HIGHEST_BLOCKED} pixels on the phone."
    for scene in scenes:
        yield from _entry(scene.name, scene.title, f"`/cilium {scene.question}`")
    yield ""
    yield "# What comes by itself, and where questions begin"
    for one in said:
        yield from _entry(one.name, one.title, one.about)
    yield from _entry("panel", _PANEL_TITLE, "`make playground`, *Alerts & clock*: fires alerts and moves the clock.")


def _entry(name: str, title: str, about: str) -> Iterable[str]:
    yield from ("", f"## {title}", "", about, "")
    yield " ".join(f"![{title}, {width} pixels wide]({name}-{width}.png)" for width in WIDTHS)


if __name__ == "__main__":
    sys.exit(main())
