"""A hard case: files that are written, and what a reader must make of them, or refuse."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.hard.scene import Field

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True, eq=False)
class Volume:
    """An image that must come out, by the scene that it shows.

    Args:
        scenes: What each phase shows; a single one of a still image.
        samples: How many voxels a phase has; `None` where the reader must interpolate.
        tolerance: How far a voxel may be off.
        filled: Whether voxels where nothing was scanned may hold the least value of the image.
        padded: Whether voxels may hold the least value of their slice.
    """

    scenes: tuple[Field, ...]
    samples: int | None
    tolerance: float = 1.0
    filled: bool = False
    padded: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """An image that must come out, by its values.

    Args:
        values: (C, Y, X), or (C, Z, Y, X) of frames without a place.
        tolerance: How far a value may be off.
    """

    values: NDArray[np.float64]
    tolerance: float = 0.5


@dataclass(frozen=True, eq=False)
class Truth:
    """What must come of a case.

    Args:
        images: All that must come out, in any order; none where the case must be refused.
        told: The kind of a remark that must be made; "" where none is needed.
        root: What is to be read, below the folder: "" for all of it.
    """

    images: tuple[Volume | Picture, ...] = ()
    told: str = ""
    root: str = ""


REFUSED = Truth()

Write = Callable[[Path, np.random.Generator], Truth]


@dataclass(frozen=True)
class Case:
    """A hard case.

    Args:
        name: Names it in tables.
        about: What makes it hard, in one line.
        write: Writes its files to a folder.
        group: What it is a case of.
    """

    name: str
    about: str
    write: Write
    group: str


def collect(group: str, *writers: Write) -> tuple[Case, ...]:
    """Make cases of functions, whose names and first lines of docstrings name them."""
    cases = []
    for write in writers:
        name = re.sub("_", " ", getattr(write, "__name__", ""))
        about = (write.__doc__ or "").split("\n")[0].rstrip(".")
        cases.append(Case(name, about, write, group))
    return tuple(cases)


def save(
    datasets: "Sequence[Dataset]",
    folder: Path,
    rng: np.random.Generator,
    suffix: str = ".dcm",
    prefix: str = "",
) -> list[Path]:
    """Write data sets under names that are dealt at random, as exports often do."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, dataset in zip(rng.permutation(len(datasets)), datasets, strict=True):
        path = folder / f"{prefix}{number:04d}{suffix}"
        write(dataset, path)
        paths.append(path)
    return paths


def write(dataset: "Dataset", path: Path) -> None:
    """Write one file, with its preamble."""
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path, enforce_file_format=True)
