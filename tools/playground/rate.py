"""How often each method may be called, and when to come back.

Source: Slack document "Rate limits": tiers per method per workspace (1+, 20+, 50+, 100+ a minute), posting one message
a second a channel with short bursts allowed, and a cap for the workspace. Slack does not publish the size of a burst;
the sizes here are a cautious reading of "short".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum


class Tier(Enum):
    """The rate families of the Web API."""

    ONE = "Tier 1"
    TWO = "Tier 2"
    THREE = "Tier 3"
    FOUR = "Tier 4"
    POSTING = "posting"
    FREE = "not limited"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A rate in calls per second, and how many may come at once after a pause."""

    per_second: float
    burst: int


def _default_tiers() -> dict[Tier, Allowance]:
    return {
        Tier.ONE: Allowance(1 / 60, 10),
        Tier.TWO: Allowance(20 / 60, 20),
        Tier.THREE: Allowance(50 / 60, 50),
        Tier.FOUR: Allowance(100 / 60, 100),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """The allowances in force. ``enforced=False`` turns them all off."""

    enforced: bool = True
    tiers: dict[Tier, Allowance] = field(default_factory=_default_tiers)
    posting: Allowance = Allowance(1.0, 4)
    workspace_posting: Allowance = Allowance(300 / 60, 60)


@dataclass(slots=True)
class _Bucket:
    allowance: Allowance
    tokens: float
    at: float

    def refill(self, now: float) -> None:
        self.tokens = min(float(self.allowance.burst), self.tokens + (now - self.at) * self.allowance.per_second)
        self.at = now

    def wait(self) -> float:
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self.allowance.per_second


@dataclass(slots=True)
class RateBook:
    """Counts calls in token buckets. Pure but for its own memory: the caller brings the clock."""

    limits: RateLimits
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def retry_after(self, method: str, tier: Tier, channel: str | None, now: float) -> int | None:
        """Take one call out of the allowance, or return the whole seconds to wait before it would pass."""
        if not self.limits.enforced or tier is Tier.FREE:
            return None
        if tier is Tier.POSTING:
            buckets = [
                self._bucket(f"post:{channel}", self.limits.posting, now),
                self._bucket("post:*", self.limits.workspace_posting, now),
            ]
        else:
            buckets = [self._bucket(method, self.limits.tiers[tier], now)]
        wait = max(bucket.wait() for bucket in buckets)
        if wait > 0:
            return max(1, math.ceil(wait))
        for bucket in buckets:
            bucket.tokens -= 1
        return None

    def _bucket(self, key: str, allowance: Allowance, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(allowance, float(allowance.burst), now))
        bucket.refill(now)
        return bucket
