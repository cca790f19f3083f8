"""The orders, one file for each, and the one list of them. None knows another."""

from bot.orders import alerts, channel, digest, feedback, mute, report, unmute, watch
from bot.orders.order import Order

ORDERS: tuple[Order, ...] = (
    report.ORDER,
    channel.ORDER,
    watch.ORDER,
    mute.ORDER,
    unmute.ORDER,
    alerts.ORDER,
    feedback.ORDER,
    digest.ORDER,
)
