"""What an entry takes: seconds to answer one image, and the most memory its process held."""

import math
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

MOST_SECONDS = 1.0
FEWEST, MOST = 5, 200
MIB = 1 << 20


def time_answers(answer: Callable[[], object]) -> float:
    """Time an answer again and again, for a second or so.

    Returns:
        The median in milliseconds; the first two answers, which warm caches, do not count.
    """
    times: list[float] = []
    for _ in range(2):
        answer()
    end = time.perf_counter() + MOST_SECONDS
    while len(times) < FEWEST or (len(times) < MOST and time.perf_counter() < end):
        start = time.perf_counter()
        answer()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def peak_memory_mb() -> float:
    """Give the most memory that this process has held at once, in MiB.

    Linux lets a child inherit its parent's peak in `getrusage`, so there it is read elsewhere; on
    Windows it is not known, which nan says.
    """
    if sys.platform == "win32":
        return math.nan
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MIB
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / MIB


def name_machine() -> str:
    """Name the processor, and how many threads compute on it."""
    name = platform.processor() or platform.machine()
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        lines = listed.read_text(errors="replace").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = models[0] if models else name
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {threads} threads"
