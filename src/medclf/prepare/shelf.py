"""Stores on a shelf: each in a folder named by what it is made of, there whole or not at all.

A store is made in a temporary folder beside its place, under a lock, brought to disk, and moved
to its place by one rename. A process that wants the same meanwhile waits. What a killed process
left is known by its lock, which is free: whoever wants the same store goes on with it, and it is
removed when nobody has for some days. So is a store that nobody has opened for a month.
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from medclf import __version__
from medclf.errors import SettingError
from medclf.prepare.held import FACTS, ROWS, find_held
from medclf.prepare.lock import hold
from medclf.prepare.making import JOURNAL, VALUES, Progress, make_values, recall
from medclf.prepare.notes import REMARKS, Noted, list_noted, read_noted
from medclf.prepare.order import FORM, Failures, Order

KEPT_DAYS = 3.0
"""How long what a killed process left waits for somebody to go on with it."""

UNUSED_DAYS = 30.0
"""How long a store is kept that nobody opens."""

Check = Callable[[Failures], object]
"""Raises where a store without these images is not wanted."""


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
        OSError: the shelf cannot be used.
    """
    found = _find(folder, order, check)
    if found is not None:
        return found
    with hold(folder / f"{order.name}.lock"):
        found = _find(folder, order, check)
        if found is None:
            _sweep(folder, order.name)
            found = _make(folder, order, progress)
    check(found[1])
    return found


def open_values(folder: Path, order: Order) -> "np.memmap[Any, np.dtype[Any]]":
    """Map the values of a store into memory, for reading."""
    path = folder / order.name / VALUES
    return np.memmap(path, order.settings.dtype, mode="r", shape=order.shape)


def open_noted(folder: Path, order: Order) -> Noted:
    """Read what was remarked of the images of a store, when they were read."""
    return read_noted(folder / order.name)


def _find(folder: Path, order: Order, check: Check) -> tuple[Order, Failures] | None:
    """Look for a store. What could not be read when it was made is tried again: it may do now."""
    failures: Failures = {}
    noted = _noted(folder, order)
    tried = order.prepare([order.rows[number] for number in noted])
    for number, row in zip(noted, tried, strict=True):
        if isinstance(row, str):
            failures[number] = row
    if failures:
        check(failures)
    kept = order.without(failures)
    try:
        size = (folder / kept.name / VALUES).stat().st_size
    except FileNotFoundError:
        return None
    if size != _bytes(kept):
        return None
    with suppress(OSError):  # Of a shelf that may only be read.
        os.utime(folder / kept.name / FACTS)
    return kept, failures


def _make(folder: Path, order: Order, progress: Progress | None) -> tuple[Order, Failures]:
    """Make a store, or go on with it. What can be read is kept, whatever cannot."""
    making = folder / f"{order.name}.making"
    _check_space(folder, _bytes(order) - recall(making, order.row_bytes).rows() * order.row_bytes)
    try:
        making.mkdir(exist_ok=True)
        failures = make_values(making, replace(order, held=find_held(folder, order)), progress)
        kept = order.without(failures)
        if kept.rows:
            _publish(making, folder / kept.name, kept)
            _note(folder, order, failures)
    except OSError as problem:
        shutil.rmtree(making, ignore_errors=True)
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder, _bytes(order)) from problem
        raise
    shutil.rmtree(making, ignore_errors=True)
    return kept, failures


def _publish(making: Path, place: Path, order: Order) -> None:
    """Move a whole store to its place; where there is one already, that one stays."""
    facts = {"form": FORM, "medclf": __version__, "digest": order.digest, "shape": order.shape}
    facts |= {"dtype": order.settings.dtype, "kind": order.kind}
    (making / ROWS).write_bytes(b"".join(order.row_digests))
    _write_text(making / FACTS, json.dumps(facts) + "\n")
    if order.noted:
        _write_text(making / REMARKS, json.dumps(list_noted(order.noted)) + "\n")
    (making / JOURNAL).unlink(missing_ok=True)
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
    """Remove what killed processes left: locks that are free, and folders that have grown old.

    Stores that nobody has opened for long go too; who has mapped one keeps what he has.
    """
    for facts in folder.glob(f"*/{FACTS}"):
        if _age_days(facts) > UNUSED_DAYS:
            shutil.rmtree(facts.parent, ignore_errors=True)
    left = {path.with_suffix("") for path in (*folder.glob("*.making"), *folder.glob("*.lock"))}
    for other in left - {folder / name}:
        with hold(other.with_suffix(".lock"), wait=False) as free:  # Which takes it away.
            making = other.with_suffix(".making")
            if free and _age_days(making, *making.glob("*")) > KEPT_DAYS:
                shutil.rmtree(making, ignore_errors=True)


def _age_days(*paths: Path) -> float:
    """Tell how long nobody has written into any of these."""
    try:
        last = max(path.stat().st_mtime for path in paths)
    except OSError:
        return 0.0
    return (time.time() - last) / 86_400


def _noted(folder: Path, order: Order) -> list[int]:
    try:
        noted = json.loads((folder / f"{order.name}.left_out").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return [number for number in noted if number < len(order.rows)]


def _note(folder: Path, order: Order, failures: Failures) -> None:
    """Note which images a store leaves out, so that it is found when all of them are asked for."""
    path = folder / f"{order.name}.left_out"
    if failures:
        part = path.with_suffix(".part")
        _write_text(part, json.dumps(list(failures)))
        part.rename(path)
    else:
        path.unlink(missing_ok=True)


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
    return len(order.rows) * order.row_bytes


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
