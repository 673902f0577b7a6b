"""A cine: frames of one file that follow each other in time, as ultrasound and angiography have.

Such frames are moments of one picture, not slices of a volume: they become phases, named by their
time from the first.

Source: DICOM PS3.3, C.7.6.5 (cine) and C.7.6.6 (multi-frame).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medclf.core.image import Image
from medclf.read.dicom.grid import read_grid, read_numbers

if TYPE_CHECKING:
    from pydicom import Dataset

_STEP, _STEPS = "FrameTime", "FrameTimeVector"
_TAGS = {0x00181063: _STEP, 0x00181065: _STEPS}


def make_phases(image: Image, dataset: "Dataset", where: str) -> Image:
    """Turn frames that the file tells to follow each other in time into phases.

    Args:
        image: Values (C, F, Y, X) as the file holds them, or anything else, which stays as it is.
        dataset: The parsed file.
        where: Names it in messages.

    Returns:
        Values (F, C, Y, X) with phases as "0 ms", "33.3 ms".

    Raises:
        ReadError: the times of the frames are no numbers, or not as many as frames.
    """
    if image.phases or image.values.ndim != 4:
        return image
    frames = int(image.values.shape[1])
    times = _times_ms(dataset, frames, where)
    if times is None:
        return image
    values = np.ascontiguousarray(np.moveaxis(image.values, 1, 0))
    names = tuple(f"{time:.4g} ms" if time < 1000 else f"{time:.0f} ms" for time in times)
    return replace(image, values=values, grid=read_grid(dataset, 1, where), phases=names)


def _times_ms(dataset: "Dataset", frames: int, where: str) -> list[float] | None:
    """Read when each frame was taken; `None` where frames do not follow each other in time."""
    pointer = dataset.get("FrameIncrementPointer")
    tags = [pointer] if isinstance(pointer, int) else list(pointer or ())
    stated = [_TAGS[int(tag)] for tag in tags if int(tag) in _TAGS]
    if tags and not stated:
        return None
    if _STEPS in stated or (not tags and _STEPS in dataset):
        steps = read_numbers(dataset, _STEPS, frames, where)
        return None if steps is None else np.cumsum([0.0, *steps[1:]]).tolist()
    step = read_numbers(dataset, _STEP, 1, where)
    return None if step is None else [step[0] * frame for frame in range(frames)]
