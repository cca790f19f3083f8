"""``cilium-triage watch``: a live cluster is asked until the fix worked; two archives are held against each other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bot.fixes.typed import typed_watch
from handlers.fixes.judge import FixState
from handlers.model.snapshot import Ask, Known, Missing
from tests.fixes.moments import ASKED, LOOKED, A, B, denied, opened
from tests.knowledge.build import Cluster, ago
from tests.scenarios.truth import FOLDER
from workers.cli.app import run
from workers.cli.watch import watched


@dataclass
class Changing:
    """A source that is one cluster after the other, each time that somebody waits."""

    clusters: Iterator[Cluster]
    at: datetime = field(default_factory=lambda: ago(LOOKED))
    title: str = "made up"

    def __post_init__(self) -> None:
        self.cluster = next(self.clusters)

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=100)
        self.cluster = next(self.clusters)

    def now(self) -> datetime:
        return self.at

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        return self.cluster.source().read(ask, timeout)

    def close(self) -> None:
        """Hold nothing."""


def test_a_live_cluster_is_asked_until_the_fix_worked(capsys: pytest.CaptureFixture[str]) -> None:
    dropped = denied().dropped(A, B, 8080, at=LOOKED + 20)
    source = Changing(iter([dropped, dropped, opened(), opened().worked(A, B, 8080, at=60)]))
    typed = typed_watch(f"{ASKED} 10m")
    fix = watched(typed.asked, typed.span, source, None, budget=5, wait=source.wait)
    assert fix.state is FixState.FIXED
    first, second, third, fourth = capsys.readouterr().out.splitlines()
    assert first.startswith("blocked; the last drop is of ")
    assert second.startswith("still blocked, nothing changed")
    assert third.startswith("opened by kubectl-edit of shop/allow at 11:57:00 UTC")
    assert fourth.startswith("fixed by kubectl-edit of shop/allow at 11:57:00 UTC, packets pass since")


def test_two_archives_are_held_against_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = (str(FOLDER / name / "sysdump.zip") for name in ("01-baseline", "02-ingress-default-deny"))
    question = ["why", "shop/loadgen", "shop/cart", "8080"]
    assert run(["watch", *question, "--before", before, "--sysdump", after]) == 1
    assert "stopped since: cart-allow-frontend wants app=frontend" in capsys.readouterr().out


def test_an_archive_alone_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    dump = str(FOLDER / "01-baseline" / "sysdump.zip")
    assert run(["watch", "why", "shop/loadgen", "shop/cart", "--sysdump", dump]) == 64
    assert "--before" in capsys.readouterr().err
