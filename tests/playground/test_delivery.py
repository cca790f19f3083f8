"""Deadlines, retries, duplicates and broken connections of Socket Mode."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from slack_bolt import Ack, App, BoltRequest

from tools.playground.server import Playground, running_playground

from .conftest import IMPATIENT, Connect, app_of

CHANNEL = "#incident-42"


def test_an_unacknowledged_event_comes_three_more_times_with_its_id_and_the_reason(
    impatient: Playground, connect: Connect
) -> None:
    app = app_of(impatient)
    seen: list[tuple[str, str | None, str | None]] = []

    @app.middleware
    def note(req: BoltRequest, next_):
        number, reason = (req.headers.get(f"x-slack-retry-{name}", [None])[0] for name in ("num", "reason"))
        seen.append((req.body["event_id"], number, reason))
        next_()

    connect(impatient, app)
    impatient.say("ada", CHANNEL, "hello")
    impatient.wait_for(lambda: len(impatient.deliveries()) == 4)
    impatient.wait_for(lambda: len(seen) == 4)
    assert [item["acknowledged"] for item in impatient.deliveries()] == [False] * 4
    assert len({event_id for event_id, _, _ in seen}) == 1
    assert sorted((number, reason) for _, number, reason in seen) == [
        ("0", ""),
        ("1", "timeout"),
        ("2", "timeout"),
        ("3", "timeout"),
    ]


def test_a_lost_acknowledgement_makes_one_retry(playground: Playground, app: App, connect: Connect) -> None:
    event_ids: list[str] = []

    @app.event("message")
    def message(body):
        event_ids.append(body["event_id"])

    connect(playground, app)
    playground.cause(dropped_acks={"events_api": 1})
    playground.say("ada", CHANNEL, "hello")
    playground.wait_for(lambda: len(playground.deliveries()) == 2)
    assert [item["acknowledged"] for item in playground.deliveries()] == [False, True]
    playground.wait_for(lambda: len(event_ids) == 2)
    assert len(set(event_ids)) == 1


def test_a_duplicated_event_carries_the_same_id_and_is_marked_as_a_retry(
    playground: Playground, app: App, connect: Connect
) -> None:
    seen: list[tuple[str, str]] = []

    @app.event("app_mention")
    def mention(body, req):
        seen.append((body["event_id"], req.headers["x-slack-retry-num"][0]))

    @app.event("message")
    def message():
        pass

    connect(playground, app)
    playground.cause(duplicates={"events_api": 2})
    playground.say("ada", CHANNEL, "@cilium why a b")
    playground.wait_for(lambda: len(seen) == 2)
    assert len({event_id for event_id, _ in seen}) == 1
    assert sorted(number for _, number in seen) == ["0", "1"]


def test_a_duplicated_command_has_one_trigger_id(playground: Playground, app: App, connect: Connect) -> None:
    triggers: list[str] = []

    @app.command("/cilium")
    def command(ack, body):
        ack()
        triggers.append(body["trigger_id"])

    connect(playground, app)
    playground.cause(duplicates={"slash_commands": 1})
    playground.command("ada", CHANNEL, "/cilium", "why a b")
    playground.wait_for(lambda: len(triggers) == 2)
    assert len(set(triggers)) == 1


def test_a_command_without_acknowledgement_is_not_repeated_and_the_asker_is_told(
    impatient: Playground, connect: Connect
) -> None:
    connect(
        impatient, app_of(impatient)
    )  # Bolt answers 404 to what it has no listener for, and then sends no acknowledgement
    receipt = impatient.command("ada", CHANNEL, "/cilium", "why a b")
    assert receipt == {"acknowledged": False, "reason": "timeout", "payload": None}
    (told,) = impatient.messages(CHANNEL)
    assert told["text"] == '/cilium failed with the error "operation_timeout"'
    assert told["only_for"] == "U0ADA00001"
    assert len(impatient.deliveries()) == 1


def test_a_command_fails_at_once_when_no_app_is_connected(playground: Playground) -> None:
    assert playground.command("ada", CHANNEL, "/cilium")["reason"] == "no_connection"
    assert playground.messages(CHANNEL)[-1]["text"] == '/cilium failed with the error "dispatch_failed"'


def test_a_command_that_nobody_declared_is_explained(playground: Playground) -> None:
    playground.command("ada", CHANNEL, "/nope")
    assert "`/nope` is not a valid command" in playground.messages(CHANNEL)[-1]["text"]


def test_an_event_waits_for_an_app_that_is_reconnecting(playground: Playground, app: App, connect: Connect) -> None:
    heard = threading.Event()

    @app.event("message")
    def message():
        heard.set()

    playground.say("ada", CHANNEL, "anybody there?")
    connect(playground, app)
    assert heard.wait(5)


def test_the_sdk_reconnects_after_a_refresh_and_goes_on(playground: Playground, app: App, connect: Connect) -> None:
    @app.command("/cilium")
    def command(ack):
        ack("still here")

    connect(playground, app)
    playground.refresh_sockets()
    playground.wait_connected()
    assert playground.command("ada", CHANNEL, "/cilium")["acknowledged"]
    assert len(playground.calls("apps.connections.open")) == 2


def test_deliveries_are_shared_between_connections(playground: Playground, connect: Connect) -> None:
    first, second = app_of(playground), app_of(playground)
    served: list[str] = []

    def serving(name: str) -> Callable[[Ack], None]:
        def serve(ack: Ack) -> None:
            ack()
            served.append(name)

        return serve

    first.command("/cilium")(serving("first"))
    second.command("/cilium")(serving("second"))
    connect(playground, first)
    connect(playground, second)
    for _ in range(4):
        playground.command("ada", CHANNEL, "/cilium")
    playground.wait_for(lambda: len(served) == 4)
    assert Counter(served) == {"first": 2, "second": 2}


def test_events_that_are_not_subscribed_to_are_not_delivered(connect: Connect) -> None:
    settings = replace(IMPATIENT, subscriptions=frozenset({"app_mention"}))
    with running_playground(settings) as playground:
        connect(playground, app_of(playground))
        playground.say("ada", CHANNEL, "hello")
        playground.say("ada", CHANNEL, "hello @cilium")
        playground.wait_for(lambda: playground.deliveries())
        assert {item["what"] for item in playground.deliveries()} == {"app_mention"}
