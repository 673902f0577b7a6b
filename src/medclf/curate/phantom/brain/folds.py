"""The folds of the cortex: sheets of fluid that dip from the hull of the cerebrum into it.

The sheets are where a smooth random field is zero. The field hangs on the direction from the middle
of a hemisphere and little on the depth, so that sheets stand upright on the hull, bend on their
way, meet and end, as sulci do. How deep they reach changes from place to place. The gap between the
hemispheres and the Sylvian fissure, with the island at its bottom, are sheets of their own.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from medclf.curate.phantom.brain.outline import FALX_MM, Outline, ellipsoid_depth, melted
from medclf.curate.phantom.ct import Values
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.spine.vertebra import Local

HEMISPHERE = ((12.0, 16.0, 24.0), (60.0, 84.0, 42.0))
"""Middle and radii of the ellipsoid from whose middle the field spreads."""

STEP_MM = 2.5
"""Of the samples of the field."""

BROAD_MM = 3.7
"""Size of the grains of the field; sulci lie about twice as far apart."""

DEEPEST_MM, SHALLOWEST_MM = 26.0, 5.0
CORE = ((6.0, 14.0, 0.0), (20.0, 42.0, 40.0))
"""Of the middle of the brain, above which the gap ends: the corpus callosum is its roof."""


class Folds(NamedTuple):
    """Sulci, at coarse voxels.

    Args:
        aside: Signed distance to the nearest sheet of the field, in mm.
        below: How far below the ends of those sheets a place lies, in mm; negative beside them.
        falx: Distance to the gap between the hemispheres.
        sylvian: Distance to the Sylvian fissure and the island.
    """

    aside: Values
    below: Values
    falx: Values
    sylvian: Values


def fold(at: Local, out: Outline, step_mm: float, rng: np.random.Generator) -> Folds:
    """Draw the sulci of a patient.

    Args:
        at: Places of voxels, in the frame of reference.
        out: Outlines there.
        step_mm: Distance of the voxels.
        rng: Chance.
    """
    reach, spread = _spread(at)
    band, slow = _fields(spread, rng)
    slopes = np.gradient(band, step_mm)
    steep = np.sqrt(sum(slope**2 for slope in slopes) + np.float32(0.035**2))
    aside = band / steep
    gap, core = _falx(at)
    depth = np.minimum(out.cerebrum, 1.6 * np.maximum(gap, 0) + 0.5)
    end = np.clip(15.5 + 6 * slow, SHALLOWEST_MM, DEEPEST_MM)
    # Nothing dips into the middle, where nuclei and ventricles are.
    below = np.maximum(depth - end, 9 * (0.52 - reach) / 0.1)
    below = np.maximum(below, core + 4)
    return Folds(aside, below, gap, _sylvian(at))


def _spread(at: Local) -> tuple[Values, list[Values]]:
    """Carry places outward onto the hull of their hemisphere, a little of their depth kept."""
    (up, back, left), radii = HEMISPHERE
    side = np.where(at.left < 0, np.float32(-1), np.float32(1))
    off = (at.up - up, at.back - back, at.left - side * left)
    parts = [one / r for one, r in zip(off, radii, strict=True)]
    reach = np.sqrt(sum(part**2 for part in parts)) + np.float32(1e-3)
    onto = (0.85 + 0.15 * reach) / reach
    return reach, [
        *(onto * one for one in off[:2]),
        onto * off[2] + side * 60,
    ]


def _fields(places: list[Values], rng: np.random.Generator) -> tuple[Values, Values]:
    """Evaluate two random fields of unit variance: a band of waves, and slow ones."""
    half = [int(mm / STEP_MM) + 2 for mm in (84, 110, 130)]
    white = rng.standard_normal([2 * n + 1 for n in half], np.float32)
    fine, wide, slow = (gaussian_filter(white, BROAD_MM * k / STEP_MM) for k in (1.0, 1.5, 1.9))
    fields = (fine - 0.9 * wide, slow)
    samples = np.stack([one / STEP_MM + n for one, n in zip(places, half, strict=True)])
    band, slow = (
        map_coordinates(field / field.std(), samples, order=1, mode="nearest") for field in fields
    )
    return band, slow


def _falx(at: Local) -> tuple[Values, Values]:
    """Measure the distance to the gap between the hemispheres, and the depth in its floor."""
    (up, back, left), radii = CORE
    core = ellipsoid_depth((at.up - up, at.back - back, at.left - left), radii)
    beneath = np.where(at.up < up - 8, 20 - np.abs(at.back - back), np.float32(-50))
    floor = melted([core, beneath], 6)
    return np.hypot(np.maximum(np.abs(at.left) - FALX_MM, 0), np.maximum(floor, 0)), core


def _sylvian(at: Local) -> Values:
    """Measure the distance to the Sylvian fissure, whose bottom widens about the island."""
    side = np.abs(at.left)
    rise = at.up - (-6 + 0.28 * (at.back + 10)) - 1.5 * np.sin(at.back / 7) - 2.5 * np.sin(side / 5)
    along = np.maximum(np.abs(at.back - 12) - 34, 0)
    slit = np.sqrt(rise**2 + along**2 + np.maximum(39 - side, 0) ** 2)
    tall = np.maximum(np.abs(rise - 3) - 11, 0)
    island = np.sqrt((side - 39) ** 2 + tall**2 + np.maximum(np.abs(at.back - 4) - 22, 0) ** 2)
    return np.asarray(np.minimum(slit, island))


def fluid_wide(shrunk: float) -> Array:
    """Half widths in mm of sulci, of the gap, and of the Sylvian fissure."""
    return np.array((0.5, 0.5, 0.6)) + np.array((1.2, 0.9, 1.6)) * shrunk
