"""What a scan of a spine shows: all of it or a part, the whole width of the body or the spine only.

A scan ends between the middles of two vertebrae, never close to a middle, so that of each vertebra
it can be said whether it is in.
"""

import numpy as np

from medclf.curate.phantom.ct import Frame
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.spine.patient import Chances, Spine
from medclf.curate.phantom.spine.trunk import TABLE_MM, outline_body
from medclf.curate.phantom.spine.vertebra import Bone

CLEAR = 0.3
"""A scan ends at least so much of a vertebra's height from its middle."""

FEWEST, MOST = 5, 12
"""Vertebrae in a part of the spine."""

AROUND_MM = (42.0, 85.0, 52.0)
"""Least way from a middle to the border: in front, in the back, and to both sides."""


def draw_frame(
    spine: Spine, spacing_mm: tuple[float, float, float], chances: Chances, rng: np.random.Generator
) -> Frame:
    """Draw where the voxels of a scan lie, as a technician plans it."""
    high, low = _window(spine, rng.random() < chances.cut, rng)
    top = _end(spine.bones[high], spine.bones[high - 1], rng)
    bottom = _end(spine.bones[low], spine.bones[low + 1], rng)
    shown = np.array([bone.centre for bone in spine.bones[high : low + 1]])
    around = _spine_only if rng.random() < chances.narrow else _whole_width
    first, last = around(spine, shown, rng)
    sides = np.array([[bottom, *first], [top, *last]])
    z, y, x = (int(n) for n in np.floor(np.ptp(sides, axis=0) / spacing_mm) + 1)
    start = tuple(round(float(mm), 2) for mm in sides[0])
    return Frame((start[0], start[1], start[2]), (z, y, x), spacing_mm)


def _window(spine: Spine, cut: bool, rng: np.random.Generator) -> tuple[int, int]:
    """Choose the highest and the lowest vertebra of a scan, as numbers of `bones`."""
    first, last = 2, len(spine.bones) - 4
    kind = rng.choice(("lumbar", "thoracic", "any"), p=(0.3, 0.2, 0.5))
    steps, count = rng.integers(4, size=2), int(rng.integers(FEWEST, MOST + 1))
    if not cut:
        return first - 1, last + 2
    if kind == "lumbar":
        return last - 5 - int(steps[0]), last + 1 + int(steps[1] > 1)
    if kind == "thoracic":
        return first - int(steps[0] > 1), last - 4 - int(steps[1])
    high = int(rng.integers(first, last - count + 2))
    return high, high + count - 1


def _end(inner: Bone, outer: Bone, rng: np.random.Generator) -> float:
    """Choose the height between two vertebrae at which a scan ends."""
    way = float(outer.centre[0] - inner.centre[0])
    near, far = (min(CLEAR * bone.size.height, 0.4 * abs(way)) for bone in (inner, outer))
    return float(inner.centre[0] + np.sign(way) * rng.uniform(near, abs(way) - far))


def _spine_only(spine: Spine, shown: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    front, back, aside = AROUND_MM
    first = shown.min(axis=0)[1:] - np.array((front, aside))
    last = shown.max(axis=0)[1:] + np.array((back, aside))
    wide = max(float((last - first).max()), rng.uniform(150, 220))
    spare = wide - (last - first)
    first = first - spare * (rng.uniform(0.3, 0.7, 2))
    return first, first + wide


def _whole_width(spine: Spine, shown: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    _, ahead, behind, across, wide = outline_body(spine).T
    around = rng.uniform(4, 20, 4)
    first = np.array([ahead.min() - around[0], (across - wide).min() - around[1]])
    table = behind.max() + sum(TABLE_MM)
    return first, np.array([table + around[2], (across + wide).max() + around[3]])
