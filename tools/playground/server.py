"""The server: one aiohttp application on loopback, run in the foreground or in a thread beside a test."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from tools.playground import (
    control,
    file_store,
    membership,
    origin,
    other_apps,
    page_feed,
    panel,
    person,
    response_url,
    shortcuts,
    web_api,
)
from tools.playground.impossible import NotPossible
from tools.playground.methods import apps, chat, conversations, files, reactions, users, views
from tools.playground.methods.files import dropped as dropped_file
from tools.playground.settings import PlaygroundSettings
from tools.playground.stand_in import StandIn
from tools.playground.workspace import Change, Channel, Json, Message, User

PAGE = Path(__file__).parent / "page"
MAX_REQUEST = 40 * 1024 * 1024
START_TIMEOUT = 10.0
VERIFY_PAUSE = 0.5
LOOK_AGAIN = 0.05
METHOD_FAMILIES = (apps, chat, conversations, files, reactions, users, views)

Result = TypeVar("Result")
Answer = Callable[[StandIn, web.Request], Awaitable[web.StreamResponse]]


def application(stand_in: StandIn) -> web.Application:
    """Return the application that serves ``stand_in``."""

    def bound(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        return partial(answer, stand_in)

    app = web.Application(middlewares=[origin.only_from_here], client_max_size=MAX_REQUEST)
    app.add_routes(
        [
            web.get("/api/{method}", bound(web_api.serve)),
            web.post("/api/{method}", bound(web_api.serve)),
            web.get("/link/", stand_in.socket_mode.handle),
            web.post("/actions/{team}/{token}", bound(response_url.serve)),
            web.post("/upload/v1/{file}", bound(file_store.upload)),
            web.put("/upload/v1/{file}", bound(file_store.upload)),
            web.get("/files-pri/{team}-{file}", bound(file_store.private)),
            web.get("/files-pri/{team}-{file}/download", bound(file_store.private)),
            web.get("/page/files/{file}", bound(file_store.shown)),
            web.get("/page/feed", bound(page_feed.serve)),
            web.get("/archives/{channel}/{message}", _archive),
            web.get("/", _index),
            *control.routes(stand_in),
            web.static("/page", PAGE),
        ]
    )
    return app


async def _index(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-store"})


async def _archive(request: web.Request) -> web.StreamResponse:
    thread = request.query.get("thread_ts", "")
    here = f"{request.match_info['channel']}/{request.match_info['message']}/{thread}"
    if not all(letter.isalnum() or letter in "/." for letter in here):
        raise web.HTTPNotFound
    raise web.HTTPFound(f"/#{here}")


class _Server:
    """A started server, inside its event loop."""

    def __init__(self, settings: PlaygroundSettings, clock: Callable[[], float]) -> None:
        self.stand_in = StandIn(settings, clock)
        self._runner = web.AppRunner(application(self.stand_in), access_log=None, shutdown_timeout=0.5)

    async def start(self, host: str, port: int) -> None:
        if not origin.is_loopback(host):
            raise ValueError("the playground has no locks: it listens on a loopback address only")
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0][1]
        self.stand_in.base_url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        if self.stand_in.settings.request_url:
            self.stand_in.delivery.spawn(self._keep_verifying(self.stand_in.settings.request_url))

    async def _keep_verifying(self, url: str) -> None:
        """The app may start after us: ask again until its URL answers the challenge."""
        while True:
            if await self.stand_in.delivery.use_request_url(url):
                return
            await asyncio.sleep(VERIFY_PAUSE)

    async def stop(self) -> None:
        await self.stand_in.delivery.close()
        await self.stand_in.socket_mode.close()
        await self._runner.cleanup()


async def run(
    *,
    host: str,
    port: int,
    settings: PlaygroundSettings | None = None,
    ready: Callable[[str], None],
) -> None:
    """Serve until cancelled; ``ready`` gets the address once it answers."""
    server = _Server(settings or PlaygroundSettings(), time.time)
    try:
        await server.start(host, port)
        ready(server.stand_in.base_url)
        await asyncio.Event().wait()
    finally:
        await server.stop()


class Playground:
    """A handle on a playground that runs in a thread: act as its people, look at what they see.

    Every method may be called from any thread. Users and channels are named by id or by name
    (``"ada"``, ``"#incident-42"``, ``"@cilium"`` for the user's direct message with the app).
    """

    def __init__(self, stand_in: StandIn, loop: asyncio.AbstractEventLoop) -> None:
        self._stand_in = stand_in
        self._loop = loop
        self._news = threading.Condition()
        self._version = 0
        self.stopped = False
        """Whether the server is gone."""
        stand_in.workspace.watch(self._noticed)

    @property
    def url(self) -> str:
        """The address of the page, such as ``http://127.0.0.1:43210``."""
        return self._stand_in.base_url

    @property
    def api_url(self) -> str:
        """The base of the Web API: the value for ``SLACK_API_URL``."""
        return f"{self.url}/api/"

    @property
    def settings(self) -> PlaygroundSettings:
        """Tokens, deadlines and limits in force."""
        return self._stand_in.settings

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which the bot finds the playground."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.settings.bot_token,
            "SLACK_APP_TOKEN": self.settings.app_token,
            "SLACK_SIGNING_SECRET": self.settings.signing_secret,
        }

    # -- acting as people -----------------------------------------------------------------------------------------

    def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        *,
        smart_quotes: bool = False,
        files: Mapping[str, bytes] | None = None,
    ) -> Json:
        """Type a message, in a thread if ``thread_ts`` is given, with files by name; returns it as posted."""

        def work() -> Json:
            speaker, place = self._place(user, channel)
            stand_in = self._stand_in
            dropped = [
                dropped_file(stand_in, speaker.id, place.id, name, content) for name, content in (files or {}).items()
            ]
            message = person.say(
                stand_in, speaker, place, text, thread_ts=thread_ts, smart_quotes=smart_quotes, files=dropped
            )
            return page_feed.shown_message(message)

        return self._call(work)

    def post_as_app(
        self,
        channel: str,
        name: str,
        text: str = "",
        *,
        attachments: list[Json] | None = None,
        blocks: list[Json] | None = None,
        thread_ts: str | None = None,
        as_user: bool = False,
    ) -> Json:
        """Let another app post: through an incoming webhook as Alertmanager does, or ``as_user``, its own bot.

        Returns the message.
        """

        def work() -> Json:
            stand_in, place = self._stand_in, self._channel(channel)
            attached, drawn = attachments or [], blocks or []
            posted = other_apps.post(
                stand_in, place, name, text, attachments=attached, blocks=drawn, thread_ts=thread_ts, as_user=as_user
            )
            return page_feed.shown_message(posted)

        return self._call(work)

    def edit_as_app(
        self, message: Json, text: str = "", *, attachments: list[Json] | None = None, blocks: list[Json] | None = None
    ) -> None:
        """Let the other app change its message, as one that says that an alert is resolved."""

        def work() -> None:
            found = self._message(message)
            other_apps.edit(self._stand_in, found, text=text, attachments=attachments or [], blocks=blocks or [])

        self._call(work)

    def create_channel(self, name: str, user: str = "ada", *, private: bool = False) -> str:
        """Create a channel that the app is not in; returns its id."""

        def work() -> str:
            made = membership.create(self._stand_in, person.find_user(self._stand_in, user), name, private=private)
            if made is None:
                raise NotPossible(f"a channel may not be called {name}")
            return made.id

        return self._call(work)

    def rename_channel(self, channel: str, name: str) -> None:
        """Rename a channel."""

        def work() -> None:
            if not membership.rename(self._stand_in, self._channel(channel), name):
                raise NotPossible(f"a channel may not be called {name}")

        self._call(work)

    def invite(self, channel: str, who: str = "cilium", user: str = "ada") -> None:
        """Add somebody to a channel, the app where nobody is named."""
        self._change_membership(membership.invite, channel, who, user)

    def remove(self, channel: str, who: str = "cilium", user: str = "ada") -> None:
        """Remove somebody from a channel, the app where nobody is named."""
        self._change_membership(membership.remove, channel, who, user)

    def _change_membership(self, act: membership.Act, channel: str, who: str, user: str) -> None:
        def work() -> None:
            by = person.find_user(self._stand_in, user)
            if membership.unknown(self._stand_in, self._channel(channel), by, [who], act):
                raise NotPossible(f"no such user: {who}")

        self._call(work)

    def shortcut(self, user: str, callback_id: str, message: Json | None = None) -> Json:
        """Use a shortcut on a message, or a global one; returns how the app acknowledged."""

        async def work() -> Json:
            found = None if message is None else self._message(message)
            who = person.find_user(self._stand_in, user)
            return control.receipt_json(await shortcuts.use(self._stand_in, who, callback_id, found))

        return self._run(work())

    def panel(self, kind: str, **asked: Any) -> Json:
        """Use the panel: ``fire``, ``storm`` or ``move`` (see ``tools.playground.panel``)."""

        async def work() -> Json:
            return await panel.ASKED[kind](self._stand_in, asked)

        return self._run(work())

    def suggestions(self, user: str, action_id: str, typed: str) -> list[Json]:
        """Type into an external menu of the modal that ``user`` has open; returns the options that the app offers."""

        async def work() -> list[Json]:
            who = person.find_user(self._stand_in, user)
            stack = self._stand_in.workspace.view_stack(who.id)
            if not stack:
                raise NotPossible("no modal is open")
            return await person.suggestions(self._stand_in, who, stack[-1], action_id, typed)

        return self._run(work())

    def command(self, user: str, channel: str, command: str, text: str = "") -> Json:
        """Run a slash command and wait for the acknowledgement: ``acknowledged``, ``reason``, ``payload``."""

        async def work() -> Json:
            speaker, place = self._place(user, channel)
            return control.receipt_json(await person.command(self._stand_in, speaker, place, command, text))

        return self._run(work())

    def click(
        self,
        message: Json,
        action_id: str,
        user: str = "ada",
        *,
        block_id: str | None = None,
        chosen: str | None = None,
    ) -> Json:
        """Use an element of a message; ``chosen`` is the value of the option in a menu."""

        async def work() -> Json:
            clicker, place = self._place(user, message["channel"])
            found = person.find_message(self._stand_in, place, message["ts"], clicker)
            receipt = await person.act(self._stand_in, clicker, found, action_id, block_id=block_id, chosen=chosen)
            return control.receipt_json(receipt)

        return self._run(work())

    def submit(self, user: str, values: dict[str, Any]) -> Json | None:
        """Submit the modal that ``user`` has open: values by block id. Returns errors by block id, or None."""

        async def work() -> Json | None:
            submitter = person.find_user(self._stand_in, user)
            stack = self._stand_in.workspace.view_stack(submitter.id)
            if not stack:
                raise NotPossible("no modal is open")
            return await person.submit(self._stand_in, submitter, stack[-1], values)

        return self._run(work())

    def edit(self, message: Json, text: str) -> None:
        """Edit a message as its author does."""

        def work() -> None:
            found = self._message(message)
            self._stand_in.edit(found, text=text, blocks=[], attachments=[], by=found.user or "")

        self._call(work)

    def trigger(self, user: str) -> str:
        """Return a trigger id as a click brings one: good for one modal, for three seconds."""
        return self._call(lambda: self._stand_in.new_trigger(person.find_user(self._stand_in, user).id))

    def response_url(self, user: str, channel: str) -> str:
        """Return an address as a slash command brings one: what is sent to it is shown to ``user`` there."""

        def work() -> str:
            asker, place = self._place(user, channel)
            return self._stand_in.response_url(self._stand_in.response_target(place.id, asker.id))

        return self._call(work)

    def react(self, message: Json, name: str, user: str = "ada") -> None:
        """Add or take back a reaction."""

        def work() -> None:
            reacting, place = self._place(user, message["channel"])
            found = person.find_message(self._stand_in, place, message["ts"], reacting)
            person.react(self._stand_in, reacting, found, name)

        self._call(work)

    def open_home(self, user: str) -> None:
        """Open the app's Home tab."""
        self._call(lambda: person.open_home(self._stand_in, person.find_user(self._stand_in, user), "home"))

    def click_in_home(self, user: str, action_id: str) -> Json:
        """Use an element of the app's Home tab as it was last shown to ``user``."""

        async def work() -> Json:
            clicker = person.find_user(self._stand_in, user)
            workspace = self._stand_in.workspace
            view = workspace.views[workspace.homes[clicker.id]]
            return control.receipt_json(await person.act_in_view(self._stand_in, clicker, view, action_id))

        return self._run(work())

    def _place(self, user: str, channel: str) -> tuple[User, Channel]:
        found = person.find_user(self._stand_in, user)
        return found, person.find_channel(self._stand_in, channel, found)

    def _channel(self, reference: str) -> Channel:
        found = self._stand_in.workspace.channel(reference)
        if found is None:
            raise NotPossible(f"no such channel: {reference}")
        return found

    def _message(self, shown: Json) -> Message:
        found = self._stand_in.workspace.find_message(shown["channel"], shown["ts"])
        if found is None:
            raise NotPossible("no such message")
        return found

    # -- looking --------------------------------------------------------------------------------------------------

    def messages(self, channel: str) -> list[Json]:
        """Return every message of a channel in order: replies and ephemeral ones (``only_for``) included."""

        return self._call(lambda: control.messages_of(self._stand_in, self._channel(channel).id))

    def replies(self, message: Json) -> list[Json]:
        """Return the thread below ``message``, without the message itself."""
        return [
            item
            for item in self.messages(message["channel"])
            if item["is_reply"] and item["thread_ts"] == message["ts"]
        ]

    def files(self) -> list[tuple[str, bytes]]:
        """Return name and content of every file that was shared."""
        known = self._stand_in.workspace.files
        return self._call(lambda: [(file.name, file.content) for file in known.values() if file.completed])

    def views(self, user: str) -> list[Json]:
        """Return the modals open for a user, the visible one last."""
        return self._call(
            lambda: page_feed.views(self._stand_in, person.find_user(self._stand_in, user)),
        )

    def home(self, user: str) -> Json | None:
        """Return the Home tab of a user."""
        return self._call(lambda: page_feed.home(self._stand_in, person.find_user(self._stand_in, user)))

    def statuses(self) -> list[Json]:
        """Return what the app says it is doing, by thread."""
        known = self._stand_in.workspace.thread_status
        return self._call(
            lambda: [{"channel": place, "thread_ts": thread, "status": said} for (place, thread), said in known.items()]
        )

    def deliveries(self) -> list[Json]:
        """Return every attempt to deliver something to the app."""
        return self._call(lambda: [attempt.to_json() for attempt in self._stand_in.delivery.log])

    def is_delivering(self) -> bool:
        """Whether an attempt to deliver something is under way."""
        return self._call(lambda: self._stand_in.delivery.under_way > 0)

    def calls(self, method: str | None = None) -> list[Json]:
        """Return the Web API calls that the app made."""
        return self._call(lambda: [call for call in self._stand_in.calls if method in (None, call["method"])])

    def connections(self) -> int:
        """Return how many Socket Mode connections are open."""
        return self._stand_in.socket_mode.connections

    def wait_for(self, predicate: Callable[[], Result | None], timeout: float = 5.0) -> Result:
        """Wait until ``predicate`` returns something true, and return that.

        It is asked after each change of the workspace, and a few times a second for what happens elsewhere.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._news:
                version = self._version
            found = predicate()
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not within {timeout} s; last deliveries: {self.deliveries()[-5:]}")
            with self._news:
                if self._version == version:
                    self._news.wait(min(left, LOOK_AGAIN))

    def wait_connected(self, connections: int = 1, timeout: float = 10.0) -> None:
        """Wait until the app has this many Socket Mode connections."""
        self.wait_for(lambda: self.connections() >= connections, timeout)

    # -- causing trouble ------------------------------------------------------------------------------------------

    def cause(self, **faults: Any) -> None:
        """Set faults, such as ``rate_limited={"chat.postMessage": 2}`` (see ``tools.playground.faults``)."""
        self._call(lambda: control.cause(self._stand_in, faults))

    def silence_sockets(self) -> int:
        """Let the app's websockets fall silent, open as they are; returns how many."""
        return self._call(self._stand_in.socket_mode.silence)

    def cut_sockets(self) -> int:
        """Break all Socket Mode connections; returns how many there were."""
        return self._call(self._stand_in.socket_mode.cut)

    def refresh_sockets(self) -> None:
        """Ask all Socket Mode connections to reconnect."""
        self._run(self._stand_in.socket_mode.refresh())

    def use_request_url(self, url: str | None) -> bool:
        """Deliver by signed HTTP to ``url`` if it answers the challenge; None goes back to Socket Mode."""
        return self._run(self._stand_in.delivery.use_request_url(url))

    def reset(self) -> None:
        """Forget messages, files, views, faults and logs."""
        self._call(self._stand_in.reset)

    # -- crossing threads -----------------------------------------------------------------------------------------

    def _noticed(self, change: Change) -> None:
        with self._news:
            self._version += 1
            self._news.notify_all()

    def _call(self, work: Callable[[], Result]) -> Result:
        async def wrapped() -> Result:
            return work()

        return self._run(wrapped())

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self.stopped:
            work.close()
            raise RuntimeError("the playground has stopped")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@contextlib.contextmanager
def running_playground(
    settings: PlaygroundSettings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], float] = time.time,
) -> Iterator[Playground]:
    """Run a playground in a thread, on a free port unless one is given, for the length of a ``with`` block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="playground", daemon=True)
    thread.start()

    async def start() -> _Server:
        server = _Server(settings or PlaygroundSettings(), clock)
        await server.start(host, port)
        return server

    try:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result(START_TIMEOUT)
        playground = Playground(server.stand_in, loop)
        try:
            yield playground
        finally:
            playground.stopped = True
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(START_TIMEOUT)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_TIMEOUT)
        loop.close()
