"""Events of Kubernetes: what kubelet, scheduler and controllers complained of.

That something is not among them proves nothing: the API forgets events after an hour, and archives bound them.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Event:
    """A warning about one object (core/v1 Event). ``kind`` and ``name`` are those of the object.

    ``first_at`` and ``last_at`` are None where the event bears no time; ``count`` is how often it came.
    """

    namespace: str
    kind: str
    name: str
    reason: str
    message: str
    source: str
    """Who says so: ``kubelet``, ``default-scheduler``."""
    node: str | None
    count: int
    first_at: datetime | None
    last_at: datetime | None
