"""Hold what a reader made of a case against the truth.

A voxel with a place in the patient is compared with the scene at that place, so that the order of
axes is the reader's own affair; a picture without one, with its values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.hard.case import Picture, Truth, Volume
from medclf.curate.phantom.hard.scene import Field

RIGHT, REFUSED, TOLD, WRONG = "right", "refused", "told", "wrong"
"""All as it must be; nothing came out; wrong or incomplete, but said so; silently wrong."""

COVERED = 0.5
"""The share of an image that must have been scanned."""


@dataclass(frozen=True, eq=False)
class Output:
    """One image that a reader gave.

    Args:
        values: (T, C, Z, Y, X) of a reader's own order of axes in space.
        places_mm: (Z, Y, X, 3), where each voxel lies as (z, y, x) of the LPS frame; `None` where
            the reader does not say.
    """

    values: NDArray[np.generic]
    places_mm: NDArray[np.float64] | None


def affine_places(
    shape: Sequence[int], origin_mm: Sequence[float], steps_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Place each voxel: origin (z, y, x) and one row (z, y, x) per array axis, in mm."""
    index = np.moveaxis(np.indices(tuple(shape)), 0, -1)
    return np.asarray(np.array(origin_mm) + index @ steps_mm)


def judge(truth: Truth, outputs: Sequence[Output], remarks: Sequence[str], loud: bool) -> str:
    """Tell how a reader did.

    Args:
        truth: What must come out.
        outputs: What came out.
        remarks: Kinds of what the reader remarked.
        loud: Whether the reader said, by an error or a warning, that something was wrong.
    """
    matched = _match(truth, outputs)
    told = not truth.told or truth.told in remarks or (loud and not remarks)
    if truth.images and matched and len(outputs) == len(truth.images):
        return RIGHT if told else WRONG
    if not outputs:
        return REFUSED if loud or not truth.images else WRONG
    return TOLD if loud or remarks else WRONG


def _match(truth: Truth, outputs: Sequence[Output]) -> bool:
    """Tell whether each image that must come out did so, each by another output."""
    left = list(outputs)
    for image in truth.images:
        found = next((one for one in left if _is(image, one)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is(image: Volume | Picture, output: Output) -> bool:
    if isinstance(image, Picture):
        return _is_picture(image, output)
    values, places = output.values, output.places_mm
    if places is None or values.shape[:2] != (len(image.scenes), 1):
        return False
    if image.samples is not None and values[0, 0].size != image.samples:
        return False
    return all(
        _shows(scene, phase[0], places, image)
        for scene, phase in zip(image.scenes, values, strict=True)
    )


def _shows(
    scene: Field, values: NDArray[np.generic], places: NDArray[np.float64], image: Volume
) -> bool:
    """Compare voxels with the scene; where nothing was scanned, they may hold a least value."""
    found = np.asarray(values, np.float64)
    right = np.abs(found - scene.at(places)) <= image.tolerance
    least = found <= found.min(axis=(-2, -1), keepdims=True) if image.padded else np.False_
    if image.filled:
        least = found == found.min()
    return bool((right | least).all() and right.mean() >= COVERED)


def _is_picture(image: Picture, output: Output) -> bool:
    wanted = np.asarray(image.values, np.float64)
    found = np.asarray(output.values, np.float64)
    if found.size != wanted.size:
        return False
    return bool(np.abs(found.reshape(wanted.shape) - wanted).max() <= image.tolerance)
