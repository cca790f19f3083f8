"""No ICMP rule names type 0, which the agent takes for every type."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import L4Protocol, Origin
from handlers.model.traffic import Protocol, Traffic

LINT_ICMP_TYPE_ZERO = code(
    "LINT_ICMP_TYPE_ZERO",
    meaning="A rule names ICMP type 0 (EchoReply). The agent keeps the type where ports stand, and port 0 is every"
    " port: the rule is about every ICMP type (pkg/policy/api/icmp.go, pkg/policy/portrange.go).",
    template="{policy} names ICMP type 0 ({place}), which means every type: {witness}",
    advice="Replies pass without a rule; leave the type out, or name EchoRequest if that is meant.",
)

_PROTOCOLS = {
    L4Protocol.ICMP: Traffic(Protocol.ICMP, 8),
    L4Protocol.ICMPV6: Traffic(Protocol.ICMPV6, 128),
}


def icmp_zeroes(context: LintContext) -> Iterator[Finding]:
    """Report ICMP fields with type 0."""
    for rule in context.rules:
        for port in (port for ports in rule.ports for port in ports.ports):
            traffic = _PROTOCOLS.get(port.protocol)
            if traffic is not None and port.port == 0:
                origin = Origin(rule.origin.policy, port.pointer)
                yield finding(
                    LINT_ICMP_TYPE_ZERO, Outcome.PROBLEM, origin, witness=context.witness(rule, traffic=traffic)
                )
