"""The page's feed, who may use it, and the control API."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk import WebClient

from tools.playground.server import PAGE, Playground, running_playground

CHANNEL = "C0INCIDENT"
REBOUND = {"Host": "evil.example:80"}
FOREIGN = {"Origin": "http://evil.example"}
NEIGHBOUR = {"Origin": "http://127.0.0.1:1"}
EMBEDDED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}


class Feed:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0

    async def do(self, **request: Any) -> dict[str, Any]:
        self._asked += 1
        await self._socket.send_json(request | {"token": self._asked})
        while (done := await self.next("done"))["token"] != self._asked:
            pass
        return done

    async def next(self, kind: str) -> dict[str, Any]:
        while True:
            update: dict[str, Any] = await self._socket.receive_json(timeout=5)
            if update["type"] == kind:
                return update


async def test_a_person_types_and_everybody_sees_it(playground: Playground) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{playground.url}/page/feed") as socket:
        feed = Feed(socket)
        state = await feed.next("state")
        assert (state["me"], len(state["channels"]), state["messages"]) == ("U0ADA00001", 4, [])
        await socket.send_json({"do": "type", "channel": CHANNEL, "text": "<b>hello</b> @cilium"})
        posted = (await feed.next("posted"))["message"]
        assert (posted["user"], posted["text"]) == ("U0ADA00001", "&lt;b&gt;hello&lt;/b&gt; <@U0CILIUM01>")
        assert "problem" in await feed.do(do="type", channel="C404", text="x")
        assert "problem" in await feed.do(do="explode")


async def test_a_command_from_the_page_reaches_the_app_and_failure_is_told(playground: Playground) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{playground.url}/page/feed") as socket:
        feed = Feed(socket)
        await socket.send_json({"do": "type", "channel": CHANNEL, "text": "/cilium why a b"})
        told = (await feed.next("posted"))["message"]
        assert told["text"] == '/cilium failed with the error "dispatch_failed"'


async def test_ephemeral_messages_and_direct_messages_reach_their_reader_only(
    playground: Playground, client: WebClient
) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{playground.url}/page/feed") as socket:
        feed = Feed(socket)
        await feed.do(do="become", user="U0GRACE001")
        client.chat_postEphemeral(channel=CHANNEL, user="U0ADA00001", text="for ada")
        client.chat_postMessage(channel="D0ADA00001", text="for ada too")
        client.chat_postMessage(channel=CHANNEL, text="for all")
        assert (await feed.next("posted"))["message"]["text"] == "for all"
        assert "problem" in await feed.do(do="type", channel="D0ADA00001", text="x")


REFUSED = {
    "the page under another name": ("GET", "/", REBOUND),
    "the feed from another site": ("GET", "/page/feed", FOREIGN),
    "the feed from another port": ("GET", "/page/feed", NEIGHBOUR),
    "control from another site": ("POST", "/_control/reset", FOREIGN),
    "control under another name": ("GET", "/_control/messages?channel=C0INCIDENT", REBOUND),
    "the Web API from another site": ("POST", "/api/auth.test", FOREIGN),
    "the Web API as a picture on another site": ("GET", "/api/auth.test?token=xoxb-playground", EMBEDDED),
}


@pytest.mark.parametrize(("method", "path", "headers"), REFUSED.values(), ids=REFUSED.keys())
async def test_other_sites_are_refused(playground: Playground, method: str, path: str, headers: dict[str, str]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, playground.url + path, headers=headers) as response,
    ):
        assert (response.status, (await response.json())["error"]) == (403, "forbidden_origin")


async def test_control_takes_json_only_and_acts_for_people(playground: Playground) -> None:
    async with aiohttp.ClientSession(playground.url) as session:
        async with session.post("/_control/say", data={"user": "ada"}) as response:
            assert response.status == 415
        said = {"user": "ada", "channel": "#incident-42", "text": "hello"}
        async with session.post("/_control/say", json=said) as response:
            ts = (await response.json())["message"]["ts"]
        async with session.post("/_control/say", json=said | {"user": "nobody"}) as response:
            assert (response.status, (await response.json())["error"]) == (400, "no such user: nobody")
        async with session.post("/_control/command", json=said | {"command": "/cilium"}) as response:
            assert (await response.json())["reason"] == "no_connection"
        async with session.post("/_control/faults", json={"earthquake": {"*": 1}}) as response:
            assert (await response.json())["error"] == "no such fault: earthquake"
        async with session.post("/_control/faults", json={"server_errors": {"auth.test": 1}}) as response:
            assert (await response.json())["ok"]
        async with session.post("/api/auth.test") as response:
            assert response.status == 500
        async with session.get("/_control/messages", params={"channel": "incident-42"}) as response:
            assert (await response.json())["messages"][0]["ts"] == ts
        async with session.post("/_control/reset", json={}) as response:
            assert (await response.json())["ok"]
    assert playground.messages(CHANNEL) == []


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(playground: Playground) -> None:
    async with aiohttp.ClientSession() as session, session.get(playground.url) as response:
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        page = await response.text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", page)


SCRIPTS = sorted(PAGE.glob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
def test_scripts_never_parse_data_as_markup(script: Path) -> None:
    found = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script.read_text()
    )
    assert found == []


async def test_files_are_shown_without_running_and_to_the_app_with_its_token_only(
    playground: Playground, client: WebClient
) -> None:
    hostile = "<script>alert(1)</script>"
    uploaded = client.files_upload_v2(channel=CHANNEL, filename="x.svg", content=hostile)
    private = uploaded["file"]["url_private"]
    async with aiohttp.ClientSession() as session:
        async with session.get(uploaded["file"]["permalink"]) as response:
            assert response.content_type == "application/octet-stream"
            assert response.headers["Content-Disposition"] == "attachment"
            assert "sandbox" in response.headers["Content-Security-Policy"]
        async with session.get(private) as response:
            assert response.status == 403
        async with session.get(private, headers={"Authorization": "Bearer xoxb-playground"}) as response:
            assert await response.text() == hostile


def test_it_listens_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback"), running_playground(host="0.0.0.0"):
        pass
