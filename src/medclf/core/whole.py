"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medclf.errors import RunError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write a file under, which takes its place when it is complete.

    Raises:
        RunError: it cannot be written; what was there before stays.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise RunError(f"{path}: cannot be written: {problem.strerror}") from problem


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        RunError: it cannot be written; what was there before stays.
    """
    # Names of files need not be UTF-8: what cannot be told in it goes out as it came in.
    raw = text.encode("utf-8", "surrogateescape")
    with whole_file(path) as part, part.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
