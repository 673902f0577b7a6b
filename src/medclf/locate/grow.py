"""Labels grow from located landmarks over bright tissue, each as far as the others let it.

About each landmark a core is taken for its own: a drum about the axis of the row. From the cores
labels grow from voxel to voxel over what is bright, as bone is on CT, and each voxel goes to the
core from which the way through bright voxels is shortest, unless that is too long. Distances are
those of Dijkstra's algorithm, so a process that droops past the next vertebra stays with its own.
Small gaps within a label, as the spongy inside of thin bone, are closed.

Source: Dijkstra. A Note on Two Problems in Connexion with Graphs. Numerische Mathematik 1959 (with
many starts at once, as `scipy.sparse.csgraph` has it).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

from medclf.core.grid import Grid

Numbers = NDArray[np.float64]
Labels = NDArray[np.uint8]

RADIUS, HALF = 0.6, 0.36
"""Of a core, in sizes: across the row, and along it."""

FAR = 2.0
"""The longest way from a core, in sizes."""

CLOSED = 2
"""Gaps in a label are closed up to twice so many voxels."""


@dataclass(frozen=True, eq=False)
class Seeds:
    """Landmarks from which labels grow.

    Args:
        places_mm: (N, 3).
        axes: (N, 3) of length 1: the way of the row.
        sizes_mm: (N,) from each to the next.
    """

    places_mm: Numbers
    axes: Numbers
    sizes_mm: Numbers


def grow(values: NDArray[np.generic], grid: Grid, seeds: Seeds, bright: float) -> Labels:
    """Grow labels.

    Args:
        values: (Z, Y, X).
        grid: Where they lie.
        seeds: At most 255.
        bright: From which value on labels grow.

    Returns:
        (Z, Y, X) numbers of seeds, counted from 1; 0 for none.
    """
    cores = _cores(values.shape, grid, seeds)
    labels = np.zeros(values.shape, np.uint8)
    if not cores.any():
        return labels
    open_ = (np.asarray(values, np.float32) >= bright) | (cores > 0)
    node = np.full(values.shape, -1)
    node[open_] = np.arange(open_.sum())
    sizes = np.append(0.0, seeds.sizes_mm)
    far, _, source = dijkstra(
        _graph(node, grid),
        indices=node[cores > 0],
        directed=False,
        min_only=True,
        limit=FAR * float(sizes.max()),
        return_predecessors=True,
    )
    reached = np.isfinite(far)
    own = np.zeros(len(far), np.uint8)
    own[reached] = cores[open_][source[reached]]
    own[far > FAR * sizes[own]] = 0
    labels[open_] = own
    return _closed(labels, len(seeds.sizes_mm))


def _cores(space: tuple[int, ...], grid: Grid, seeds: Seeds) -> Labels:
    """Label the drums about the seeds; where two overlap the nearer one has it."""
    cores, nearest = np.zeros(space, np.uint8), np.full(space, np.inf, np.float32)
    each = zip(seeds.places_mm, seeds.axes, seeds.sizes_mm, strict=True)
    for number, (place, axis, size) in enumerate(each, start=1):
        middle, reach = grid.from_mm(place), size / np.array(grid.spacing_mm)
        low = np.clip(np.floor(middle - reach), 0, space).astype(int)
        high = np.clip(np.ceil(middle + reach) + 1, 0, space).astype(int)
        box = tuple(slice(*ends) for ends in zip(low, high, strict=True))
        samples = np.moveaxis(np.indices(tuple(high - low)), 0, -1) + low
        away = grid.to_mm(samples.astype(float)) - place
        along = np.abs(away @ axis)
        across = np.sqrt(np.maximum((away**2).sum(-1) - along**2, 0))
        share = np.maximum(along / (HALF * size), across / (RADIUS * size))
        mine = (share <= 1) & (share < nearest[box])
        cores[box][mine], nearest[box][mine] = number, share[mine]
    return cores


def _graph(node: NDArray[np.int64], grid: Grid) -> csr_array:
    """Join neighbouring nodes by edges as long as the way between them in mm."""
    ones, others, lengths = [], [], []
    for axis, spacing in enumerate(grid.spacing_mm or ()):
        low, high = np.moveaxis(node, axis, 0)[:-1], np.moveaxis(node, axis, 0)[1:]
        both = (low >= 0) & (high >= 0)
        ones.append(low[both])
        others.append(high[both])
        lengths.append(np.full(both.sum(), spacing))
    one, other, length = map(np.concatenate, (ones, others, lengths))
    count = int(node.max()) + 1
    return coo_array((length, (one, other)), shape=(count, count)).tocsr()


def _closed(labels: Labels, count: int) -> Labels:
    """Close gaps within labels."""
    found = labels.copy()
    for number in range(1, count + 1):
        closed = binary_closing(labels == number, iterations=CLOSED)
        found[closed & (labels == 0)] = number
    return found
