"""``/cilium digest``: a channel subscribes, looks at what it has, pauses it, wants one now, and takes it away."""

import pytest

from bot.digests.kept import Subscriptions
from bot.orders.digest import Do, parse
from handlers.commands.command import NotUnderstoodError
from tests.bot.conftest import Bot

HERE = "#incident-42"

READ = {
    "": (Do.LIST, ""),
    "list": (Do.LIST, ""),
    "every weekday 08:00 Europe/Berlin health,lint of shop": (Do.ADD, ""),
    "subscribe daily 9:00": (Do.ADD, ""),
    "pause 3f2a91": (Do.PAUSE, "3f2a91"),
    "resume `3F2A91`": (Do.RESUME, "3f2a91"),
    "run now 3f2a91": (Do.NOW, "3f2a91"),
    "now": (Do.NOW, ""),
    "remove 3f2a91": (Do.REMOVE, "3f2a91"),
    "stop": (Do.REMOVE, ""),
}


@pytest.mark.parametrize("words", READ, ids=[words or "nothing" for words in READ])
def test_words_say_what_is_to_be_done(words: str) -> None:
    wanted = parse(words)
    assert (wanted.do, wanted.id) == READ[words]


@pytest.mark.parametrize(
    "words", ["list everything", "pause this one", "every weekday 08:00 helth", "61 8 * * * health", "sometimes"]
)
def test_what_cannot_be_done_is_asked_back(words: str) -> None:
    with pytest.raises(NotUnderstoodError):
        parse(words)


def test_a_channel_is_told_what_differs_and_then_no_more(bot: Bot) -> None:
    bot.slack.command("ada", HERE, "/cilium", "digest every weekday 08:00 Europe/Berlin health,drops of shop")
    assert "for operators" in bot.said_to("ada", HERE)
    bot.slack.reset()
    bot.slack.command("grace", HERE, "/cilium", "digest every weekday 08:00 Europe/Berlin health,drops of shop")
    told = bot.said_to("grace", HERE)
    assert told.startswith("Subscribed: 0 8 * * mon-fri Europe/Berlin: health, drops shop. First on ")
    (kept,) = Subscriptions(bot.queue.redis).listed()
    assert kept.questions == ("health", "drops shop")
    bot.slack.say("grace", HERE, "@cilium digest")
    (listed,) = bot.slack.wait_for(lambda: [m for m in bot.slack.messages(HERE) if kept.id in m["text"]])
    orders = [button["value"] for button in listed["blocks"][1]["elements"]]
    assert orders == [f"digest {verb} {kept.id}" for verb in ("now", "pause", "remove")]
    bot.slack.say("grace", HERE, f"@cilium {orders[1]}")
    bot.settle()
    assert [one.is_paused for one in Subscriptions(bot.queue.redis).listed()] == [True]
    bot.slack.say("grace", HERE, f"@cilium {orders[2]}")
    bot.settle()
    assert Subscriptions(bot.queue.redis).listed() == ()
