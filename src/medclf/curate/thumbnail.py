"""A thumbnail: an image shrunk to one small size, whatever its own, to be compared with others.

Each cell of a thumbnail is the mean of what it covers: 48 × 48 of a picture, 16 × 16 × 16 of a
volume. Its own mean is taken off and its deviation divided by, so that light has no say.
"""

import numpy as np
from numpy.typing import NDArray

EDGES = {2: 48, 3: 16}
LARGE = 1e9

Thumbnail = NDArray[np.float16]


def shrink(values: NDArray[np.generic]) -> Thumbnail:
    """Average an image over equal cells of space, and over channels.

    Args:
        values: Any numbers; what is not finite is taken as the lowest.

    Shape:
        (C, Y, X) -> (48, 48), (C, Z, Y, X) -> (16, 16, 16): mean 0, deviation 1; 0 throughout
        where all cells are equal.

    Example:
        >>> one = np.arange(4096.0).reshape(1, 64, 64) ** 2
        >>> bool(np.allclose(shrink(one), shrink(0.5 * one + 7), atol=1e-2))
        True
    """
    if values.dtype.kind == "f":
        values = _tame(values)
    for axis in range(1, values.ndim):
        values = _average(values, axis, EDGES[values.ndim - 1])
    cells = values.mean(axis=0, dtype=np.float64)
    spread = float(cells.std())
    if spread <= 1e-6 * max(float(np.abs(cells).max()), 1e-30):
        return np.zeros(cells.shape, np.float16)
    return np.asarray((cells - cells.mean()) / spread, np.float16)


def _tame(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Replace what is not finite by the lowest value, and keep sums from overflowing."""
    if not (np.isfinite(values.min()) and np.isfinite(values.max())):
        finite = values[np.isfinite(values)]
        low = finite.min() if finite.size else 0.0
        values = np.nan_to_num(values, nan=low, posinf=low, neginf=low)
    peak = max(abs(float(values.min())), abs(float(values.max())))
    return np.divide(values, peak) if peak > LARGE else values


def _average(values: NDArray[np.generic], axis: int, cells: int) -> NDArray[np.float32]:
    """Average over cells along one axis; a sample on a border counts by its share on each side.

    Sums run over slices of memory, without matrix products: threads would fight for those.
    """
    samples = values.shape[axis]
    ends = np.linspace(0, samples, cells + 1)[:-1]
    first = ends.astype(np.int64)
    values = np.moveaxis(values, axis, 0)
    wide = (-1, *[1] * (values.ndim - 1))
    sums = np.add.reduceat(values, first, axis=0, dtype=np.float32)
    sums[:-1] *= (np.diff(first) > 0).reshape(wide)
    before = values[first].astype(np.float32) * (ends - first).astype(np.float32).reshape(wide)
    sums -= before
    sums[:-1] += before[1:]
    return np.moveaxis(sums * np.float32(cells / samples), 0, axis)
