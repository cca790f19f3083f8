"""The alerts that are known by name: a declaration each, by what measures them."""

from handlers.alerts.known import cilium, cluster, probing, requests, workloads
from handlers.alerts.known.entry import KnownAlert, plain_name

KNOWN: tuple[KnownAlert, ...] = (
    *workloads.KNOWN,
    *cluster.KNOWN,
    *probing.KNOWN,
    *requests.KNOWN,
    *cilium.KNOWN,
)
"""Every known alert, in the order in which the documentation lists them."""

_BY_NAME = {plain_name(name): entry for entry in KNOWN for name in entry.every_name}


def known_alert(name: str) -> KnownAlert | None:
    """Return what is known of an alert by its name, however it is spelled: letters and digits count alone."""
    return _BY_NAME.get(plain_name(name))
