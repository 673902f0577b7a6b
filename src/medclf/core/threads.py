"""Work on many parts with all processor cores, in order, with a bounded number under way.

Threads, not processes: decoding, resampling and hashing happen in C, which lets other threads
run meanwhile, and nothing needs to be copied between processes.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

AHEAD = 2
"""Parts begun per thread before the oldest result is taken."""


def in_order(
    work: Callable[[Part], Result], parts: Iterable[Part]
) -> Generator[Result, None, None]:
    """Yield the result of each part, in order.

    Args:
        work: Done in threads; what it raises comes out here, and the rest is given up.
        parts: Drawn only as far ahead as the threads need.

    Example:
        >>> list(in_order(abs, [-1, 2, -3]))
        [1, 2, 3]
    """
    threads = count_cores()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) >= AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def count_cores() -> int:
    """Count the processor cores that this process may use.

    A container or a scheduler may grant fewer than the machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
