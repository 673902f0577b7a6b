"""Text files that appear whole or not at all."""

import os
from pathlib import Path

from medclf.errors import RunError


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        RunError: it cannot be written; what was there before stays.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        # Names of files need not be UTF-8: what cannot be told in it goes out as it came in.
        with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise RunError(f"{path}: cannot be written: {problem.strerror}") from problem
