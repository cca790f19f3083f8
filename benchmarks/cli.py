"""Wall time and peak memory of ``cilium-triage why`` on the sample sysdump, the whole process each time."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tools.demo import QUESTION, SAMPLE

RUNS = 10
COMMAND = [str(Path(sys.executable).with_name("cilium-triage")), *QUESTION.split(), "--sysdump", str(SAMPLE)]


def measure() -> tuple[float, float, float]:
    """Return seconds on the wall, seconds of processor time, and MiB of one run."""
    started = time.perf_counter()
    process = subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL)  # noqa: S603
    _, _, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def main() -> None:
    runs = [measure() for _ in range(RUNS)]
    seconds, processor, memory = zip(*runs, strict=True)
    print(" ".join(COMMAND[1:4]), f"on {SAMPLE.name}, {RUNS} runs")
    print(f"  wall time  median {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s")
    print(f"  processor  median {statistics.median(processor):.2f} s, slowest {max(processor):.2f} s")
    print(f"  peak RSS   median {statistics.median(memory):.0f} MiB, largest {max(memory):.0f} MiB")


if __name__ == "__main__":
    main()
