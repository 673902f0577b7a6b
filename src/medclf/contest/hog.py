"""Histograms of oriented gradients: how strong the edges of each direction are, cell by cell.

A picture is laid out in cells; in each, the slopes of the values are summed by their direction,
and a cell is divided by the strength of its neighbourhood, so that exposure does not matter. A
volume has three such histograms in each cell, one for each pair of its axes.

Source: Dalal, Triggs. Histograms of Oriented Gradients for Human Detection. CVPR 2005; one block
about each cell instead of all that overlap it.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

Numbers = NDArray[np.float32]

DIRECTIONS = 9
CELLS = {2: 10, 3: 4}  # along an axis, at most
FEWEST_SAMPLES = {2: 4, 3: 6}  # of a cell along an axis
AT_ONCE = 4_000_000  # values that are looked at together
FAINT = 0.01  # of the image's mean strength, added to that of a neighbourhood


def describe_edges(values: NDArray[np.generic]) -> Numbers:
    """Describe images by their edges.

    Args:
        values: Prepared images; of several channels the one that changes most counts, sample by
            sample.

    Shape:
        (N, C, *space) -> (N, F)

    Example:
        >>> describe_edges(np.zeros((5, 1, 28, 28))).shape
        (5, 441)
    """
    parts = max(1, min(len(values), -(-values.size // AT_ONCE)))
    return np.concatenate([_describe(part) for part in np.array_split(values, parts)])


def _describe(values: NDArray[np.generic]) -> Numbers:
    slopes = _slopes(values.astype(np.float32))
    dims, space = len(slopes), slopes.shape[2:]
    grid, where = _cells(space)
    pairs = combinations(range(dims), 2)
    found = [_histogram(slopes[a], slopes[b], where, int(np.prod(grid))) for a, b in pairs]
    cells = np.concatenate(found, axis=1).reshape(len(values), -1, *grid)
    energy = (cells**2).sum(1)
    around: Numbers = uniform_filter(energy, size=[1, *[3] * dims], mode="nearest")
    mean = energy.mean(axis=tuple(range(1, dims + 1)), keepdims=True)
    strength = np.sqrt(around + FAINT * mean) + np.finfo(np.float32).tiny
    described = (cells / strength[:, None]).reshape(len(values), -1)
    return np.asarray(described, np.float32)


def _slopes(values: Numbers) -> Numbers:
    """Slope along each axis of space, of the steepest channel: (N, C, *space) -> (D, N, *space)."""
    axes = range(2, values.ndim)
    flat = np.zeros_like(values)
    slopes = np.stack([np.gradient(values, axis=a) if values.shape[a] > 1 else flat for a in axes])
    steepest = (slopes**2).sum(0).argmax(1)[None, :, None]
    chosen: Numbers = np.take_along_axis(slopes, steepest, axis=2)[:, :, 0]
    return chosen


def _cells(space: tuple[int, ...]) -> tuple[list[int], NDArray[np.int64]]:
    """Lay out cells: how many along each axis, and the number of the cell of each sample."""
    dims = len(space)
    grid = [max(1, min(CELLS[dims], edge // FEWEST_SAMPLES[dims])) for edge in space]
    along = [np.arange(edge) * cells // edge for edge, cells in zip(space, grid, strict=True)]
    return grid, np.ravel_multi_index(np.meshgrid(*along, indexing="ij"), grid)


def _histogram(down: Numbers, across: Numbers, where: NDArray[np.int64], cells: int) -> Numbers:
    """Sum slopes by direction in each cell: two of (N, *space) -> (N, DIRECTIONS, cells).

    A slope between two directions is shared out to both.
    """
    strength = np.hypot(down, across)
    place = np.arctan2(down, across) % np.pi * (DIRECTIONS / np.pi)
    lower = np.floor(place)
    share, first = place - lower, lower.astype(np.int64)
    image = np.arange(len(down)).reshape(-1, *[1] * where.ndim) * (DIRECTIONS * cells) + where
    total = np.zeros(len(down) * DIRECTIONS * cells)
    for direction, part in ((first, 1 - share), (first + 1, share)):
        place_of = image + direction % DIRECTIONS * cells
        total += np.bincount(place_of.ravel(), (strength * part).ravel(), minlength=len(total))
    return total.reshape(len(down), DIRECTIONS, cells).astype(np.float32)
