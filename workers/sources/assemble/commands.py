"""Every command that agents may be asked; none takes an argument from outside, none changes anything."""

from dataclasses import dataclass
from enum import Enum

BINARY = "cilium-dbg"


class AgentCommand(Enum):
    """A command line. Some outputs are only found in archives: those in words, and ``-n`` in its several spellings."""

    STATUS = (BINARY, "status", "-o", "json")
    STATUS_IN_WORDS = (BINARY, "status", "--verbose")
    HEALTH = ("cilium-health", "status", "-o", "json")
    ENDPOINTS = (BINARY, "endpoint", "list", "-o", "json")
    ENDPOINTS_IN_WORDS = (BINARY, "endpoint", "list")
    IDENTITIES = (BINARY, "identity", "list", "-o", "json")
    IDENTITIES_IN_WORDS = (BINARY, "identity", "list")
    ADDRESSES = (BINARY, "ip", "list", "-o", "json")
    ADDRESSES_IN_NUMBERS = (BINARY, "ip", "list", "-n", "-o", "json")
    NAMES = (BINARY, "fqdn", "cache", "list", "-o", "json")
    NAMES_IN_WORDS = (BINARY, "fqdn", "cache", "list")
    POLICY_MAP = (BINARY, "bpf", "policy", "get", "--all", "-o", "json")
    POLICY_MAP_IN_WORDS = (BINARY, "bpf", "policy", "get", "--all", "--numeric")
    POLICY_MAP_IN_WORDS_TOO = (BINARY, "bpf", "policy", "get", "--all", "-n")
    EGRESS = (BINARY, "bpf", "egress", "list", "-o", "json")
    EGRESS_IN_WORDS = (BINARY, "bpf", "egress", "list")
    SERVICES = (BINARY, "service", "list", "-o", "json")
    SERVICES_IN_WORDS = (BINARY, "service", "list")
    NODES = (BINARY, "node", "list", "-o", "json")
    NODES_IN_WORDS = (BINARY, "node", "list")
    CONFIG = (BINARY, "config", "--all")
    CONFIG_BY_SHORT_FLAG = (BINARY, "config", "-a")
    METRICS = (BINARY, "metrics", "list", "-o", "json")
    METRICS_IN_WORDS = (BINARY, "metrics", "list")

    @property
    def prints_json(self) -> bool:
        """Whether the output is JSON; else it is a table for people."""
        return "json" in self.value

    def __str__(self) -> str:
        """Write it as it is typed."""
        return " ".join(self.value)


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed, and where: a pod, or a file of an archive."""

    text: str
    where: str
