"""Peaks: the tops of a map of scores, so far apart that each stands for one thing.

A peak is a sample above the threshold that none of its neighbours, diagonal ones too, exceeds. From
the highest down each peak is kept unless one that was kept lies within the distance, in mm of the
patient, so the shape of the samples does not matter. A parabola through the peak and its two
neighbours along each axis tells where between the samples the top is; that is exact where scores
fall off as a paraboloid along the axes, and moves a place by half a sample at most.

Source: Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional
Neural Networks. IEEE Transactions on Medical Imaging 2016, section II-B (local maxima of the score
volume as candidates). Lowe. Distinctive Image Features from Scale-Invariant Keypoints. IJCV 2004,
section 4 (the parabola).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor
from torch.nn.functional import max_pool2d, max_pool3d

from medclf.core.grid import Grid
from medclf.errors import SettingError

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Peaks:
    """Places in one image, best first.

    Args:
        mm: (N, 3) in the patient, z first; between samples of the map too.
        scores: (N,) of the sample at the peak, as the map has it.
    """

    mm: Numbers
    scores: Numbers


def find_peaks(
    scores: Tensor, grids: Sequence[Grid], threshold: float, distance_mm: float, most: int
) -> list[Peaks]:
    """Find the peaks of some maps.

    Args:
        scores: (B, *space) larger means surer; -inf where nothing was judged.
        grids: Of each map; of a map of cells, `Lattice.grid` gives it.
        threshold: A peak is higher.
        distance_mm: Two peaks are farther apart.
        most: Peaks of a map at most.

    Raises:
        SettingError: maps and grids are not as many, a grid does not say where it lies, a
            score is nan, or a number is out of its range.

    Example:
        >>> grid = Grid((2.0, 1.0), (0.0, 0.0, 0.0), np.eye(3)[1:])
        >>> heat = torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0.0]]])
        >>> find_peaks(heat, [grid], threshold=0.5, distance_mm=2.0, most=9)[0].mm
        array([[0. , 2. , 1.5]])
    """
    if scores.ndim not in (3, 4) or len(grids) != len(scores):
        found = f"{tuple(scores.shape)} and {len(grids)}"
        raise SettingError(f"maps (B, *space) of 2 or 3 axes and B grids wanted, found {found}")
    if not distance_mm >= 0 or most < 1 or threshold != threshold:
        found = f"{distance_mm} mm, {most} peaks, threshold {threshold}"
        raise SettingError(f"a distance from 0 mm and 1 peak or more wanted, found {found}")
    if scores.isnan().any():
        raise SettingError(f"scores wanted, found {int(scores.isnan().sum())} that are nan")
    pool = (max_pool2d, max_pool3d)[scores.ndim - 3]
    highest = pool(scores[:, None], 3, stride=1, padding=1)[:, 0]
    peak = (scores == highest) & (scores > threshold)
    return [
        _keep(one, tops.nonzero(), grid, distance_mm, most)
        for one, tops, grid in zip(scores, peak, grids, strict=True)
    ]


def _keep(scores: Tensor, places: Tensor, grid: Grid, distance_mm: float, most: int) -> Peaks:
    """Keep the best of peaks, (N, axes), that lie apart."""
    values = scores[tuple(places.T)]
    order = values.argsort(descending=True, stable=True)
    which = torch.zeros(len(order), dtype=torch.long, device=order.device)
    ranked = values[order].cpu().double().numpy()
    mm = grid.to_mm(refine(scores[None], which, places[order]).cpu().double().numpy())
    kept: list[int] = []
    if len(mm):
        tree, free = KDTree(mm), np.ones(len(mm), np.bool_)
        for number in range(len(mm)):
            if len(kept) == most:
                break
            if free[number]:
                kept.append(number)
                free[tree.query_ball_point(mm[number], distance_mm)] = False
    return Peaks(mm[kept], ranked[kept])


def refine(maps: Tensor, which: Tensor, places: Tensor) -> Tensor:
    """Move peaks to the top of a parabola along each axis; at an edge of the map they stay.

    Args:
        maps: (M, *space).
        which: Of the maps each peak belongs to, (N,).
        places: Of the peaks, (N, axes) in samples.

    Returns:
        (N, axes) in samples, between them too.
    """
    middle, found = maps[(which, *places.T)], places.to(maps.dtype)
    for axis, edge in enumerate(maps.shape[1:]):
        here = places[:, axis]
        sides = []
        for way in (-1, 1):
            beside = places.clone()
            beside[:, axis] = (here + way).clamp(0, edge - 1)
            sides.append(maps[(which, *beside.T)])
        shift = (sides[1] - sides[0]) / (2 * (2 * middle - sides[0] - sides[1]))
        sure = (here > 0) & (here < edge - 1) & shift.isfinite()
        found[:, axis] += torch.where(sure, shift, 0).clamp(-0.5, 0.5)
    return found
