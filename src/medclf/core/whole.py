"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medclf.errors import RunError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write a file under, which takes its place when it is complete and on disk.

    Raises:
        RunError: it cannot be written. Whatever goes wrong, what was there before stays, and
            nothing of the new one.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("r+b") as file:  # Some systems bring to disk only what may be written.
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as problem:
        raise RunError(f"{path}: cannot be written: {problem.strerror}") from problem
    finally:
        with suppress(OSError):
            part.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        RunError: it cannot be written; what was there before stays.
    """
    # Names of files need not be UTF-8: what cannot be told in it goes out as it came in.
    raw = text.encode("utf-8", "surrogateescape")
    with whole_file(path) as part:
        part.write_bytes(raw)
