"""Resampling by one sparse matrix per axis, in 2D and 3D alike, without aliasing.

Each new sample is a weighted mean of the old ones around its place. The weights fall off as a
triangle (order 1, linear) or as a cubic (order 3), one sample wide where the image grows; where
it shrinks, they are stretched to the new step, so that nothing finer is left to alias. Order 0
takes the nearest sample, as masks need it. Where new samples lie outside the image, nothing is
weighted and they are 0. A matrix is made once for all images of one shape.

Source: Heckbert. Fundamentals of Texture Mapping and Image Warping. Thesis, Berkeley 1989, section
3.5 (separable resampling filters). Keys. Cubic convolution interpolation for digital image
processing. IEEE Transactions on Acoustics, Speech and Signal Processing 29, 1981, equation 15. The
result is that of Pillow's `Image.resize` with BILINEAR and BICUBIC.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from medclf.prepare.placement import Placement, moved


def resample(
    values: NDArray[Any],
    steps: tuple[float, ...],
    size: tuple[int, ...],
    order: int = 1,
    antialias: bool = True,
) -> NDArray[Any]:
    """Resample an image about its middle, then crop or pad it with 0 to a size.

    Args:
        values: (C, *space).
        steps: Distance of new samples along each axis of space, in old ones. With a step of 1
            samples stay as they are.
        size: Samples along each axis of space. Of an odd number to crop or to pad, the larger
            part is at the end.
        order: 0, 1 or 3. A cubic may overshoot by a few hundredths at an edge.
        antialias: Stretch the weights where the image shrinks.

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
        weights = axis_weights(values.shape[axis + 1], steps[axis], size[axis], order, antialias)
        values = _mix(values, axis + 1, weights)
    return values


@lru_cache(maxsize=256)
def place_samples(
    space: tuple[int, ...], steps: tuple[float, ...], size: tuple[int, ...]
) -> Placement:
    """Tell where the samples that `resample` makes lie in the image."""
    start = [
        float(_place(old, step, np.array(_first(old, step, new)))) - 0.5
        for old, step, new in zip(space, steps, size, strict=True)
    ]
    return moved(start, steps)


@lru_cache(maxsize=256)
def axis_weights(
    old: int, step: float, new: int, order: int = 1, antialias: bool = True
) -> csr_array:
    """Weigh old samples for each new one: (new, old); rows sum to 1, or to 0 outside the image."""
    number = _first(old, step, new) + np.arange(new)
    centre = _place(old, step, number)
    if order == 0:
        index, weight = np.floor(centre).astype(np.int64)[:, None], np.ones((new, 1))
    else:
        wide = max(step, 1.0) if antialias else 1.0
        reach = wide if order == 1 else 2 * wide
        first = np.floor(centre - reach).astype(np.int64)
        index = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
        weight = _fall(np.abs(index + 0.5 - centre[:, None]) / wide, order)
    weight *= (
        (index >= 0) & (index < old) & ((number >= 0) & (number < _inside(old, step)))[:, None]
    )
    total = weight.sum(1, keepdims=True)
    weight /= np.where(total > 0, total, 1)
    row, tap = np.nonzero(weight)
    entries = weight[row, tap].astype(np.float32), (row, index[row, tap])
    return csr_array(entries, shape=(new, old))


def _fall(far: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Weigh by distance, in samples: a triangle, or Keys' cubic with a slope of -1/2 at 1."""
    if order == 1:
        return np.asarray(np.maximum(0, 1 - far))
    near = (1.5 * far - 2.5) * far**2 + 1
    tail = ((-0.5 * far + 2.5) * far - 4) * far + 2
    return np.asarray(np.where(far < 1, near, np.where(far < 2, tail, 0)), np.float64)


def _inside(old: int, step: float) -> int:
    """Count the new samples that fit into the image."""
    return max(1, round(old / step))


def _first(old: int, step: float, new: int) -> int:
    """Number the first new sample among those that fit; below 0 where it lies before them."""
    return int((_inside(old, step) - new) / 2)


def _place(old: int, step: float, number: NDArray[np.integer]) -> NDArray[np.float64]:
    """Place the middles of new samples, with the image from 0 to `old`."""
    return np.asarray(old / 2 + (number + 0.5 - _inside(old, step) / 2) * step, np.float64)


def _mix(values: NDArray[Any], axis: int, weights: csr_array) -> NDArray[Any]:
    first = np.ascontiguousarray(values.swapaxes(axis, 0), np.float32)
    mixed = weights @ first.reshape(len(first), -1)
    return mixed.reshape(-1, *first.shape[1:]).swapaxes(0, axis)
