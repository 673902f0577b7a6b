"""How far found landmarks lie from the true ones, and from which score on one counts as found."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]


def place_errors(
    places: Numbers, target: Numbers, size: Sequence[int], spacing: Sequence[float]
) -> NDArray[np.float32]:
    """Measure distances; NaN where a landmark is missing in the image, or lies outside of it.

    Args:
        places: That were found, (N, L, axes) in samples.
        target: The true ones; NaN where an image lacks a landmark.
        size: Edges of the image in samples.
        spacing: Of the samples, in mm.

    Returns:
        (N, L) in mm.

    Example:
        >>> place_errors(np.array([[[3, 4]]]), np.array([[[0, 0.0]]]), (8, 8), (2.0, 2.0))
        array([[10.]], dtype=float32)
    """
    far = np.linalg.norm((places - target) * np.array(spacing), axis=-1)
    there = np.all((target > -0.5) & (target < np.array(size) - 0.5), axis=-1)
    return np.where(there, far, np.nan).astype(np.float32)


def presence_threshold(present: Numbers, missing: Numbers) -> float:
    """Choose the score from which on landmarks count as found, for the best balanced accuracy.

    Where none is missing it is half of the lowest score.

    Example:
        >>> round(presence_threshold(np.array([0.6, 0.9]), np.array([0.1, 0.2])), 3)
        0.4
    """
    if not len(present) or not len(missing):
        return float(present.min() / 2 if len(present) else (1 + missing.max()) / 2)
    scores = np.unique(np.concatenate([present, missing]))
    middles = np.append(scores[0], (scores[1:] + scores[:-1]) / 2)
    found = (present >= middles[:, None]).mean(1) + (missing < middles[:, None]).mean(1)
    best = middles[found == found.max()]
    return float(best[len(best) // 2])
