"""The Service is set up as it is meant to be reached.

Its type, ports and addresses, who may come from outside, and what keeps a client on one backend: told, so that nobody
looks for the fault there. A load balancer that has not got an address yet is reached by nobody.
"""

from collections.abc import Iterator

from handlers.connection.backends import ports_asked, selected_pods
from handlers.model.cluster import PodPort, Service, ServicePort
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.question import AboutService
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

SERVICE_IS = code(
    "SERVICE_IS",
    meaning="What kind of Service it is, its ports and its addresses.",
    template="{service} is a {kind} at {addresses}, ports {ports}, for pods with {selector}{also}",
)
SERVICE_BALANCER_PENDING = code(
    "SERVICE_BALANCER_PENDING",
    meaning="The Service wants a load balancer, and none has given it an address.",
    template="{service} is of type LoadBalancer and has no address yet: nobody reaches it by one",
    advice="Look at the cloud's controller, or at the CiliumLoadBalancerIPPools and what announces them.",
)
SERVICE_SOURCE_RANGES = code(
    "SERVICE_SOURCE_RANGES",
    meaning="Only clients of some ranges may come in through the load balancer.",
    template="The load balancer of {service} serves clients of {ranges} only",
)
SERVICE_PORT_NAME_DIFFERS = code(
    "SERVICE_PORT_NAME_DIFFERS",
    meaning="Pods behind the Service mean different ports, or none, by the name that it sends to.",
    template="{service} sends {port} to the port called {name}, which is {meanings}",
    advice="Give the port the same name and number in every pod behind the Service, or use its number.",
)
_SHOWN = 6


@probe(
    answers=(AboutService,),
    codes=(SERVICE_IS, SERVICE_BALANCER_PENDING, SERVICE_SOURCE_RANGES, SERVICE_PORT_NAME_DIFFERS),
    needs=PARTS,
    uses=OPTIONAL_PARTS,
    hop=Hop.SERVICE,
)
def service_is_exposed(question: AboutService, facts: Facts) -> Iterator[Finding]:
    """Tell what the Service is."""
    found = resolve(question.service, facts, End.DESTINATION, question.port, question.protocol)
    service = found.service
    if service is None or service.type == "ExternalName":
        return
    evidence = [Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", "/spec")]
    title = f"Service {service}"
    yield SERVICE_IS.finding(
        Outcome.FINE,
        hop=Hop.SERVICE,
        evidence=evidence,
        service=title,
        kind="headless Service" if service.is_headless else service.type,
        addresses=_addresses(service),
        ports=tuple(map(_port, service.ports[:_SHOWN])),
        selector=tuple(f"{key}={value}" for key, value in sorted((service.selector or {}).items())),
        also=_also(service),
    )
    if service.type == "LoadBalancer" and not service.balancer_ips and not service.balancer_names:
        yield SERVICE_BALANCER_PENDING.finding(
            Outcome.PROBLEM, hop=Hop.SERVICE, evidence=evidence, weight=30, service=title
        )
    if service.source_ranges:
        yield SERVICE_SOURCE_RANGES.finding(
            Outcome.FINE, hop=Hop.SERVICE, evidence=evidence, service=title, ranges=service.source_ranges[:_SHOWN]
        )
    pods = [pod for pod in selected_pods(service, facts.pods) if pod.is_running]
    for port in ports_asked(question, found):
        if isinstance(port.target, str):
            yield from _named(port, port.target, {str(pod): pod.ports for pod in pods}, service)


def _addresses(service: Service) -> tuple[str, ...]:
    if service.is_headless:
        return ("the addresses of its pods",)
    return (*filter(None, service.cluster_ips), *service.balancer_ips, *service.balancer_names, *service.external_ips)


def _port(port: ServicePort) -> str:
    node_port = f" (nodePort {port.node_port})" if port.node_port else ""
    return f"{port.port}/{port.protocol} to {port.target if port.target is not None else port.port}{node_port}"


def _also(service: Service) -> str:
    """Return what else shapes where its connections go."""
    found = []
    if service.session_affinity == "ClientIP":
        found.append("a client stays on the backend that it first got (sessionAffinity)")
    if service.publishes_unready:
        found.append("pods that are not ready are listed as ready (publishNotReadyAddresses)")
    if service.selector is None:
        found.append("its EndpointSlices are written by hand")
    return "".join(f"; {words}" for words in found)


def _named(port: ServicePort, name: str, pods: dict[str, tuple[PodPort, ...]], service: Service) -> Iterator[Finding]:
    """Yield what a port name means where the pods do not agree; that none has it is said of the backends."""
    meant: dict[str, list[str]] = {}
    for pod, ports in pods.items():
        number = next((entry.port for entry in ports if entry.name == name and entry.protocol == port.protocol), None)
        meant.setdefault("nothing" if number is None else str(number), []).append(pod)
    if len(meant) < 2:
        return
    yield SERVICE_PORT_NAME_DIFFERS.finding(
        # Slices list each pod at its own number; a pod without the name is in none of them.
        Outcome.PROBLEM if "nothing" in meant else Outcome.FINE,
        hop=Hop.SERVICE,
        evidence=[Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", "/spec/ports")],
        weight=20,
        service=f"Service {service}",
        port=f"{port.port}/{port.protocol}",
        name=name,
        meanings=tuple(f"{number} in {len(found)} ({found[0]})" for number, found in sorted(meant.items())),
    )
