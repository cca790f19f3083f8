"""Whether a DNS name may be looked up: the packet to the server first, then the name in the DNS proxy."""

from dataclasses import replace

from handlers.model.decision import Decision, DnsNameDiffers, NearestMiss, Redirect, Verdict
from handlers.model.rule import Origin
from handlers.policy.config import PolicyConfig
from handlers.policy.fqdn import name_matches
from handlers.policy.versions import DOUBLE_STAR


def decide_dns_name(packet: Decision, name: str, config: PolicyConfig) -> Decision:
    """Refine the decision on the packet by the name; a refused name is answered with REFUSED, not dropped.

    Without a redirect to the DNS proxy every name passes, and no ``toFQDNs`` rule learns from the answer
    (Documentation/security/policy/language.rst:485-490).
    """
    if packet.verdict is not Verdict.ALLOWED or packet.redirect is not Redirect.DNS:
        return packet
    double_star = config.holds(DOUBLE_STAR)
    if packet.l7_open or any(
        name_matches(name, rule.match_name, rule.match_pattern, double_star=double_star) for rule in packet.dns_rules
    ):
        return replace(packet, l7=Verdict.ALLOWED)
    miss = None
    if packet.dns_rules and packet.rules:
        rule = packet.dns_rules[0]
        origin: Origin = rule.origin or packet.rules[0]
        wanted = ", ".join(str(one) for one in packet.dns_rules)
        miss = NearestMiss(packet.rules[0], (DnsNameDiffers(origin, wanted, name),))
    return replace(packet, verdict=Verdict.DENIED_L7, l7=Verdict.DENIED_L7, nearest_miss=miss)
