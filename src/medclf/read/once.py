"""Keep the result of a slow loader for as long as its file does not change.

Many threads ask at once; the first loads, the others wait for it and share the result.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from threading import RLock
from typing import TypeVar

from medclf.read.refuse import unreadable

Loaded = TypeVar("Loaded")
Loader = Callable[[Path, str], Loaded]


def once(keep: int) -> Callable[[Loader[Loaded]], Loader[Loaded]]:
    """Wrap a loader of (path, member) so that it loads each only once.

    Args:
        keep: Results held at a time; the one unused for longest goes first.

    Returns:
        A decorator. The file's time and size are part of what is remembered, so that a file that
        was replaced is loaded anew.
    """

    def wrap(load: Loader[Loaded]) -> Loader[Loaded]:
        lock = RLock()  # A zip within a zip asks for the outer one meanwhile.

        @lru_cache(keep)
        def kept(path: Path, member: str, _time: int, _size: int) -> Loaded:
            return load(path, member)

        @wraps(load)
        def ask(path: Path, member: str) -> Loaded:
            try:
                now = path.stat()
            except OSError as problem:
                raise unreadable(path, problem) from problem
            with lock:
                return kept(path, member, now.st_mtime_ns, now.st_size)

        return ask

    return wrap
