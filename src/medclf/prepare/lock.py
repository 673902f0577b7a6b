"""A lock file: what one process alone may do at a time, and what a killed process lets go.

The kernel frees the lock of a process that ends, however it ends, so a lock that is free means
that nobody is at work. The file is taken away with the lock; whoever waited for a file that has
gone meanwhile begins again with the new one.

Source: flock(2), Linux manual pages.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a lock file.

    Args:
        path: The file; its folder must exist.
        wait: Wait for another holder to end; otherwise give up at once.

    Returns:
        Whether the lock is held: always, when it was waited for.
    """
    descriptor = _take(path, wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _take(path: Path, wait: bool) -> int | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
