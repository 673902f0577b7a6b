"""Stores on a shelf: each in a folder named by what it is made of, there whole or not at all.

A store is made in a temporary folder beside its place, under a lock, brought to disk, and moved
to its place by one rename. A process that wants the same meanwhile waits. What a killed process
left is known by its lock, which is free, and removed by the next that comes.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from medclf import __version__
from medclf.core.record import Source
from medclf.errors import ReadError, SettingError
from medclf.prepare.digest import FileDigest, digest_image, digest_rows
from medclf.prepare.exam import Prepare
from medclf.prepare.lock import hold
from medclf.prepare.making import Progress, Read, prepare_row, row_bytes, write_rows
from medclf.read.partners import files_of

FORM = 1
"""Raised when prepared values change, so that old stores are not taken for new ones."""

VALUES = "values.bin"

Failures = dict[int, str]
"""Why an image could not be read, by its number."""

Check = Callable[[Failures], object]
"""Raises where a store without these images is not wanted."""


@dataclass(frozen=True)
class Order:
    """What is wanted of a store.

    Args:
        sources: Where each image is.
        files: The digest of each file that they are made of.
        settings: How they are prepared.
        read: Reads one.
    """

    sources: tuple[Source, ...]
    files: Mapping[Path, FileDigest]
    settings: Prepare
    read: Read

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the contents, their order and the settings."""
        return digest_rows([(s, self._digest(s)) for s in self.sources], self.settings)

    def _digest(self, source: Source) -> str:
        lying = [self.files[path] for path in files_of(source) if path in self.files]
        if source.parts:  # The names of a series' files, and so their order, do not count.
            lying.sort(key=lambda file: file.digest)
        return digest_image(lying)

    @property
    def name(self) -> str:
        """The folder of such a store; another version of the package makes its own."""
        return sha256(f"{FORM} {__version__} {self.digest}".encode()).hexdigest()[:32]

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes of the values: (N, C, *size)."""
        return (len(self.sources), self.settings.channels, *self.settings.size)

    def without(self, failures: Failures) -> "Order":
        """The same without some of the images."""
        kept = (s for number, s in enumerate(self.sources) if number not in failures)
        return replace(self, sources=tuple(kept)) if failures else self


def find_or_make(
    folder: Path, order: Order, check: Check, progress: Progress | None = None
) -> tuple[Order, Failures]:
    """Find a store, or make it.

    Args:
        folder: The shelf.
        order: What is wanted.
        check: Asked before a store is made or given out.
        progress: Told how many images of how many have been prepared.

    Returns:
        The order without the images that cannot be read, of which there is a store now; and
        these images.

    Raises:
        SettingError: the disk is full.
        ReadError: a file changed while the store was made.
        OSError: the shelf cannot be used.
    """
    found = _find(folder, order, check)
    if found is not None:
        return found
    with hold(folder / f"{order.name}.lock"):
        found = _find(folder, order, check)
        if found is None:
            _sweep(folder, order.name)
            found = _make(folder, order, check, progress)
    return found


def open_values(folder: Path, order: Order) -> "np.memmap[Any, np.dtype[Any]]":
    """Map the values of a store into memory, for reading."""
    path = folder / order.name / VALUES
    return np.memmap(path, order.settings.dtype, mode="r", shape=order.shape)


def _find(folder: Path, order: Order, check: Check) -> tuple[Order, Failures] | None:
    """Look for a store. What could not be read when it was made is tried again: it may do now."""
    failures: Failures = {}
    for number in _noted(folder, order):
        row = prepare_row(order.sources[number], order.settings, order.read)
        if isinstance(row, str):
            failures[number] = row
    if failures:
        check(failures)
    kept = order.without(failures)
    try:
        size = (folder / kept.name / VALUES).stat().st_size
    except FileNotFoundError:
        return None
    return (kept, failures) if size == _bytes(kept) else None


def _make(
    folder: Path, order: Order, check: Check, progress: Progress | None
) -> tuple[Order, Failures]:
    making = folder / f"{order.name}.making"
    _check_space(folder, _bytes(order))
    try:
        making.mkdir()
        failures = _write(making, order, progress)
        check(failures)
        _check_files(order)
        kept = order.without(failures)
        _publish(making, folder / kept.name, kept)
        _note(folder, order, failures)
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder, _bytes(order)) from problem
        raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return kept, failures


def _write(making: Path, order: Order, progress: Progress | None) -> Failures:
    with (making / VALUES).open("wb") as file:
        failures = write_rows(file, order.sources, order.settings, order.read, progress)
        file.flush()
        os.fsync(file.fileno())
    return failures


def _publish(making: Path, place: Path, order: Order) -> None:
    """Move a whole store to its place; where there is one already, that one stays."""
    facts = {"form": FORM, "medclf": __version__, "digest": order.digest, "shape": order.shape}
    facts["dtype"] = order.settings.dtype
    _write_text(making / "store.json", json.dumps(facts) + "\n")
    _sync_folder(making)
    if place.is_dir() and (place / VALUES).stat().st_size != _bytes(order):
        shutil.rmtree(place)
    try:
        making.rename(place)
    except OSError as problem:
        if problem.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    _sync_folder(place.parent)


def _sweep(folder: Path, name: str) -> None:
    """Remove what killed processes left: locks that are free, their folders, and our folder."""
    shutil.rmtree(folder / f"{name}.making", ignore_errors=True)
    left = {path.with_suffix("") for path in (*folder.glob("*.making"), *folder.glob("*.lock"))}
    for other in left - {folder / name}:
        with hold(other.with_suffix(".lock"), wait=False) as free:  # Which takes it away.
            if free:
                shutil.rmtree(other.with_suffix(".making"), ignore_errors=True)


def _noted(folder: Path, order: Order) -> list[int]:
    try:
        noted = json.loads((folder / f"{order.name}.left_out").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [number for number in noted if number < len(order.sources)]


def _note(folder: Path, order: Order, failures: Failures) -> None:
    """Note which images a store leaves out, so that it is found when all of them are asked for."""
    path = folder / f"{order.name}.left_out"
    if failures:
        part = path.with_suffix(".part")
        _write_text(part, json.dumps(list(failures)))
        part.rename(path)
    else:
        path.unlink(missing_ok=True)


def _check_files(order: Order) -> None:
    for path, file in order.files.items():
        if not file.still(path):
            raise ReadError(f"{path}: this file changed while it was prepared: begin again")


def _check_space(folder: Path, wanted: int) -> None:
    if shutil.disk_usage(folder).free < wanted:
        raise _full(folder, wanted)


def _full(folder: Path, wanted: int) -> SettingError:
    free = shutil.disk_usage(folder).free
    return SettingError(
        f"{folder}: {wanted / 1e6:,.1f} MB wanted for prepared images, {free / 1e6:,.1f} MB free: "
        "make room, or name a folder on another disk by MEDCLF_CACHE"
    )


def _bytes(order: Order) -> int:
    return len(order.sources) * row_bytes(order.settings)


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
