"""Scans prepared for a training, in the folder of its system, and their targets told in mm."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Point
from medclf.errors import CohortError
from medclf.locate.scans import Scan
from medclf.prepare.settings import Prepare
from medclf.read.image import read_image
from medclf.systems.volume import keep_volume, kept_volume, read_volume
from medclf.watch import Watch


def prepare_scans(
    scans: Sequence[Scan], prepare: Prepare, one_size: bool, place: Path, watch: Watch
) -> tuple[list[Scan], dict[str, Path], int]:
    """Prepare scans that are not prepared yet.

    Args:
        scans: As read.
        prepare: As `read_volume` takes it.
        one_size: Likewise.
        place: The folder of prepared scans.
        watch: Told how far it is.

    Returns:
        The scans with their targets in mm, where each lies prepared, and how many targets lie
        beyond what is searched.

    Raises:
        CohortError: a target lies outside of its scan.
    """
    place.mkdir(exist_ok=True)
    found, volumes, beyond = [], {}, 0
    for number, scan in enumerate(scans):
        path = place / f"{number:05d}.nii"
        if not path.exists():
            keep_volume(read_volume(scan.source, prepare, one_size), path)
        volumes[scan.name] = path
        told, unseen = _in_mm(scan, path)
        found.append(told)
        beyond += unseen
        if watch.count is not None:
            watch.count(number + 1, len(scans))
    return found, volumes, beyond


def _in_mm(scan: Scan, path: Path) -> tuple[Scan, int]:
    """Tell the targets of a scan in mm, and how many lie beyond what is searched of it."""
    if not scan.targets:
        return scan, 0
    searched, targets, beyond = kept_volume(path), [], 0
    read = cache(partial(read_image, scan.source))
    for target in scan.targets:
        at = np.array(target.point.at)
        if target.point.unit == "samples":
            at = read().grid.to_mm(at)
        if not _shows(searched, at):
            if not _shows(read(), at):
                raise CohortError(f"{scan.name}: a mark in the scan wanted, found {target.point}")
            beyond += 1
        targets.append(replace(target, point=Point(tuple(at.tolist()), "mm")))
    return replace(scan, targets=tuple(targets)), beyond


def _shows(image: Image, at_mm: NDArray[np.float64]) -> bool:
    sample = image.grid.from_mm(at_mm)
    return bool(((sample >= -0.5) & (sample <= np.array(image.space) - 0.5)).all())
