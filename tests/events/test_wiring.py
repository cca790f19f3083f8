"""From the API server's watch to a card in the channel that takes alerts."""

from pathlib import Path

from redis import Redis

from bot.cards.kept import KeptCards
from bot.cards.place import Place
from tests.alerts.payloads import kubernetes_event
from tests.cluster.fake_api import FakeApi
from tools.embedded import EmbeddedRedis
from tools.playground.manifest import installed
from tools.playground.server import running_playground
from tools.playground.workspace import TEAM_ID
from workers.events.wiring import event_watches
from workers.settings import WorkerSettings


def test_a_packet_that_was_dropped_becomes_a_card(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    dropped = kubernetes_event(
        "PacketDrop",
        "Incoming packet dropped (policy_denied) from shop/frontend-1 (10.0.0.1) TCP/8080",
        namespace="shop",
        name="cart-0",
    )
    dropped["metadata"]["resourceVersion"] = "7"
    with (
        FakeApi({"events": []}) as api,
        running_playground(installed()) as slack,
        Redis.from_url(redis_server.url, decode_responses=True) as redis,
    ):
        redis.flushall()
        api.frames = [{"type": "ADDED", "object": dropped}]
        environment = {
            "redis_url": redis_server.url,
            "slack_bot_token": slack.settings.bot_token,
            "slack_api_url": slack.api_url,
            "kubeconfig": api.kubeconfig(tmp_path),
            "cluster": "prod",
            "channels": {"incident-*": {"alerts": "namespace=shop"}},
        }
        assert event_watches(WorkerSettings.model_validate(environment)) == ()
        (watch,) = event_watches(WorkerSettings.model_validate({**environment, "watch_events": True}))
        assert watch.look()
        (entry,) = KeptCards(redis).of(Place(TEAM_ID, "C0INCIDENT"))
    assert (entry.card.cluster, entry.card.questions[0]) == ("prod", "why shop/frontend-1 shop/cart-0 8080/TCP")
