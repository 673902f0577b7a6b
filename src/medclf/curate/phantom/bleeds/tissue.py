"""Where in a brain a lesion may lie: the brain, and what of it is vessel or fluid.

Where there is a label map, the brain is what it labels. Else it is what is brighter than air and
hangs together once the thin layers about it are worn away: rough, but enough for places. Vessels
and fluid are what is far darker or brighter than the brain's middling voxel, in T1 as in T2*.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt, label

from medclf.curate.phantom.shapes import Array
from medclf.errors import SettingError

DIM = 0.3
"""Share of what is bright in the volume below which a voxel is air or bone."""

WORN_MM = 8.0
"""Thickness of what is worn away; on three T1 of IXI 99 % of what is left is brain."""

DARK, BRIGHT = 0.55, 1.6
"""Shares of the brain's median beyond which a voxel is vessel or fluid."""

Mask = NDArray[np.bool_]


def find_brain(values: Array, spacing_mm: Array) -> Mask:
    """Find the brain roughly, without a label map.

    Raises:
        SettingError: nothing in the volume hangs together.
    """
    bright = values > DIM * np.quantile(values, 0.98)
    pieces, count = label(distance_transform_edt(bright, sampling=spacing_mm) > WORN_MM)
    if not count:
        raise SettingError("a brain wanted, found nothing of its size in the volume")
    largest = pieces == np.bincount(pieces.reshape(-1))[1:].argmax() + 1
    grown = distance_transform_edt(~largest, sampling=spacing_mm) <= WORN_MM
    return np.asarray(binary_fill_holes(grown & bright))


def find_fluid(values: Array, brain: Mask) -> Mask:
    """Find vessels and fluid in a brain."""
    usual = float(np.median(values[brain]))
    strange = (values < DARK * usual) | (values > BRIGHT * usual)
    return np.asarray(brain & strange)


class Places:
    """Draws places in a brain, beside vessels and fluid or away from them.

    Args:
        brain: (Z, Y, X).
        fluid: (Z, Y, X) vessels and fluid.
        spacing_mm: (3,).
    """

    def __init__(self, brain: Mask, fluid: Mask, spacing_mm: Array) -> None:
        self.tissue = brain & ~fluid
        self.to_edge = distance_transform_edt(np.pad(brain, 1), sampling=spacing_mm)[
            1:-1, 1:-1, 1:-1
        ]
        if fluid.any():
            self.to_fluid = distance_transform_edt(~fluid, sampling=spacing_mm)
        else:
            self.to_fluid = np.full(brain.shape, np.inf)

    def draw(self, radius_mm: float, beside: bool, rng: np.random.Generator, tries: int) -> Array:
        """Draw places, (tries, 3) in samples, or none where the brain has none.

        Args:
            radius_mm: Of what is to lie there, so that it keeps within the brain.
            beside: Whether its surface comes within 2 mm of a vessel or fluid, or keeps farther.
            rng: Chance; places lie between the voxels.
            tries: How many.
        """
        gap = self.to_fluid - radius_mm
        near = (gap > -0.3 * radius_mm) & (gap < 2) if beside else gap >= 2
        here = np.flatnonzero(self.tissue & (self.to_edge > radius_mm + 1) & near)
        if not here.size:
            return np.zeros((0, 3))
        chosen = np.unravel_index(rng.choice(here, tries), self.tissue.shape)
        return np.asarray(np.column_stack(chosen) + rng.uniform(-0.5, 0.5, (tries, 3)))
