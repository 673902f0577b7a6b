"""Windows of images, moved and scaled along each axis: small matrices, one an axis.

A window that keeps to the axes is read off by one matrix product an axis, for many images at
once. Positions are shares of the edge, 0 in the middle, so that they mean the same at every size.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def spread_points(samples: int, span: float) -> Floats:
    """Spread points evenly over the middle of an edge.

    Example:
        >>> spread_points(2, 0.8).tolist()
        [-0.20000000298023224, 0.20000000298023224]
    """
    return np.asarray(((np.arange(samples) + 0.5) / samples - 0.5) * span, np.float32)


def tents(edge: int, points: Floats) -> Floats:
    """Make the matrix that reads points off an edge, between two samples by their nearness.

    Shape:
        (..., n) -> (..., n, edge). Rows sum to 1; to less where a point lies outside.
    """
    at = (points + 0.5) * edge - 0.5
    near = 1 - np.abs(at[..., None] - np.arange(edge, dtype=np.float32))
    return np.asarray(np.maximum(near, 0), np.float32)


def slopes(edge: int) -> Floats:
    """Make the matrix of differences along an edge, by unit of its length: (edge, edge)."""
    steps = np.gradient(np.eye(edge) * edge, axis=0)
    return np.asarray(steps, np.float32)


def apply_matrices(images: Floats, matrices: Sequence[Floats]) -> Floats:
    """Multiply each axis by its matrix.

    Args:
        images: (N, *space).
        matrices: One an axis, (n, edge) for all images or (N, n, edge) for each.

    Shape:
        (N, *space) -> (N, n, …), one n an axis.
    """
    for matrix in reversed(matrices):
        turned = matrix.swapaxes(-1, -2)
        if turned.ndim == 3:
            turned = turned[(slice(None), *[None] * (images.ndim - 3))]
        images = np.moveaxis(images @ turned, -1, 1)
    return np.ascontiguousarray(images)
