"""A store: all images of a cohort, prepared once and mapped into memory from one file.

The operating system reads what is asked for and drops what has not been used for long, so a
cohort may be larger than memory. A store is named by the contents of the files, their order and
the settings; whoever asks for the same gets it at once.
"""

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Record, Source
from medclf.core.remark import Remark
from medclf.errors import CohortError, ReadError, SettingError
from medclf.prepare.digest import FileDigest, digest_files
from medclf.prepare.exam import Prepare, expect_learnt
from medclf.prepare.making import Progress
from medclf.prepare.notes import name_image
from medclf.prepare.order import Failures, Order, Read, Row
from medclf.prepare.shelf import find_or_make, open_noted, open_values
from medclf.prepare.site import sites_of
from medclf.read.cache import cache_folder
from medclf.read.image import read_image
from medclf.read.partners import files_of

SHELF = "stores"

ASKED_AHEAD = 2**14
"""Bytes from which a row is asked for before it is copied: from a disk, batches of such rows then
come 2 to 4 times as fast; from memory, the question costs a few microseconds a row."""

NAMED = 3
"""Unreadable images that a message names."""


class Rows(Protocol):
    """What gives prepared images by number, copied: a `Store`, or arrays in memory."""

    @property
    def images(self) -> NDArray[np.int64]:
        """Which rows an exam's images are, (N, I); -1 for those that it has not."""

    def batch(self, indices: NDArray[np.int64]) -> NDArray[np.generic]:
        """Take images: (B,) -> (B, C, *size)."""


def first_images(rows: Rows, exams: NDArray[np.int64]) -> NDArray[np.generic]:
    """Take the first image of each exam: (B,) -> (B, C, *size)."""
    return rows.batch(rows.images[exams, 0])


@dataclass(frozen=True, eq=False)
class Store:
    """Prepared images.

    Args:
        values: (N, C, *size) in the order of the records, mapped for reading.
        names: The exams that have a row, in order.
        exam_index: (N,), the place in `names` of the exam that each row shows.
        digest: SHA-256, in hex, of the contents, their order and the settings.
        failures: Name of its exam and reason, for each image that was left out. An exam of which
            others could be read is among `names`.
        files: SHA-256 of each file that was read, by its path.
        remarks: What readers found or changed, by exam; of those only of which there is any.
    """

    values: "np.memmap[Any, np.dtype[Any]]"
    names: tuple[str, ...]
    exam_index: NDArray[np.int64]
    digest: str
    failures: tuple[tuple[str, str], ...]
    files: Mapping[str, str]
    remarks: Mapping[str, tuple[Remark, ...]]

    @cached_property
    def images(self) -> NDArray[np.int64]:
        """The rows of each exam's images, in order: (exams, most images of one), -1 for none."""
        counts = np.bincount(self.exam_index, minlength=len(self.names))
        table = np.full((len(self.names), int(counts.max(initial=1))), -1, np.int64)
        order = np.argsort(self.exam_index, kind="stable")
        place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        table[self.exam_index[order], place] = order
        return table

    def batch(self, indices: NDArray[np.int64]) -> NDArray[np.generic]:
        """Copy rows, in the order asked for; other threads run meanwhile.

        Args:
            indices: Row numbers from 0 on, each any number of times.

        Shape:
            (B,) -> (B, C, *size)

        Raises:
            IndexError: there is no such row.
        """
        indices = np.asarray(indices, np.int64)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self.values):
            raise IndexError(f"rows 0 to {len(self.values) - 1} are there, asked for {indices}")
        _ask_ahead(self.values, indices)
        copy = np.empty((*indices.shape, *self.values.shape[1:]), self.values.dtype)
        # Any other mode than "raise" writes straight into `out`.
        np.take(np.asarray(self.values), indices, axis=0, out=copy, mode="clip")
        return copy


