"""Every port name in an egress rule stands for one number in the whole cluster."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.lints.port_name_unknown import faults_of
from handlers.model.decision import NamedPortFault
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction, Origin

LINT_PORT_NAME_AMBIGUOUS = code(
    "LINT_PORT_NAME_AMBIGUOUS",
    meaning="An egress rule names a port, and pods of the cluster use that name for different numbers. The agent then"
    " skips the entry without an error, for all destinations.",
    template="{policy} names the port {name} ({place}), for which pods of the cluster have different numbers, so the"
    " entry does nothing: {witness}",
    advice="Write the number.",
)


def port_names_ambiguous(context: LintContext) -> Iterator[Finding]:
    """Report port names of egress rules that have several numbers."""
    for rule in context.rules:
        if rule.direction is not Direction.EGRESS:
            continue
        for port in (port for ports in rule.ports for port in ports.ports if port.name):
            if NamedPortFault.AMBIGUOUS in faults_of(port, rule, context):
                origin = Origin(rule.origin.policy, port.pointer)
                witness = context.witness(rule)
                yield finding(LINT_PORT_NAME_AMBIGUOUS, Outcome.PROBLEM, origin, witness=witness, name=str(port))
