"""A store is made: every image is read, prepared and appended to one file, with all cores.

Images are worked on in parts of a few megabytes, of which a few are under way at a time, so
memory does not grow with the cohort. The file is written, not mapped: a full disk is then an
error that can be told, and not the end of the process.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import MedclfError
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.threads import in_order

Read = Callable[[Source], Image]
Progress = Callable[[int, int], None]

PART_BYTES, PART_ROWS = 2 * 2**20, 64


@dataclass(frozen=True)
class Part:
    """Some rows, prepared.

    Args:
        values: (rows that could be read, C, *size), C-contiguous.
        count: Rows that were tried.
        failures: Why a row could not be read, by its place among those tried.
    """

    values: NDArray[Any]
    count: int
    failures: dict[int, str]


def row_bytes(settings: Prepare) -> int:
    """Count the bytes that one prepared image takes."""
    return settings.channels * prod(settings.size) * np.dtype(settings.dtype).itemsize


def prepare_row(source: Source, settings: Prepare, read: Read) -> NDArray[Any] | str:
    """Read and prepare one image, or tell in one line why that cannot be done."""
    try:
        return prepare_image(read(source), settings, str(source))
    except MedclfError as problem:
        return " ".join(str(problem).split())
    except OSError as problem:
        return f"{source}: cannot be read: {problem.strerror or problem}"


def write_rows(
    file: BinaryIO,
    sources: Sequence[Source],
    settings: Prepare,
    read: Read,
    progress: Progress | None = None,
) -> dict[int, str]:
    """Prepare images and append them to a file, in order.

    Args:
        file: Where the values go; rows that cannot be read are left out.
        sources: Where the images are.
        settings: How they are prepared.
        read: Reads one.
        progress: Told after each part how many of how many are done.

    Returns:
        Why an image could not be read, by its number among the sources.

    Raises:
        OSError: the file cannot be written.
    """

    def work(part: Sequence[Source]) -> Part:
        return _prepare_part(part, settings, read)

    failures: dict[int, str] = {}
    done = 0
    with closing(in_order(work, _parts(sources, row_bytes(settings)))) as parts:
        for part in parts:
            file.write(part.values.data.cast("B") if part.values.size else b"")
            failures |= {done + place: reason for place, reason in part.failures.items()}
            done += part.count
            if progress is not None:
                progress(done, len(sources))
    return failures


def _parts(sources: Sequence[Source], each: int) -> Iterator[Sequence[Source]]:
    rows = min(PART_ROWS, max(1, PART_BYTES // each))
    for start in range(0, len(sources), rows):
        yield sources[start : start + rows]


def _prepare_part(sources: Sequence[Source], settings: Prepare, read: Read) -> Part:
    values = np.empty((len(sources), settings.channels, *settings.size), settings.dtype)
    failures: dict[int, str] = {}
    kept = 0
    for place, source in enumerate(sources):
        row = prepare_row(source, settings, read)
        if isinstance(row, str):
            failures[place] = row
        else:
            values[kept] = row
            kept += 1
    return Part(values[:kept], len(sources), failures)
