"""A patient of known truth: a field of values in space, and the slabs in which it is scanned.

The value at a place is a linear function of the place, different along each axis. So every voxel
of every reader can be checked where the reader says that it lies, whatever order of axes it
prefers, and also where it had to interpolate.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

AXIAL = np.eye(3)
"""Rows: the normal, y and x, each as (z, y, x) of the LPS frame."""

SLOPES = (21.0, 13.0, 5.5)


@dataclass(frozen=True)
class Field:
    """Values in space.

    Args:
        base: The value at (0, 0, 0) mm.
        slopes: Growth per mm along z, y and x.
    """

    base: float = 1200.0
    slopes: tuple[float, float, float] = SLOPES

    def at(self, places_mm: Places) -> Places:
        """Evaluate (..., 3) places as (z, y, x)."""
        return np.asarray(self.base + places_mm @ np.array(self.slopes))

    def raised(self, by: float) -> "Field":
        """The same patient a moment later, brighter everywhere."""
        return replace(self, base=self.base + by)


@dataclass(frozen=True, eq=False)
class Slab:
    """Where samples are taken.

    Args:
        shape: (Z, Y, X).
        spacing_mm: Along the step from slice to slice, y and x.
        axes: Rows of unit vectors: the step, y and x. A step that is not the normal leans.
        origin_mm: (z, y, x) of the first sample.
    """

    shape: tuple[int, int, int] = (9, 20, 24)
    spacing_mm: tuple[float, float, float] = (2.5, 0.8, 0.7)
    axes: NDArray[np.float64] = field(default_factory=lambda: AXIAL)
    origin_mm: tuple[float, float, float] = (-10.0, -8.0, -9.0)

    def corner(self, slice_number: float) -> Places:
        """The place of the first sample of a slice."""
        step = self.spacing_mm[0] * self.axes[0]
        return np.asarray(np.array(self.origin_mm) + slice_number * step)

    def places(self, corner: Places) -> Places:
        """The places of the samples of the slice that begins there: (Y, X, 3)."""
        y, x = np.indices(self.shape[1:])
        down, right = self.spacing_mm[1] * self.axes[1], self.spacing_mm[2] * self.axes[2]
        return np.asarray(corner + y[..., None] * down + x[..., None] * right)


def turned(*degrees: float) -> NDArray[np.float64]:
    """Turn the axes of an axial slab about z, y and x in turn."""
    axes = AXIAL
    for axis, angle in enumerate(np.radians(degrees)):
        one, other = (i for i in range(3) if i != axis)
        turn = np.eye(3)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        axes = axes @ turn
    return axes


def leaning(degrees: float, axis: int = 1) -> NDArray[np.float64]:
    """Axial slices whose step leans towards y (1) or x (2), as under a tilted gantry."""
    axes = AXIAL.copy()
    axes[0] = np.cos(np.radians(degrees)) * AXIAL[0] + np.sin(np.radians(degrees)) * AXIAL[axis]
    return axes
