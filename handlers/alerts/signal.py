"""What an alert says about the network: who, towards whom, on which port, and what kind of trouble."""

from dataclasses import dataclass
from enum import StrEnum

from handlers.model.endpoint import EndpointName


class Cause(StrEnum):
    """The kind of trouble. Signals of one kind, pair and port are one cause, whatever alerts told them."""

    POLICY_DROP = "policy-drop"
    DROP = "drop"
    UNREADY = "unready"
    """Pods that do not become ready, crash, or are missing."""
    SCRAPE = "scrape"
    PROBE = "probe"
    REQUESTS = "requests"
    """Requests that fail between workloads or behind an entrance."""
    DNS = "dns"
    NODE = "node"
    AGENT = "agent"
    ENDPOINT = "endpoint"
    """An endpoint that Cilium did not make, or does not bring to ready."""
    MAPS = "maps"
    MESH = "mesh"
    WRITTEN = "written"
    """A question that somebody wrote."""
    OTHER = "other"


class Decision(StrEnum):
    """What is done about a signal."""

    TRIAGE = "triage"
    ASK = "ask"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that an alert says.

    Where the trouble is at one end alone, that is ``destination``. ``port`` is as questions write it: ``8080/TCP``,
    ``8080``, ``icmp``. ``questions`` are asked before those that the cause makes.
    """

    cause: Cause
    claim: str
    """What is wrong, to stand behind the names in a title: ``is not ready``."""
    source: EndpointName | None = None
    destination: EndpointName | None = None
    port: str = ""
    node: str = ""
    namespace: str = ""
    decision: Decision = Decision.TRIAGE
    reason: str = ""
    questions: tuple[str, ...] = ()
