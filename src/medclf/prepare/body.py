"""The box around what was scanned, without the air, the table or the shutter around it.

In CT the body is what lies above -400 HU, about midway between air and fat: the largest piece that
hangs together once thin things (table, tubes, sheets) are worn away. In other volumes, and slices
of MR, a threshold by Otsu parts signal from air. In other pictures, as X-rays, the collimator
leaves dark or bright bands of nearly one value along the edges, which are taken away.

Source: Otsu. A threshold selection method from gray-level histograms. IEEE Transactions on
Systems, Man, and Cybernetics 9, 1979.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.prepare.crop import Box, box_of_mask

BODY_HU = -400.0

COARSE, FINE = 96, 512
"""Samples along an axis in which a body, or a shutter, is looked for; the box is then wider by
one of them."""

FLAT = 0.06
"""Share of an X-ray's range within which a row of the shutter varies."""

MOST = (10, 90)
"""Percentiles of a row between which it varies; a marker burnt into the shutter lies beyond."""

BINS = 256


def body_box(image: Image) -> Box:
    """Find the box around the body, or the whole image where nothing stands out.

    Args:
        image: Still. Of several channels, the first is looked at.
    """
    values = image.values[0]
    if image.unit == "HU":
        return _largest_piece(values, BODY_HU)
    if values.ndim == 3 or image.modality == "MR":
        return _largest_piece(values, otsu(values))
    return _open_field(values)


def otsu(values: NDArray[Any]) -> float:
    """Find the threshold that parts values best in two: their largest variance between classes.

    Example:
        >>> 1 < otsu(np.array([0.0, 1.0, 1.0, 9.0, 10.0])) < 9
        True
    """
    counts, edges = np.histogram(values, BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    mass = np.cumsum(counts * middles)
    apart = mass[:-1] / np.maximum(below, 1) - (mass[-1] - mass[:-1]) / np.maximum(above, 1)
    return float(edges[1 + int(np.argmax(below * above * apart**2))])


def _largest_piece(values: NDArray[Any], threshold: float) -> Box:
    from scipy import ndimage  # It takes 37 MB, which who does not crop need not spend.

    coarse, steps = _thin_out(values, COARSE)
    mask = coarse > threshold
    worn = ndimage.binary_opening(mask) if min(mask.shape) > 2 else mask
    pieces, count = ndimage.label(worn)
    if not count:
        return _whole(values.shape)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return _refine(box_of_mask(pieces == sizes.argmax()), steps, values.shape)


def _open_field(values: NDArray[Any]) -> Box:
    """Take away rows and columns at the edges that are of nearly one value, as a shutter's are."""
    coarse, steps = _thin_out(values, FINE)
    low, high = (float(limit) for limit in np.percentile(coarse, (0.5, 99.5)))
    if high <= low:
        return _whole(values.shape)
    box = _whole(coarse.shape)
    for _ in range(2):  # Once rows are gone, columns show more of the shutter, and the reverse.
        box = _without_flat_edges(coarse, box, FLAT * (high - low))
    return _refine(box, steps, values.shape)


def _without_flat_edges(values: NDArray[Any], box: Box, most: float) -> Box:
    inside = values[tuple(slice(*ends) for ends in zip(box.start, box.stop, strict=True))]
    start, stop = list(box.start), list(box.stop)
    for axis in range(inside.ndim):
        low, high = np.percentile(inside, MOST, axis=1 - axis)
        shown = np.flatnonzero(high - low > most)
        if shown.size:
            start[axis], stop[axis] = (
                box.start[axis] + int(at) for at in (shown[0], shown[-1] + 1)
            )
    return Box(tuple(start), tuple(stop))


def _thin_out(values: NDArray[Any], most: int) -> tuple[NDArray[Any], list[int]]:
    """Take every n-th sample of each axis, so that no more than `most` are left."""
    steps = [max(1, -(-n // most)) for n in values.shape]
    return values[tuple(slice(None, None, step) for step in steps)], steps


def _refine(box: Box, steps: Sequence[int], space: tuple[int, ...]) -> Box:
    """Turn a box of thinned samples into one of all samples, wider by a thinned one."""
    first = zip(box.start, steps, strict=True)
    last = zip(box.stop, steps, space, strict=True)
    return Box(
        tuple(max(0, (at - 1) * step) for at, step in first),
        tuple(min(n, (at + 1) * step) for at, step, n in last),
    )


def _whole(space: tuple[int, ...]) -> Box:
    return Box((0,) * len(space), space)
