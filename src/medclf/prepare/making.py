"""A store is made: every image is read, prepared and appended to one file, with all cores.

Images are worked on in parts of a few megabytes, of which a few are under way at a time, so
memory does not grow with the cohort. The file is written, not mapped: a full disk is then an
error that can be told, and not the end of the process. Every half second what has been written
is brought to disk and noted in a journal beside it; from there a killed making goes on.
"""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from medclf.core.memory import keep_memory
from medclf.core.threads import in_order
from medclf.prepare.notes import Noted, list_noted, unlist_noted
from medclf.prepare.order import Failures, Order, Row

Progress = Callable[[int, int], None]

VALUES, JOURNAL = "values.bin", "journal.jsonl"

PART_BYTES, PART_ROWS = 2 * 2**20, 64

SECONDS = 0.5
"""Between two notes in the journal: no more is lost to a kill, and no more is left to be brought
to disk when the threads have nothing else to do."""


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
    failures: Failures


@dataclass
class Done:
    """How far a store has been made.

    Args:
        count: Rows that were tried, from the first on.
        failures: Why one of them could not be read, by its number.
        noted: What readers remarked.
    """

    count: int = 0
    failures: Failures = field(default_factory=dict)
    noted: Noted = field(default_factory=dict)

    def rows(self) -> int:
        """Count the rows that have been written."""
        return self.count - len(self.failures)


def make_values(folder: Path, order: Order, progress: Progress | None = None) -> Failures:
    """Write the values of a store, or go on where a killed process ended.

    Args:
        folder: Where they go; what is in it is of the same order.
        order: What is wanted. Rows that cannot be read are left out; what was remarked of the
            others is noted in it.
        progress: Told after each part how many of how many are done.

    Returns:
        Why an image could not be read, by its number.

    Raises:
        OSError: the file cannot be written.
    """
    done = recall(folder, order.row_bytes)
    if not done.count:  # What is not believed must not stand before what will be noted.
        (folder / JOURNAL).unlink(missing_ok=True)
    order.noted.update(done.noted)
    (folder / VALUES).touch()
    with (folder / VALUES).open("r+b") as file, closing(write_rows(file, order, done)) as parts:
        file.truncate(done.rows() * order.row_bytes)
        file.seek(0, os.SEEK_END)
        fresh, noted = dict[int, str](), time.monotonic()
        for failures in parts:
            fresh |= failures
            if time.monotonic() - noted > SECONDS:
                _sync(file)
                told = order.noted.copy()  # It grows while other threads read.
                remarked = {key: told[key] for key in told.keys() - done.noted.keys()}
                _note(folder, Done(done.count, fresh, remarked))
                done.noted |= remarked
                fresh, noted = {}, time.monotonic()
            if progress is not None:
                progress(done.count, len(order.rows))
        _sync(file)
    return done.failures


def recall(folder: Path, row_bytes: int) -> Done:
    """Read how far a store has been made; nothing where its values are not there as noted."""
    done = Done()
    try:
        for line in (folder / JOURNAL).read_text(encoding="utf-8").splitlines():
            count, failures, noted = json.loads(line)
            done.count = int(count)
            done.failures |= {int(number): str(reason) for number, reason in failures}
            done.noted |= unlist_noted(noted)
        size = (folder / VALUES).stat().st_size
    except (OSError, ValueError, TypeError):
        return Done()
    return done if size >= done.rows() * row_bytes else Done()


def write_rows(file: BinaryIO, order: Order, done: Done) -> Generator[Failures, None, None]:
    """Prepare the images that are left and append them to a file, in order.

    Args:
        file: Where the values go.
        order: What is wanted.
        done: How far it has come; kept up to date.

    Returns:
        After each part, which of its images could not be read, and why.
    """

    def work(rows: Sequence[Row]) -> Part:
        return _prepare_part(rows, order)

    keep_memory()
    left = order.rows[done.count :]
    with closing(in_order(work, _parts(left, order.row_bytes))) as parts:
        for part in parts:
            file.write(part.values.data.cast("B") if part.values.size else b"")
            failures = {done.count + place: why for place, why in part.failures.items()}
            done.failures |= failures
            done.count += part.count
            yield failures


def _parts(rows: Sequence[Row], each: int) -> Iterator[Sequence[Row]]:
    count = min(PART_ROWS, max(1, PART_BYTES // each))
    for start in range(0, len(rows), count):
        yield rows[start : start + count]


def _prepare_part(rows: Sequence[Row], order: Order) -> Part:
    values = np.empty((len(rows), *order.shape[1:]), order.settings.dtype)
    failures: Failures = {}
    kept = 0
    for place, found in enumerate(order.prepare(rows)):
        if isinstance(found, str):
            failures[place] = found
        else:
            values[kept] = found
            kept += 1
    return Part(values[:kept], len(rows), failures)


def _note(folder: Path, done: Done) -> None:
    """Note how far the values reach that are on disk, and what was found since the last note."""
    line = json.dumps([done.count, list(done.failures.items()), list_noted(done.noted)])
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(line + "\n")
        _sync(journal)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
