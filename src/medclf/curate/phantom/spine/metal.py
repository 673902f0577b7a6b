"""Screws, rods and cement, and the streaks that metal casts over a slice.

Rays through much metal come out harder than they went in, so that its projections are measured too
small, by more than they should where there is more of it; and where almost nothing comes through,
noise rules. Both errors are projected as the scanner would, filtered and projected back, slice by
slice: dark bands from screw to screw, and fine bright and dark rays about them.

Source: De Man et al. Metal Streak Artifacts in X-ray Computed Tomography: A Simulation Study. IEEE
Transactions on Nuclear Science 1999.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from medclf.curate.phantom.ct import Frame, mix
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.spine.patient import Spine
from medclf.curate.phantom.spine.vertebra import Local, Rod, rod_distance

TITANIUM_HU, CEMENT_HU = 8000.0, 1700.0
ANGLES = 90
COARSE_MM = 2.0
"""Distance of the pixels in which streaks are computed."""

HARDER = 0.6
"""HU per mm of metal squared that is missed in a projection, filtered."""

STARVED = 9.0

Values = NDArray[np.float32]


def lay_metal(hu: Values, frame: Frame, spine: Spine, rng: np.random.Generator) -> Values:
    """Lay what was put in, into a volume, in place.

    Returns:
        (Z, Y, X) share of each voxel that is metal.
    """
    metal = np.zeros(frame.shape, np.float32)
    for bone in spine.bones:
        if bone.name in spine.cemented:
            low = bone.place(-2, rng.uniform(-4, 0), rng.uniform(-8, -3))
            high = bone.place(2, rng.uniform(-6, 2), rng.uniform(3, 8))
            _lay_rod(hu, frame, _rod(low, high, float(rng.uniform(4, 7))), CEMENT_HU)
    for rod in _hardware(spine):
        _lay_rod(hu, frame, rod, TITANIUM_HU, metal)
    return metal


def _hardware(spine: Spine) -> Iterator[Rod]:
    """Tell the screws through the pedicles, their heads, and the rods from head to head."""
    for side in (-1, 1):
        heads = []
        for bone in spine.bones:
            if bone.name in spine.screwed:
                size, back = bone.size, bone.size.depth / 2
                beside = side * (size.canal_width + size.pedicle_width) / 2
                tip = bone.place(0.12 * size.height, -0.25 * size.depth, 0.55 * beside)
                head = bone.place(0.2 * size.height, back + size.canal_depth + 9, 1.15 * beside)
                radius = float(np.clip(0.42 * size.pedicle_width, 2.2, 3.2))
                yield _rod(tip, head, radius)
                yield _rod(head, head + np.array((0, 6.0, 0)), 5.5)
                heads.append(head + np.array((0, 4.0, 0)))
        for upper, lower in pairwise(heads):
            yield _rod(upper, lower, 2.75)


def _rod(start: Array, end: Array, radius: float) -> Rod:
    return Rod(tuple(start.tolist()), tuple(end.tolist()), (radius, radius))


def _lay_rod(
    hu: Values, frame: Frame, rod: Rod, matter: float, metal: Values | None = None
) -> None:
    ends, wide = np.array((rod.start, rod.end)), max(rod.radii)
    box = frame.cut(ends.min(axis=0) - wide, ends.max(axis=0) + wide)
    near = (axis[part].astype(np.float32) for axis, part in zip(frame.places, box, strict=True))
    distance = rod_distance(rod, Local(*np.ix_(*near)))
    share = (0.5 - distance / np.float32(np.mean(frame.spacing_mm))).clip(0, 1)
    mix(hu[box], matter, share)
    if metal is not None:
        np.maximum(metal[box], share, out=metal[box])


def streaks(metal: Values, frame: Frame, rng: np.random.Generator) -> Values:
    """Compute the streaks of each slice with metal, (Z, Y, X) in HU."""
    cast = np.zeros(frame.shape, np.float32)
    _, y, x = frame.places
    fine = [np.arange(axis[0], axis[-1] + COARSE_MM, COARSE_MM) for axis in (y, x)]
    for number in np.flatnonzero(metal.max(axis=(1, 2)) > 0.3):
        coarse = _slice_streaks(metal[number], (y, x), fine, rng)
        scale = [len(axis) / n for axis, n in zip((y, x), coarse.shape, strict=True)]
        cast[number] = zoom(coarse, scale, order=1, mode="nearest", grid_mode=False)
    return cast


def _slice_streaks(
    metal: Values, places: tuple[Array, Array], fine: list[Array], rng: np.random.Generator
) -> Array:
    """Project a slice's metal, take what is measured wrongly, and project that back."""
    rows, columns = np.nonzero(metal > 0.05)
    (y, x), (fine_y, fine_x) = places, fine
    area = metal[rows, columns] * (y[1] - y[0]) * (x[1] - x[0])
    at_y, at_x = y[rows] - y.mean(), x[columns] - x.mean()
    reach = float(np.hypot(np.ptp(y), np.ptp(x))) / 2 + 10
    bins = 2 * int(np.ceil(reach / COARSE_MM))
    ramp = np.abs(np.fft.rfftfreq(bins))
    total = np.zeros((len(fine_y), len(fine_x)))
    across_y, across_x = fine_y - y.mean(), fine_x - x.mean()
    for angle in (np.arange(ANGLES) + rng.random()) * np.pi / ANGLES:
        sine, cosine = np.sin(angle), np.cos(angle)
        bin_of = (at_y * sine + at_x * cosine + reach) / COARSE_MM
        passed = np.bincount(bin_of.astype(int), area, bins) / COARSE_MM
        wrong = -HARDER * passed**2 + STARVED * rng.normal(size=bins) * np.expm1(0.08 * passed)
        filtered = np.fft.irfft(np.fft.rfft(wrong) * ramp, bins)
        seen = ((across_y * sine)[:, None] + across_x * cosine + reach) / COARSE_MM
        total += np.interp(seen.ravel(), np.arange(bins), filtered).reshape(total.shape)
    return total * np.pi / 2
