"""Several processes share the files; one that a damaged file brings down costs that file alone.

When a process dies, the files that were under way are tried again one by one, each in a process of
its own: the one that kills again is refused, the others come through.
"""

import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from medclf.core.record import Source
from medclf.curate.deidentify.job import do_job
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.outcome import Outcome

Task = tuple[int, Source, str]

AHEAD = 3
"""Files begun per process before the oldest is awaited."""


def work_through(
    tasks: Sequence[Task], key: Key, options: Options, folder: Path, workers: int
) -> Iterator[Outcome]:
    """Yield what became of each file, in order.

    Args:
        tasks: Number, place and name of each file.
        key: Where pseudonyms come from.
        options: What stays and what is cleaned.
        folder: In which results wait.
        workers: Processes; with 1 all is done in this one.
    """
    many = min(workers, len(tasks))
    if many <= 1:
        for task in tasks:
            yield do_job(*task, key, options, folder)
        return
    waiting, next_task = deque[tuple[Task, Future[Outcome]]](), 0
    pool = _open(many)
    try:
        while waiting or next_task < len(tasks):
            while next_task < len(tasks) and len(waiting) < AHEAD * many:
                task = tasks[next_task]
                with _uninterrupted():
                    waiting.append((task, pool.submit(do_job, *task, key, options, folder)))
                next_task += 1
            try:
                yield waiting[0][1].result()
                waiting.popleft()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                yield from (_alone(task, key, options, folder) for task, _ in waiting)
                waiting.clear()
                pool = _open(many)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(task: Task, key: Key, options: Options, folder: Path) -> Outcome:
    with _open(1) as pool:
        try:
            with _uninterrupted():
                future = pool.submit(do_job, *task, key, options, folder)
            return future.result()
        except BrokenProcessPool:
            return Outcome(task[0], refused="damaged: reading it brings the process down")


def _open(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, get_context("spawn"), _ignore_interrupts)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back while processes start, which inherit that until they ignore it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
