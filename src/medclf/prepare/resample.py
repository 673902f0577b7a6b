"""Resampling by one sparse matrix per axis, in 2D and 3D alike, without aliasing.

Each new sample is a weighted mean of the old ones around its place. The weights fall off as a
triangle, one step wide to each side where the image shrinks and one sample wide where it grows,
which is linear interpolation. Where new samples lie outside the image, nothing is weighted and
they are 0. A matrix is made once for all images of one shape.

Source: Heckbert. Fundamentals of Texture Mapping and Image Warping. Thesis, Berkeley 1989, section
3.5 (separable resampling filters). The result is that of Pillow's `Image.resize` with BILINEAR.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


def resample(values: NDArray[Any], steps: tuple[float, ...], size: tuple[int, ...]) -> NDArray[Any]:
    """Resample an image about its middle, then crop or pad it with 0 to a size.

    Args:
        values: (C, *space).
        steps: Distance of new samples along each axis of space, in old ones. With a step of 1
            samples stay as they are.
        size: Samples along each axis of space. Of an odd number to crop or to pad, the larger
            part is at the end.

    Returns:
        (C, *size), float32; the very array that was given where nothing changes.

    Example:
        >>> resample(np.array([[[0, 2, 4, 6]]], np.uint8), (1.0, 1.0), (1, 2))
        array([[[2., 4.]]], dtype=float32)
    """
    axes = [
        axis
        for axis, (old, step, new) in enumerate(zip(values.shape[1:], steps, size, strict=True))
        if old != new or step != 1
    ]
    for axis in sorted(axes, key=lambda axis: size[axis] / values.shape[axis + 1]):
        weights = axis_weights(values.shape[axis + 1], steps[axis], size[axis])
        values = _mix(values, axis + 1, weights)
    return values


@lru_cache(maxsize=256)
def axis_weights(old: int, step: float, new: int) -> csr_array:
    """Weigh old samples for each new one: (new, old); rows sum to 1, or to 0 outside the image."""
    inside = max(1, round(old / step))
    number = np.arange(new) + int((inside - new) / 2)
    centre = old / 2 + (number + 0.5 - inside / 2) * step
    reach = max(step, 1.0)
    first = np.floor(centre - reach).astype(np.int64)
    index = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    weight = np.maximum(0, 1 - np.abs(index + 0.5 - centre[:, None]) / reach)
    weight *= (index >= 0) & (index < old) & ((number >= 0) & (number < inside))[:, None]
    total = weight.sum(1, keepdims=True)
    weight /= np.where(total > 0, total, 1)
    row, tap = np.nonzero(weight)
    entries = weight[row, tap].astype(np.float32), (row, index[row, tap])
    return csr_array(entries, shape=(new, old))


def _mix(values: NDArray[Any], axis: int, weights: csr_array) -> NDArray[Any]:
    first = np.ascontiguousarray(np.moveaxis(values, axis, 0), np.float32)
    mixed = weights @ first.reshape(len(first), -1)
    return np.moveaxis(mixed.reshape(-1, *first.shape[1:]), 0, axis)
