"""Counting: by threads and by processes that are killed, under labels that are declared."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.cards.outbox import ItemKind
from bot.measured import Measured
from bot.metrics import ANSWERED, GAPS, METRICS, OTHER, QUESTION_SECONDS, SHOWN, STAGE_SECONDS, Kind, Outcome, Stage


def test_a_count_stands_under_its_labels() -> None:
    measured = Measured()
    measured.count(ANSWERED, kind="why", outcome=Outcome.OPEN)
    measured.count(ANSWERED, 2, kind="why", outcome=Outcome.BLOCKED)
    assert measured.value(ANSWERED, kind="why", outcome="open") == 1
    assert measured.value(ANSWERED, kind="why", outcome="blocked") == 2
    assert sum(one.values[0] for one in measured.series() if one.metric is ANSWERED) == 3


def test_what_is_no_declared_value_is_other_or_nothing() -> None:
    """A name can come in as a kind by a ticket of another release, and never gets out."""
    measured = Measured()
    measured.count(ANSWERED, kind="shop/cart-7d9f", outcome=Outcome.FINE)
    measured.count(GAPS, reason="shop/cart-7d9f")
    assert measured.value(ANSWERED, kind=OTHER, outcome="fine") == 1
    assert sum(one.values[0] for one in measured.series() if one.metric is GAPS) == 0
    assert not any("shop" in label for one in measured.series() for label in one.labels)


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0.005), (0.005, 0.005), (0.006, 0.025), (59.0, 60.0), (61.0, float("inf")), (-3, 0.005)],
)
def test_a_duration_is_in_the_first_bucket_that_holds_it_and_in_all_above(seconds: float, bucket: float) -> None:
    measured = Measured()
    measured.took(STAGE_SECONDS, seconds, stage=Stage.READ)
    (found,) = [one for one in measured.series() if one.metric is STAGE_SECONDS and one.labels == ("read",)]
    *counts, total = found.values
    ends = (*STAGE_SECONDS.buckets, float("inf"))
    assert counts == [1 if end >= bucket else 0 for end in ends]
    assert total == max(0, seconds)


def test_a_stage_that_raises_has_taken_its_time() -> None:
    measured = Measured()
    with pytest.raises(TimeoutError), measured.timed(STAGE_SECONDS, stage=Stage.READ):
        raise TimeoutError
    assert measured.value(STAGE_SECONDS, stage="read") == 1


def test_no_count_of_any_thread_is_lost() -> None:
    measured = Measured()

    def count(_: int) -> None:
        for _ in range(500):
            measured.count(ANSWERED, kind="why", outcome=Outcome.OPEN)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    assert measured.value(ANSWERED, kind="why", outcome="open") == 4000


def test_a_killed_process_leaves_what_it_counted_and_its_successor_counts_on() -> None:
    script = """
        import os, signal
        from bot.measured import measured
        from bot.metrics import ALERTS
        for child in (0, 1, 0):
            if not os.fork():
                measured.in_row(child)
                measured.count(ALERTS, 5)
                os.kill(os.getpid(), signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGKILL
        measured.count(ALERTS)
        print(measured.value(ALERTS))
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "16.0"


def test_a_process_that_was_forked_does_not_keep_the_port_of_a_parent_that_is_gone() -> None:
    script = """
        import os
        from bot.metrics_server import MetricsServer
        first = MetricsServer("127.0.0.1", 0)
        go_on, may_end = os.pipe()
        if not (child := os.fork()):
            os.close(may_end)
            os.read(go_on, 1)
            os._exit(0)
        first.close()
        MetricsServer("127.0.0.1", first.port).close()
        os.close(may_end)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "0"


def test_each_metric_is_declared_once_and_has_bounded_labels() -> None:
    assert len({one.full_name for one in METRICS}) == len(METRICS) > 20
    for metric in METRICS:
        assert metric.meaning.endswith(".")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
        for values in metric.labels.values():
            assert 0 < len(set(values)) == len(values) <= 50
    assert QUESTION_SECONDS.series_names[0] == "cilium_triage_question_seconds_bucket"


def test_what_is_shown_of_alerts_is_counted_by_kinds_that_are_shown() -> None:
    assert {*SHOWN.labels["what"], "lapse"} == {str(kind) for kind in ItemKind}
