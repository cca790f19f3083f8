"""The policy engine: decides as Cilium decides, and says why.

``compile_policies`` turns manifests into a ``PolicySet``; that answers ``decide`` (one direction), ``combine`` (both),
``decide_dns`` (a name), ``selecting`` (what each policy does to an endpoint) and ``party_of_ip`` (who an address is).
"""

from handlers.policy.config import ConfigError, Enforcement, PolicyConfig
from handlers.policy.policy_set import PolicySet, compile_policies
from handlers.policy.surroundings import CidrGroup, Node, Service, Surroundings
from handlers.policy.versions import VERSION_FACTS, Version, VersionFact

__all__ = [
    "VERSION_FACTS",
    "CidrGroup",
    "ConfigError",
    "Enforcement",
    "Node",
    "PolicyConfig",
    "PolicySet",
    "Service",
    "Surroundings",
    "Version",
    "VersionFact",
    "compile_policies",
]
