"""Time and memory of the policy engine on clusters made by seed, and whether the matrix agrees with single decisions.

Each size runs in a process of its own, so that its peak memory is its own. Usage: ``policy.py [--quick] [--seed N]``.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policy_cluster import Cluster, make_cluster

from handlers.model.decision import Reason, Verdict
from handlers.model.traffic import Protocol, Traffic
from handlers.patch import propose
from handlers.policy import PolicyConfig, PolicySet, compile_policies
from handlers.reach.ends import PodEnds
from handlers.reach.matrix import Matrix, Reachability
from handlers.reach.port_classes import port_classes

SIZES = [(250, 125), (500, 250), (1000, 500), (2000, 500), (5000, 500), (5000, 1000), (5000, 2000)]
QUICK = SIZES[:3]
WEB = Traffic(Protocol.TCP, 8080)
PAIRS = 400
DECISIONS = 300
PATCHES = 10
RUNS = 3


def best_of(runs: int, work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Give the shortest and the longest of some runs, in seconds of one thread, and the result."""
    seconds, result = [], None
    for _ in range(runs):
        started = time.process_time()
        result = work()
        seconds.append(time.process_time() - started)
    return min(seconds), max(seconds), result


def disagreements(policies: PolicySet, reached: list[Reachability], chance: random.Random) -> int:
    """Compare sampled pairs with single decisions, whole and by side."""
    wrong = 0
    for _ in range(PAIRS):
        one = chance.choice(reached)
        source, destination = (chance.randrange(len(one.parties)) for _ in range(2))
        both = policies.combine(one.parties[source], one.parties[destination], one.traffic)
        proxied = both.verdict is Verdict.ALLOWED and any(side.redirect is not None for side in both)
        wrong += both.verdict is not one.verdict(source, destination)
        wrong += proxied is not one.goes_through_proxy(source, destination)
    return wrong


def patch_seconds(policies: PolicySet, cluster: Cluster, chance: random.Random) -> list[float]:
    """Time the proposal of a patch for some flows denied by default: proving it, and all that it opens besides."""
    known = PodEnds.of_parties(cluster.parties)
    seconds: list[float] = []
    while len(seconds) < PATCHES:
        source, destination = (chance.choice(cluster.parties) for _ in range(2))
        both = policies.combine(source, destination, WEB)
        if both.verdict is Verdict.DENIED and not any(side.reason is Reason.EXPLICIT_DENY for side in both):
            started = time.process_time()
            propose(policies, cluster.policies, both, source, destination, WEB, known=known)
            seconds.append(time.process_time() - started)
    return seconds


def measure(identities: int, policies: int, seed: int) -> dict[str, Any]:
    """Measure one size."""
    cluster = make_cluster(identities, policies, seed=seed)
    compile_s, compile_slow, compiled = best_of(
        RUNS,
        lambda: compile_policies(cluster.policies, config=PolicyConfig(), surroundings=cluster.surroundings),
    )
    one_s, one_slow, _ = best_of(RUNS, lambda: Matrix(compiled, cluster.parties).at(WEB))
    matrix = Matrix(compiled, cluster.parties)
    started = time.process_time()
    classes = port_classes(matrix)
    reached = [matrix.at(one.sample) for one in classes]
    all_s = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    chance = random.Random(seed)
    single = []
    for _ in range(DECISIONS):
        source, destination = (chance.choice(cluster.parties) for _ in range(2))
        started = time.perf_counter()
        compiled.combine(source, destination, WEB)
        single.append(time.perf_counter() - started)
    patches = patch_seconds(compiled, cluster, chance)
    return {
        "identities": identities,
        "policies": policies,
        "rules": len(compiled.rules),
        "compile": compile_s,
        "one": one_s,
        "all": all_s,
        "classes": len(classes),
        "open": sum(one.allowed_pairs for one in reached) / len(reached) / identities**2,
        "peak": peak,
        "single": statistics.median(single),
        "single_slow": statistics.quantiles(single, n=100)[98],
        "patch": statistics.median(patches),
        "patch_slow": max(patches),
        "noise": max(compile_slow / compile_s, one_slow / one_s),
        "wrong": disagreements(compiled, reached, chance),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small sizes only")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", nargs=2, type=int, metavar=("IDENTITIES", "POLICIES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.size:
        identities, policies = options.size
        print(json.dumps(measure(identities, policies, options.seed)))
        return
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]}, seed {options.seed}")
    print(f"seconds of one thread, best of {RUNS} runs; every port class: one run, all tables kept; x: times row one\n")
    header = "identities policies  rules | compile      | one port     | every port class            |"
    print(header + " peak MiB | decision ms (p99) | patch ms (max)  | open | wrong")
    first: dict[str, Any] | None = None
    slowest_noise = 1.0
    for identities, policies in QUICK if options.quick else SIZES:
        command = [sys.executable, str(Path(__file__)), "--seed", str(options.seed), "--size"]
        output = subprocess.check_output([*command, str(identities), str(policies)], text=True)  # noqa: S603
        row = json.loads(output)
        first = first or row
        slowest_noise = max(slowest_noise, row["noise"])
        print(line(row, first), flush=True)
    print(f"\nslowest over fastest of repeated runs: up to {slowest_noise:.2f}")
    print(f"one port: tables built anew, {WEB}, all ordered pairs")
    print(f"decision: both sides, explained; patch: {PATCHES} flows denied by default, with all else that it opens")
    print(f"wrong: of {PAIRS} sampled pairs and ports at each size, how often the matrix and `combine` differ")


def line(row: dict[str, Any], first: dict[str, Any]) -> str:
    """Write one row of the table."""
    return (
        f"{row['identities']:10} {row['policies']:8} {row['rules']:6} |"
        f" {row['compile']:5.2f} s {row['compile'] / first['compile']:4.0f}x |"
        f" {row['one']:5.2f} s {row['one'] / first['one']:4.0f}x |"
        f" {row['all']:6.2f} s {row['all'] / first['all']:5.0f}x ({row['classes']:2} classes) |"
        f" {row['peak']:8.0f} | {row['single'] * 1000:6.2f} ({row['single_slow'] * 1000:5.2f})   |"
        f" {row['patch'] * 1000:6.0f} ({row['patch_slow'] * 1000:6.0f}) |"
        f" {row['open']:3.0%}  | {row['wrong']:5}"
    )


if __name__ == "__main__":
    main()
