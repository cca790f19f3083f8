"""Compiling policies, and deciding one flow with its explanation: times by number of policies.

The clusters are made by seed: ``python benchmarks/policy_decide.py [seed]``. Ratios are to the smallest case.
"""

import random
import resource
import statistics
import sys
import time
from typing import Any

from handlers.model.labels import pod_identity_labels
from handlers.model.party import NamedPort, Party, PartyKind
from handlers.model.traffic import HttpRequest, Protocol, Traffic
from handlers.policy import PolicyConfig, PolicySet, Surroundings, compile_policies

APPS = 40
SIZES = (250, 500, 1000, 2000, 4000)
DECISIONS = 400


def cluster(seed: int, policies: int) -> tuple[list[dict[str, Any]], list[Party]]:
    """Make policies of all three kinds, and pods in ten namespaces."""
    source = random.Random(seed)
    namespaces = [f"ns-{number}" for number in range(10)]
    objects = [policy(source, number, namespaces) for number in range(policies)]
    pods = [
        Party(
            kind=PartyKind.ENDPOINT,
            labels=pod_identity_labels(
                pod_labels={"app": f"app-{source.randrange(APPS)}", "tier": source.choice(["front", "back"])},
                namespace=source.choice(namespaces),
                namespace_labels={"env": "prod"},
                service_account="default",
                cluster="default",
            ),
            name=f"pod-{number}",
            ips=(f"10.244.{number // 250}.{number % 250}",),
            node=f"n{number % 5}",
            named_ports=(NamedPort("http", 8080),),
        )
        for number in range(200)
    ]
    return objects, pods


def policy(source: random.Random, number: int, namespaces: list[str]) -> dict[str, Any]:
    def app() -> dict[str, str]:
        return {"app": f"app-{source.randrange(APPS)}"}

    port = source.choice([80, 443, 8080, 5432])
    metadata = {"name": f"p{number}", "namespace": source.choice(namespaces)}
    match number % 4:
        case 0:
            rules = [{"from": [{"podSelector": {"matchLabels": app()}}], "ports": [{"port": port}]} for _ in range(3)]
            spec: dict[str, Any] = {"podSelector": {"matchLabels": app()}, "ingress": rules}
            return {"kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
        case 1:
            ports = [{"ports": [{"port": str(port), "protocol": "TCP"}], "rules": {"http": [{"path": "/api/.*"}]}}]
            rules = [{"fromEndpoints": [{"matchLabels": app()}], "toPorts": ports} for _ in range(2)]
            spec = {"endpointSelector": {"matchLabels": app()}, "ingress": rules}
        case 2:
            cidrs = [{"cidr": f"10.{source.randrange(250)}.0.0/16"} for _ in range(5)]
            spec = {
                "endpointSelector": {"matchLabels": app()},
                "egress": [{"toCIDRSet": cidrs}, {"toEndpoints": [{"matchLabels": app()}]}],
            }
        case _:
            spec = {
                "endpointSelector": {"matchLabels": app()},
                "ingressDeny": [{"fromEndpoints": [{"matchLabels": app()}]}],
                "enableDefaultDeny": {"ingress": False},
            }
    return {"kind": "CiliumNetworkPolicy", "metadata": metadata, "spec": spec}


def compile_timed(objects: list[dict[str, Any]]) -> tuple[PolicySet, float]:
    started = time.perf_counter()
    compiled = compile_policies(objects, config=PolicyConfig(), surroundings=Surroundings(named_ports=()))
    return compiled, time.perf_counter() - started


def decide_timed(policies: PolicySet, pods: list[Party], source: random.Random) -> list[float]:
    times = []
    request = HttpRequest("GET", "/api/x")
    for _ in range(DECISIONS):
        one, other = source.choice(pods), source.choice(pods)
        traffic = Traffic(Protocol.TCP, source.choice([80, 8080]), request)
        started = time.perf_counter()
        policies.combine(one, other, traffic)
        times.append(time.perf_counter() - started)
    return times


def main(seed: int) -> None:
    print(f"{'policies':>9} {'compile s':>10} {'ratio':>6} {'both sides ms':>14} {'p99 ms':>8} {'ratio':>6} {'MiB':>6}")
    base: tuple[float, float] | None = None
    for size in SIZES:
        objects, pods = cluster(seed, size)
        policies, compiling = compile_timed(objects)
        if not all(status.valid for status in policies.statuses):
            raise SystemExit("the benchmark makes an invalid policy")
        times = decide_timed(policies, pods, random.Random(seed))
        middle, late = statistics.median(times) * 1000, statistics.quantiles(times, n=100)[98] * 1000
        base = base or (compiling, middle)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size:>9} {compiling:>10.3f} {compiling / base[0]:>6.1f} {middle:>14.3f} {late:>8.3f} "
            f"{middle / base[1]:>6.1f} {memory:>6.0f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
