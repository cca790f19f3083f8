"""What orders work with: one value, made where the web process is put together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.cards.cards import Cards
from bot.channels import Channels
from bot.digests.kept import Subscriptions
from bot.feedback import Feedback
from bot.fixes.kept import FixWatches
from bot.intake import Intake
from bot.membership import Membership
from bot.mutes import Mutes
from bot.reports import Reports


@dataclass(frozen=True, slots=True)
class AlertsEndpoint:
    """Where Alertmanager posts to, and whether anybody may: without a token nobody does."""

    url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts of the web process that orders use. ``run_digest`` has a worker tell one: its id, when it is due
    (nothing for now), its cluster.

    ``program`` is this release in words.
    """

    intake: Intake
    reports: Reports
    channels: Channels
    fix_watches: FixWatches
    alerts: AlertsEndpoint
    cards: Cards
    mutes: Mutes
    feedback: Feedback
    digests: Subscriptions
    run_digest: Callable[[str, str, str], None]
    membership: Membership
    program: str = "cilium-triage"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
