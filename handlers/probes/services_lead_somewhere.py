"""Every Service that selects pods has a ready one behind each port.

Judged from the EndpointSlices, which load balancing goes by; a Service without a selector is somebody's own business.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from handlers.balancing.locality import nodes_left_out
from handlers.balancing.no_backends import why_none_is_ready, why_none_is_selected
from handlers.commands.services import Services
from handlers.connection.backends import Target, selected_pods, targets_of
from handlers.connection.coverage import nodes_in_words
from handlers.model.cluster import Service
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.probes.probe import probe

SERVICE_IS_EMPTY = code(
    "SERVICE_IS_EMPTY",
    meaning="No pod has the labels that a Service's selector wants, so every client of it is refused.",
    template="Service {service} has 0 backends: it selects {selector}, and no pod of its namespace has these labels",
    advice="Make the selector agree with the pods' labels, or run the pods that it means.",
)
SERVICE_IS_UNREADY = code(
    "SERVICE_IS_UNREADY",
    meaning="Pods stand behind a Service, and none of them is ready on some port.",
    template="Service {service} has no ready backend for {port}, of {count} selected pod{count:|s}",
    advice="Look at the readiness of the pods, and at the port that the Service sends to: service NAMESPACE/NAME.",
)
SERVICE_REFUSES_ON_NODES = code(
    "SERVICE_REFUSES_ON_NODES",
    meaning="externalTrafficPolicy is Local, and nodes without a backend refuse who dials their nodePort.",
    template="{nodes} {count:refuses|refuse} clients from outside on nodePort {port} of Service {service}:"
    " externalTrafficPolicy is Local, and no ready backend runs there",
    advice="Dial a node that runs a backend, run one on each node, or set externalTrafficPolicy to Cluster.",
)
SERVICES_LEAD_SOMEWHERE = code(
    "SERVICES_LEAD_SOMEWHERE",
    meaning="Services that select pods have ready ones.",
    template="{count} Service{count:|s} {count:leads|lead} to ready pods",
)


@probe(
    answers=(Services,),
    codes=(SERVICE_IS_EMPTY, SERVICE_IS_UNREADY, SERVICE_REFUSES_ON_NODES, SERVICES_LEAD_SOMEWHERE),
    needs=(Part.SERVICES, Part.ENDPOINT_SLICES, Part.PODS, Part.NODES),
    uses=(Part.WORKLOADS, Part.POLICY_SERVICES),
    blocking=True,
)
def services_lead_somewhere(question: Services, facts: Facts) -> Iterator[Finding]:
    """Judge every Service with a selector."""
    well = 0
    for service in facts.services:
        if not service.selector or question.namespace not in (None, service.namespace):
            continue
        found = list(_judge(service, facts))
        well += not found
        yield from found
    yield SERVICES_LEAD_SOMEWHERE.finding(Outcome.FINE, count=well)


def _judge(service: Service, facts: Facts) -> Iterator[Finding]:
    targets = targets_of(service, facts)
    pods = selected_pods(service, facts.pods)
    if not pods and not targets:
        selector = ",".join(f"{key}={value}" for key, value in sorted((service.selector or {}).items()))
        nothing = _finding(SERVICE_IS_EMPTY, service, "/spec/selector", 75, selector=selector)
        yield replace(nothing, detail=why_none_is_selected(service, facts))
        return
    for port in service.ports:
        behind = [target for target in targets if target.service_port == port]
        ready = [target for target in behind if target.ready]
        if not ready:
            told = _finding(
                SERVICE_IS_UNREADY, service, "/spec/ports", 75, port=f"{port.port}/{port.protocol}", count=len(pods)
            )
            yield replace(told, detail=why_none_is_ready(behind, facts)) if behind else told
        elif service.type == "NodePort" and service.external_traffic_policy == "Local" and port.node_port:
            yield from _left_out(service, port.node_port, ready, facts)


def _left_out(service: Service, node_port: int, ready: list[Target], facts: Facts) -> Iterator[Finding]:
    """Yield the nodes that refuse; a load balancer leaves such nodes out by itself, a nodePort is dialled by hand."""
    found = nodes_left_out(ready, facts.nodes)
    if found.without:
        yield _finding(
            SERVICE_REFUSES_ON_NODES,
            service,
            "/spec/externalTrafficPolicy",
            50,
            port=node_port,
            nodes=nodes_in_words(found.without),
            count=len(found.without),
        )


def _finding(spoken: Code, service: Service, pointer: str, weight: int, **values: Any) -> Finding:
    evidence = [Evidence("kubernetes", f"Service/{service}", pointer)]
    return spoken.finding(
        Outcome.PROBLEM,
        evidence=evidence,
        follow_up=f"service {service}",
        weight=weight,
        service=str(service),
        **values,
    )
