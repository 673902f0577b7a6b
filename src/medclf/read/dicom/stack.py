"""How slices lie over one another: their heights along the normal, and whether these are even.

The normal is at right angles to rows and columns; heights along it order the slices, whatever
their names and numbers say. A stack is rectangular where every slice lies straight above the
first, and even where each lies at its step, within a tenth: files round what they state.

Source: DICOM PS3.3, C.7.6.2.1.1 (image position and orientation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.read.dicom.grid import Vectors

SAME_MM = 0.01
"""Slices at this distance along the normal or less are at one place."""

UNEVEN = 0.1
"""The share of a step by which a slice of an even stack may lie beside its place."""

BESIDE = 0.1
"""The share of a pixel by which a slice of a rectangular stack may lie beside the first."""

TOUCHING = 1.1
"""Slices touch up to this multiple of their thickness."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order of their height.

    Args:
        heights_mm: (Z,), rising, along the normal from the first slice.
        beside_px: (Z, 2), how far each slice lies beside the first along y and x, in pixels.
        grid: Place of the first slice, its normal and axes; the spacing has the mean step.
    """

    heights_mm: NDArray[np.float64]
    beside_px: NDArray[np.float64]
    grid: Grid

    @property
    def step_mm(self) -> float:
        """The mean distance of neighbours; 0 of a single slice."""
        count = len(self.heights_mm)
        return float(self.heights_mm[-1] / (count - 1)) if count > 1 else 0.0

    @property
    def rectangular(self) -> bool:
        """Whether every slice lies straight above the first."""
        return bool(np.abs(self.beside_px).max() <= BESIDE)

    @property
    def unevenness(self) -> float:
        """How far a slice lies beside its even place, at most, as a share of the step."""
        even = self.step_mm * np.arange(len(self.heights_mm))
        return float(np.abs(self.heights_mm - even).max() / self.step_mm) if self.step_mm else 0.0

    @property
    def even(self) -> bool:
        """Whether every slice lies at its step."""
        return self.unevenness <= UNEVEN

    def gaps(self, thickness_mm: Sequence[float | None]) -> list[int]:
        """Find the slices above which something is missing.

        Args:
            thickness_mm: Of each slice, from below; `None` where it is not stated.

        Returns:
            Numbers of slices that do not touch the next and lie further from it than is usual.
        """
        steps = np.diff(self.heights_mm)
        thick = np.array([mm or 0.0 for mm in thickness_mm])
        reach = TOUCHING * (thick[:-1] + thick[1:]) / 2
        usual = np.median(steps) * (1 + 2 * UNEVEN)
        return [int(i) for i in np.flatnonzero((steps > reach) & (steps > usual))]


def normal_of(axes: Vectors) -> NDArray[np.float64]:
    """Find the direction at right angles to the rows (y, x), as (z, y, x) of the LPS frame."""
    along_y, along_x = axes[:, ::-1]
    return np.asarray(np.cross(along_x, along_y)[::-1])


def gather(places: Vectors, axes: Vectors) -> list[list[int]]:
    """Put together the images that are at one height.

    Args:
        places: (N, 3), the place of each image.
        axes: Directions of y and x, which all share.

    Returns:
        Numbers of the images at each height, from below; in the order given within each.
    """
    heights = (places - places[0]) @ normal_of(axes)
    order = np.argsort(heights, kind="stable")
    ends = np.flatnonzero(np.diff(heights[order]) > SAME_MM) + 1
    return [sorted(int(i) for i in some) for some in np.split(order, ends)]


def lay(places: Vectors, axes: Vectors, spacing_mm: tuple[float, ...]) -> Stack:
    """Lay slices over one another.

    Args:
        places: (Z, 3), from below.
        axes: Directions of y and x, which all share.
        spacing_mm: Distance of pixels along y and x.
    """
    normal = normal_of(axes)
    away = places - places[0]
    heights = away @ normal
    beside = away @ axes.T / np.array(spacing_mm)
    origin = tuple(float(mm) for mm in places[0])
    if len(places) == 1:
        return Stack(heights, beside, Grid(spacing_mm, origin, axes))
    step = float(heights[-1] / (len(heights) - 1))
    return Stack(heights, beside, Grid((step, *spacing_mm), origin, np.vstack([normal, axes])))
