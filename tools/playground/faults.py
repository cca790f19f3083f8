"""Faults that a test or a curious person asks for: each is counted down as it strikes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Pending mischief, by Web API method or by delivery kind."""

    rate_limited: Counter[str] = field(default_factory=Counter)
    """Web API method to the number of calls that shall be answered with 429."""
    retry_after: int = 1
    server_errors: Counter[str] = field(default_factory=Counter)
    """Web API method to the number of calls that shall be answered with HTTP 500."""
    lost_replies: Counter[str] = field(default_factory=Counter)
    """Web API method to the number of calls that are carried out and whose answer is lost on the way back."""
    api_errors: dict[str, list[str]] = field(default_factory=dict)
    """Web API method to the error codes that its next calls shall be answered with."""
    dropped_acks: Counter[str] = field(default_factory=Counter)
    """Delivery kind to the number of acknowledgements to lose on the way back."""
    duplicates: Counter[str] = field(default_factory=Counter)
    """Delivery kind to the number of deliveries to make twice."""

    def strike(self, pending: Counter[str], key: str) -> bool:
        """Count one fault down; ``*`` stands for every key."""
        for name in (key, "*"):
            if pending[name] > 0:
                pending[name] -= 1
                return True
        return False

    def api_error(self, method: str) -> str | None:
        """Return the error code that this call shall fail with, if any."""
        queue = self.api_errors.get(method)
        return queue.pop(0) if queue else None

    def clear(self) -> None:
        """Forget all mischief."""
        for pending in (self.rate_limited, self.server_errors, self.lost_replies, self.dropped_acks, self.duplicates):
            pending.clear()
        self.api_errors.clear()
        self.retry_after = 1
