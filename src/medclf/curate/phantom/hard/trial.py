"""How medclf itself does on a hard case: all that it finds and reads, and what it says."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.curate.phantom.hard.judge import Output, affine_places
from medclf.errors import MedclfError
from medclf.read.dicom.find import find_series
from medclf.read.image import read_image


@dataclass(frozen=True, eq=False)
class Attempt:
    """What a reader made of a case.

    Args:
        outputs: The images.
        remarks: Kinds of remarks.
        loud: Whether anything was refused.
        messages: What was said, for a person.
    """

    outputs: tuple[Output, ...]
    remarks: tuple[str, ...] = ()
    loud: bool = False
    messages: tuple[str, ...] = ()


def try_medclf(root: Path) -> Attempt:
    """Find and read all DICOM images of a case."""
    try:
        found = find_series(root)
    except MedclfError as problem:
        return Attempt((), loud=True, messages=(str(problem),))
    remarks = ["left out" for _ in found.left_out]
    messages = [f"{one.source.path.name}: {one.reason}" for one in found.left_out]
    outputs, loud = [], False
    for series in found.series:
        try:
            image = read_image(series.source)
        except MedclfError as problem:
            loud = True
            messages.append(str(problem))
            continue
        outputs.append(_output(image))
        for remark in image.remarks:
            remarks.append(remark.kind)
            messages.append(remark.message)
    return Attempt(tuple(outputs), tuple(remarks), loud, tuple(messages))


def _output(image: Image) -> Output:
    """Bring an image to (T, C, Z, Y, X), with the place of each voxel."""
    values = image.values if image.phases else image.values[None]
    values = values if values.ndim == 5 else values[:, :, None]
    return Output(values, _places(image.grid, values.shape[2:]))


def _places(grid: Grid, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    if grid.origin_mm is None or grid.axes is None or grid.spacing_mm is None:
        return None
    steps = np.asarray(grid.axes) * np.array(grid.spacing_mm)[:, None]
    if len(steps) == 2:
        steps = np.vstack([np.zeros(3), steps])
    return affine_places(shape, grid.origin_mm, steps)
