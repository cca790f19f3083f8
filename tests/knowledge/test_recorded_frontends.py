"""Recorded: a nodePort with externalTrafficPolicy Local, and one whose pods policy closes to the world.

Each is the sysdump of a real cluster of two nodes. What clients saw is told beside each question.
"""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from tests.cluster.record import unpacked_dump
from tests.knowledge.build import codes
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

LOCAL, DENIED = "36-nodeport-etp-local", "36e-nodeport-world-denied"

SEEN = {
    "Local, the node of the backend: connected": (LOCAL, "world 10.90.0.1 30876", "open", "FRONTEND_LEADS_IN"),
    "Local, the other node: refused": (LOCAL, "world 10.90.0.2 30876", "blocked", "SERVICE_NO_BACKEND_ON_NODE"),
    "Local, the other node by name": (LOCAL, "world node/lab-node-2 30876", "blocked", "SERVICE_NO_BACKEND_ON_NODE"),
    "Local, a pod by the Service's name: connected": (
        LOCAL,
        "monitoring/prometheus shop/cart-public 8080",
        "open",
        "SERVICE_HAS_BACKENDS",
    ),
    "denied, the node of the backend: timeout": (DENIED, "world 10.90.0.1 31757", "blocked", "POLICY_DEFAULT_DENY"),
    "denied, through the other node: timeout": (DENIED, "world 10.90.0.2 31757", "blocked", "POLICY_DEFAULT_DENY"),
    "denied, the client by its address": (DENIED, "10.90.0.254 10.90.0.2 31757", "blocked", "POLICY_DEFAULT_DENY"),
    "denied, the address that the other node forwards with": (
        DENIED,
        "10.244.1.15 shop/cart 8080",
        "blocked",
        "IDENTITY_SEEN_OTHERWISE",
    ),
    "denied, a pod by the Service's name: connected": (
        DENIED,
        "monitoring/prometheus shop/cart-public 8080",
        "open",
        "POLICY_ALLOWS",
    ),
    "denied, a pod by a node's port": (DENIED, "monitoring/prometheus 10.90.0.2 31757", "open", "POLICY_ALLOWS"),
}


@pytest.mark.parametrize(("archive", "question", "expected", "code"), SEEN.values(), ids=SEEN.keys())
def test_what_clients_saw_is_told(archive: str, question: str, expected: str, code: str, tmp_path: Path) -> None:
    source = SysdumpSource(unpacked_dump(archive, tmp_path))
    try:
        report = run(understand(f"why {question}"), source).report
    finally:
        source.close()
    assert (report.expected, code in codes(report)) == (expected, True)


@pytest.mark.parametrize("question", ["world 10.90.0.1 31757", "world 10.90.0.2 31757", "10.244.1.15 shop/cart 8080"])
def test_the_patch_is_for_the_world_whose_packets_were_dropped(question: str, tmp_path: Path) -> None:
    source = SysdumpSource(unpacked_dump(DENIED, tmp_path))
    try:
        report = run(understand(f"why {question}"), source).report
    finally:
        source.close()
    assert report.observed == "dropped"
    (patch,) = report.patches
    assert "+    - world" in patch.diff
    assert patch.blast_radius_known