def open_store(
    records: Sequence[Record],
    settings: Prepare,
    cache: Path | None = None,
    progress: Progress | None = None,
    skip_unreadable: bool = False,
    read: Read = read_image,
) -> Store:
    """Open the store of some exams; it is made where there is none yet.

    Args:
        records: The exams.
        settings: How every image is prepared.
        cache: Where stores are kept; `cache_folder()` where it is not given.
        progress: Told how many images of how many have been prepared, while a store is made.
        skip_unreadable: Leave out what cannot be read or prepared, and list it in `failures`.
        read: Reads an image; called in several threads at once.

    Raises:
        CohortError: there is no exam.
        ReadError: images cannot be read or prepared. All are tried; the first are named.
        SettingError: the cache cannot be written, or its disk is full; the settings are to be
            learnt first; or no exam has the column of their site.
    """
    expect_learnt(settings)
    numbers, sources = _flatten(records)
    sites = sites_of([records[number] for number in numbers], settings)
    names = tuple(records[number].name for number in numbers)
    home = cache_folder() if cache is None else cache
    try:
        files, missing = _digest(home, sources)
        present = [i for i in range(len(sources)) if i not in missing]

        def check(unread: Failures) -> Failures:
            failures = missing | {present[i]: reason for i, reason in unread.items()}
            return _allow(failures, names, skip_unreadable)

        rows = tuple(Row(sources[i], sites[i]) for i in present)
        order = Order(rows, files, settings, read)
        kept, unread = find_or_make(home / SHELF, order, check, progress)
        failures = check(unread)
        values, noted = open_values(home / SHELF, kept), open_noted(home / SHELF, kept)
    except OSError as problem:
        reason = f"prepared images cannot be kept here: {problem.strerror or problem}"
        raise SettingError(f"{home}: {reason}: name a folder by MEDCLF_CACHE") from problem
    kept_rows = [i for i in range(len(numbers)) if i not in failures]
    exams, index = _number([numbers[i] for i in kept_rows])
    remarks: dict[str, tuple[Remark, ...]] = {}
    for i in kept_rows:
        read_so = noted.get(name_image(sources[i], files), ()) if noted else ()
        if found := (*sources[i].remarks, *read_so):
            remarks[names[i]] = (*remarks.get(names[i], ()), *found)
    return Store(
        values,
        tuple(records[number].name for number in exams),
        index,
        kept.digest,
        tuple((names[i], failures[i]) for i in sorted(failures)),
        {str(path): file.digest for path, file in files.items()},
        remarks,
    )


def _digest(home: Path, sources: Sequence[Source]) -> tuple[dict[Path, FileDigest], Failures]:
    """Digest the files of all images; an image is a failure where one of its files is."""
    (home / SHELF).mkdir(parents=True, exist_ok=True)
    lying = [files_of(source) for source in sources]
    paths = dict.fromkeys(path for some in lying for path in some)
    files, missing = digest_files(paths, home / "digests.jsonl")
    if not missing:
        return files, {}
    first = {
        i: next((path for path in some if path in missing), None) for i, some in enumerate(lying)
    }
    return files, {i: missing[path] for i, path in first.items() if path is not None}


def _ask_ahead(values: "np.memmap[Any, np.dtype[Any]]", indices: NDArray[np.int64]) -> None:
    """Tell the kernel which pages will be wanted, so that it reads them all at once."""
    row = values.nbytes // len(values)
    if row < ASKED_AHEAD or not isinstance(values.base, mmap.mmap):
        return
    rows = np.unique(indices)
    breaks = np.flatnonzero(np.diff(rows) > 1) + 1  # Neighbours are asked for together.
    for run in np.split(rows, breaks) if rows.size else ():
        start, end = int(run[0]) * row, (int(run[-1]) + 1) * row
        page = start - start % mmap.PAGESIZE
        values.base.madvise(mmap.MADV_WILLNEED, page, end - page)


def _flatten(records: Sequence[Record]) -> tuple[list[int], list[Source]]:
    """List all images in order, and of each the number of its exam."""
    if not records:
        raise CohortError("exams wanted, to prepare their images, found none")
    for record in records:
        if not record.images:
            raise CohortError(f"{record.name}: at least 1 image wanted, found none")
    images = [(n, source) for n, record in enumerate(records) for source in record.images.values()]
    return [number for number, _ in images], [source for _, source in images]


def _number(rows: Sequence[int]) -> tuple[list[int], NDArray[np.int64]]:
    """Name the exams that have rows, in order, and for each row the place of its exam there."""
    exams = list(dict.fromkeys(rows))
    place = {exam: i for i, exam in enumerate(exams)}
    return exams, np.array([place[exam] for exam in rows], np.int64)


def _allow(failures: Failures, names: Sequence[str], skip: bool) -> Failures:
    """Give back the failures where they may be skipped and others are left; else refuse."""
    if not failures or (skip and len(failures) < len(names)):
        return failures
    first = [
        why if (name := " ".join(names[i].split())) in (why := failures[i]) else f"{name}: {why}"
        for i in sorted(failures)[:NAMED]
    ]
    more = "; …" if len(failures) > NAMED else ""
    others = ", or leave them out by --skip-unreadable" if len(failures) < len(names) else ""
    raise ReadError(
        f"{len(failures)} of {len(names)} images cannot be read: {'; '.join(first)}{more}; "
        f"mend them or take them out of the data{others}"
    )
