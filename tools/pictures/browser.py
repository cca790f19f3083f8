"""A headless Chromium, driven by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol)."""

import asyncio
import base64
import contextlib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_START_TIMEOUT = 30.0
_LISTENING = re.compile(rb"DevTools listening on ws://[^:]+:(\d+)/")


class NoBrowserError(RuntimeError):
    """There is no Chromium, or it does not start; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is on the page, in CSS pixels."""

    x: float
    y: float
    width: float
    height: float


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def open(self, url: str, width: int, height: int) -> None:
        """Load a page in a window of this size."""
        await self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self._call("Page.navigate", url=url)

    async def value(self, script: str) -> Any:
        """Return what a script evaluates to, as JSON would say it; of a promise, what it comes to."""
        found = await self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return found["result"].get("value")

    async def picture(self, box: Box) -> bytes:
        """Return what is inside the box as PNG."""
        clip = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "scale": 1}
        taken = await self._call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer: dict[str, Any] = await self._socket.receive_json(timeout=_START_TIMEOUT)
            if answer.get("id") == number:
                if "error" in answer:
                    raise NoBrowserError(f"the browser refuses {method}: {answer['error'].get('message')}")
                return dict(answer["result"])


@contextlib.asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    """Give a page of a browser that ends with the block.

    Raises:
        NoBrowserError: if there is no browser, or it does not start.
    """
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise NoBrowserError("there is no Chromium here: apt-get install chromium, or name one in CHROMIUM")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program,
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
            *("--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            port = await _port(process)
            async with aiohttp.ClientSession(trust_env=False) as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    address = next(one["webSocketDebuggerUrl"] for one in await answer.json() if one["type"] == "page")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    """Read from the browser's log the port that it has chosen."""
    assert process.stderr is not None  # noqa: S101  (it was asked for)
    try:
        async with asyncio.timeout(_START_TIMEOUT):
            async for line in process.stderr:
                if found := _LISTENING.search(line):
                    return int(found[1])
    except TimeoutError as error:
        raise NoBrowserError("Chromium did not open its debugging port in time") from error
    raise NoBrowserError("Chromium ended at once: does it run here at all?")
