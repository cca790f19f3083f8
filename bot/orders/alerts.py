"""``alerts setup``: rules for Prometheus and a receiver for Alertmanager that make alerts exact, as files."""

from bot.channel_rules import is_id
from bot.orders.desk import Desk
from bot.orders.order import Order
from bot.render.alerts_setup import setup_message
from bot.render.blocks import Message
from bot.where import Where
from handlers.alerts.rules import RULES, receiver
from handlers.commands.command import NotUnderstoodError

NAME = "alerts"
USAGE = "alerts setup"


def parse(words: str) -> None:
    """Read ``setup``, and nothing else."""
    if words.strip().casefold() not in ("setup", ""):
        raise NotUnderstoodError("alerts knows setup, which gives rules and a receiver.", USAGE)


def carry_out(desk: Desk, where: Where, _parsed: None) -> Message:
    """Upload both, the receiver with the address under which this bot takes alerts, and say what is left to do."""
    channel = where.channel if is_id(where.channel) else ""
    url = f"{desk.alerts.url}?channel={channel}" if channel else desk.alerts.url
    publisher = desk.intake.publisher
    publisher.attach(where, name="cilium-triage-rules.yaml", content=RULES, title="Rules for Prometheus")
    publisher.attach(where, name="alertmanager.yaml", content=receiver(url), title="A receiver for Alertmanager")
    return setup_message(url, is_open=desk.alerts.is_open)


ORDER = Order(NAME, USAGE, "Rules and a receiver that send exact alerts here.", (USAGE,), parse, carry_out)
