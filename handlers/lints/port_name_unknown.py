"""Every port name in a rule is the name of a container port of those whom it is about."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.decision import NamedPortFault
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction, L4Protocol, Origin, PortProtocol, Rule
from handlers.policy.ports import EXPANDED_ANY
from handlers.reach.bits import members

LINT_PORT_NAME_UNKNOWN = code(
    "LINT_PORT_NAME_UNKNOWN",
    meaning="A rule names a port that no container of the pods it is about declares, so the entry opens nothing;"
    " the agent skips it without an error.",
    template="{policy} names the port {name} ({place}), and {whose} has a container port of that name and protocol, so"
    " the entry does nothing: {witness}",
    advice="Write the number, or give the container port this name.",
)


def port_names_unknown(context: LintContext) -> Iterator[Finding]:
    """Report port names that resolve nowhere."""
    for rule in context.rules:
        for port in (port for ports in rule.ports for port in ports.ports if port.name):
            faults = faults_of(port, rule, context)
            if faults and faults <= {NamedPortFault.UNKNOWN, NamedPortFault.OTHER_PROTOCOL}:
                ingress = rule.direction is Direction.INGRESS
                yield finding(
                    LINT_PORT_NAME_UNKNOWN,
                    Outcome.PROBLEM,
                    Origin(rule.origin.policy, port.pointer),
                    witness=context.witness(rule),
                    name=str(port),
                    whose="no pod that it selects" if ingress else "no pod of the cluster",
                )


def faults_of(port: PortProtocol, rule: Rule, context: LintContext) -> set[NamedPortFault]:
    """Give why a port name stands for nothing; an empty set where it does not, or where nobody knows."""
    policies = context.state.policies
    protocols = EXPANDED_ANY if port.protocol is L4Protocol.ANY else (port.protocol,)
    parties = context.state.matrix.parties
    subjects = [parties[number] for number in members(context.subjects(rule))]
    if rule.direction is Direction.EGRESS:
        subjects = subjects[:1]
        if policies.surroundings.named_ports is None:
            return set()
    elif any(subject.named_ports is None for subject in subjects):
        return set()
    faults = set()
    for subject in subjects:
        for protocol in protocols:
            number = policies.resolve_name(rule.direction, subject, port.name, protocol)
            if not isinstance(number, NamedPortFault):
                return set()
            faults.add(number)
    return faults
