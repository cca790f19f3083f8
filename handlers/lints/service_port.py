"""Every port in a rule is the port at the pod, not that of the Service in front of it."""

from collections.abc import Iterator

from handlers.lints.context import LintContext, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction, Effect, L4Protocol, Origin, PortProtocol
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.ports import covered
from handlers.reach.bits import bit_set
from handlers.reach.cluster import ExposedPort, ExposedService

LINT_SERVICE_PORT = code(
    "LINT_SERVICE_PORT",
    meaning="A rule allows the port of a Service, which stands for another port at its pods. Policy sees traffic after"
    " Service translation (Documentation/security/policy/language.rst), so the rule allows a port that nobody uses.",
    template="{policy} allows port {port} ({place}), which is the port of Service {service}; at its pods that is"
    " {target}, which the rule does not allow: {witness}",
    advice="Allow the target port.",
)


def service_ports(context: LintContext) -> Iterator[Finding]:
    """Report allowed ports that are a Service's, while the Service's target is not among them."""
    services = [(service, _pods(service, context)) for service in context.state.cluster.services or ()]
    for rule in context.rules:
        if rule.effect is not Effect.ALLOW or not rule.ports:
            continue
        receivers = context.subjects(rule) if rule.direction is Direction.INGRESS else context.peers(rule)
        if rule.direction is Direction.EGRESS and not rule.peers:
            continue
        ports = [port for ports in rule.ports for port in ports.ports]
        for service, pods in services:
            hit = pods & receivers
            for port, exposed in _mistaken(ports, service) if hit else ():
                target = min(exposed.targets)
                traffic = Traffic(Protocol(exposed.protocol), target)
                is_ingress = rule.direction is Direction.INGRESS
                yield finding(
                    LINT_SERVICE_PORT,
                    Outcome.PROBLEM,
                    Origin(rule.origin.policy, port.pointer),
                    witness=context.witness(
                        rule,
                        subjects=hit if is_ingress else None,
                        peers=None if is_ingress else hit,
                        traffic=traffic,
                    ),
                    port=str(port),
                    service=f"{service.namespace}/{service.name}",
                    target=f"{target}/{exposed.protocol}",
                )


def _pods(service: ExposedService, context: LintContext) -> int:
    if not service.selector:
        return 0
    return bit_set(
        number
        for number, end in enumerate(context.state.roster.ends)
        if any(
            pod.namespace == service.namespace and service.selector.items() <= dict(pod.party.unfiltered).items()
            for pod in end.pods
        )
    )


def _mistaken(ports: list[PortProtocol], service: ExposedService) -> Iterator[tuple[PortProtocol, ExposedPort]]:
    for exposed in service.ports:
        if not exposed.targets or exposed.port in exposed.targets or exposed.protocol not in tuple(Protocol):
            continue
        if any(_allows(port, target, exposed.protocol) for port in ports for target in exposed.targets):
            continue
        for port in ports:
            if port.port == exposed.port and not port.end_port and _allows(port, exposed.port, exposed.protocol):
                yield port, exposed


def _allows(port: PortProtocol, number: int, protocol: str) -> bool:
    if port.protocol not in (L4Protocol.ANY, protocol):
        return False
    # A name may well stand for the target.
    return bool(port.name) or covered(port.port, port.end_port, number) is not None
