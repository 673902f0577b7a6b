"""A scan as it is searched: all of it, turned, scaled and resampled to samples of one edge.

Cubes cut out of it later are what a network learns from, and what it is shown when it searches:
both see values that were scaled with the whole scan in view. Prepared scans lie as NIfTI files in
the folder of a system while it learns.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.core.whole import whole_file
from medclf.errors import ReadError
from medclf.prepare.crop import Box, crop
from medclf.prepare.exam import Prepare, cut_image, place_image
from medclf.read.image import read_image
from medclf.read.write import write_image


def read_volume(source: Source, prepare: Prepare, one_size: bool) -> Image:
    """Read a scan and prepare all of it.

    Args:
        source: Of the scan.
        prepare: `spacing_mm` tells the edge of samples.
        one_size: Whether all scans get the same samples, those of `prepare.size` about the middle;
            else each has as many as it fills.

    Returns:
        uint8, with the place of its samples in the patient.

    Raises:
        ReadError: it is no volume, or does not tell where its samples lie.
    """
    return prepare_volume(read_image(source), prepare, one_size, str(source))


def prepare_volume(image: Image, prepare: Prepare, one_size: bool, where: str) -> Image:
    """Prepare all of a scan that is read.

    Args:
        image: The scan.
        prepare: As `read_volume` takes it.
        one_size: Likewise.
        where: Its file, for messages.

    Raises:
        ReadError: as `read_volume` says.
    """
    if not one_size:
        cut = turn_volume(image, prepare, where)
        edges = zip(cut.space, cut.grid.spacing_mm or (), prepare.spacing_mm, strict=True)
        own = tuple(math.ceil(n * mm / wanted) for n, mm, wanted in edges)
        prepare = replace(prepare, size=own)
    found = place_image(image, prepare, where)
    grid = found.placement.grid(found.grid)
    if grid.origin_mm is None or grid.axes is None:
        raise ReadError(f"{where}: a place in the patient wanted, to tell places, found none")
    return Image(found.values, grid, image.modality)


def turn_volume(image: Image, prepare: Prepare, where: str) -> Image:
    """Turn a scan as it is before it is resampled.

    Raises:
        ReadError: it is no volume, or tells no spacing.
    """
    cut, _ = cut_image(image, prepare, where)
    if cut.grid.spacing_mm is None:
        raise ReadError(f"{where}: a spacing in mm wanted, to search for places, found none")
    return cut


def keep_volume(image: Image, path: Path) -> None:
    """Write a prepared scan, whole or not at all.

    Raises:
        RunError: it cannot be written.
    """
    with whole_file(path) as part:
        part.write_bytes(write_image(image, ".nii")[0])


def kept_volume(path: Path) -> Image:
    """Read a prepared scan again."""
    return read_image(Source(path))


def widen(image: Image, margin: int) -> Image:
    """Lay a margin of its least value about a scan, so that cubes about its edge are whole."""
    edges = tuple(n + margin for n in image.space)
    return crop(image, Box((-margin,) * len(edges), edges))[0]


def draw_places(
    image: Image, count: int, away_mm: np.ndarray, least_mm: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw places where something is shown, away from others; half by brightness.

    Args:
        image: Prepared.
        count: How many at most.
        away_mm: (N, 3) places to keep away from.
        least_mm: (N,) by so much.
        rng: Chance.

    Returns:
        (M, 3) in mm of the patient.
    """
    shown = np.flatnonzero(image.values[0] > 0)
    if not len(shown):
        return np.zeros((0, 3))
    some = min(count, len(shown))
    weight = image.values[0].ravel()[shown].astype(np.float64)
    bright = rng.choice(shown, some, p=weight / weight.sum())
    drawn = rng.permutation(np.concatenate([rng.choice(shown, some, replace=False), bright]))
    places = image.grid.to_mm(np.stack(np.unravel_index(drawn, image.space), 1).astype(float))
    if len(away_mm):
        far = np.linalg.norm(places[:, None] - away_mm[None], axis=-1) > least_mm
        places = places[far.all(1)]
    return places[:count]
