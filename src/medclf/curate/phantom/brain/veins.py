"""The veins of a brain, dark in a gradient echo: cut across, they look like bleeds.

Cortical veins begin deep in sulci, run along their walls and come up to the hull, over which they
go on towards the top. Medullary veins gather fan-wise in white matter above the lateral ventricles
and drain into the veins in their walls, these into the internal cerebral veins, and all into
sinuses.

Source: for who drains where, Kilic, Akakin. Anatomy of Cerebral Veins and Sinuses. Frontiers of
Neurology and Neuroscience 2008.
"""

import numpy as np
from scipy.ndimage import map_coordinates

from medclf.curate.phantom.brain.folds import Folds
from medclf.curate.phantom.brain.head import Head
from medclf.curate.phantom.brain.outline import Triple
from medclf.curate.phantom.chest.tree import Tree
from medclf.curate.phantom.ct import Frame, Values
from medclf.curate.phantom.shapes import Array

STATIONS = 28
PACE_MM = 1.5
"""Way of a cortical vein between stations."""

CORTICAL, MEDULLARY = 240, 120
"""How many there are in both hemispheres."""

Way = tuple[tuple[Triple, ...], float, float]
"""Places along a vein, and its radii in mm where it begins and where it ends."""

DEEP: tuple[Way, ...] = (
    (((10, 2, 2.5), (12, 12, 2.5), (8, 26, 2.5), (5, 36, 1)), 0.7, 1.2),
    (((4, -26, 8), (12, -22, 4), (10, 2, 2.5)), 0.4, 0.7),
    (((23, 26, 18), (22, 10, 15), (16, 2, 10), (10, 2, 2.5)), 0.4, 0.9),
    (((24, -10, 14), (25, 8, 15), (22, 26, 20)), 0.4, 0.6),
    (((-14, -2, 16), (-14, 12, 21), (-6, 26, 19), (5, 37, 2)), 0.5, 1.1),
    (((2, 52, 30), (10, 44, 22), (8, 38, 8), (6, 38, 1)), 0.4, 0.8),
)
"""Those on both sides: internal cerebral, septal, thalamostriate, in the roof, basal, atrial."""

GREAT: Way = (((5, 36, 0), (8, 42, 0), (13, 46, 0)), 1.5, 2.0)
STRAIGHT: Way = (((13, 46, 0), (8, 70, 0), (1, 99, 0)), 2.0, 2.6)
TRANSVERSE: Way = (
    ((1, 100, 1), (-7, 94, 28), (-12, 72, 52), (-22, 48, 60), (-42, 42, 50)),
    2.8,
    3.6,
)


def sinuses(head: Head, apart_mm: float) -> Tree:
    """Lay the sinuses, the one beneath the vault `apart_mm` outside of the hull."""
    angle = np.radians(np.linspace(-62, 98, STATIONS))
    tall = np.where(np.cos(angle) > 0, 62, 30) + apart_mm
    up, back = 12 + tall * np.cos(angle), 16 + (86 + apart_mm) * np.sin(angle)
    path = np.column_stack([up, back, np.zeros(STATIONS)])
    places, wide = zip(*(_along(way) for way in (STRAIGHT, *_both(TRANSVERSE))), strict=True)
    radii = [np.linspace(1.4, 3.4, STATIONS), *wide]
    return _tree(head, np.stack([path, *places]), np.stack(radii))


def deep_veins(head: Head, rng: np.random.Generator) -> Tree:
    """Lay the deep veins, everyone's a little elsewhere, and the medullary ones above them."""
    ways = [GREAT, *(one for way in DEEP for one in _both(way))]
    places, radii = (list(some) for some in zip(*map(_along, ways), strict=True))
    bent = [path + _waver(rng, 0.8) for path in places]
    fan_places, fan_radii = _fan(rng)
    thick = np.stack(radii) * rng.uniform(0.85, 1.25, (len(ways), 1))
    return _tree(
        head, np.concatenate([np.stack(bent), fan_places]), np.concatenate([thick, fan_radii])
    )


def cortical_veins(
    frame: Frame, folds: Folds, depth: Values, upward: Array, rng: np.random.Generator
) -> Tree:
    """Lead veins along sulci up to the hull and on.

    Args:
        frame: Of the coarse voxels at which the others are known.
        folds: The sulci.
        depth: Below the hull, in mm.
        upward: (3,) towards the top of the head.
        rng: Chance.
    """
    step = frame.spacing_mm[0]
    known: list[Values] = [folds.aside, depth]
    known += [np.asarray(slope) for one in known for slope in np.gradient(one, step)]
    good = (np.abs(folds.aside) < step) & (folds.below < -1.5) & (depth > 2) & (folds.falx > 4)
    roots = rng.choice(np.flatnonzero(good), CORTICAL)
    at = np.column_stack(np.unravel_index(roots, frame.shape)) * step
    way, path = _unit(rng.normal(size=at.shape)), [at]
    for _ in range(STATIONS - 1):
        samples = (at / step).T
        here = [map_coordinates(one, samples, order=1, mode="nearest") for one in known]
        aside, deep = here[:2]
        across, inward = (_unit(np.stack(three, 1)) for three in (here[2:5], here[5:]))
        outside = (deep < 0)[:, None]
        wall = np.where(outside, inward, across)
        way = way + rng.normal(0, 0.25, at.shape) - 0.12 * inward + 0.25 * outside * upward
        way = _unit(way - wall * np.sum(way * wall, axis=1, keepdims=True))
        off = np.where(deep < 0, deep + 1.0, aside).clip(-1.5, 1.5)
        at = at + PACE_MM * way - 0.6 * off[:, None] * wall
        path.append(at)
    start = rng.uniform(0.3, 0.6, CORTICAL)
    end = start + rng.gamma(2.0, 0.22, CORTICAL)
    radii = np.linspace(start, end, STATIONS, axis=1)
    return Tree(np.stack(path, 1) + frame.start_mm, radii, np.ones(CORTICAL, bool))


def _fan(rng: np.random.Generator) -> tuple[Array, Array]:
    """Lay medullary veins from white matter down to the roof of the lateral ventricles."""
    along = rng.uniform(-24, 44, MEDULLARY)
    roof = np.interp(along, (-26, -10, 10, 30, 44), (12, 20, 24, 20, 12))
    side = np.interp(along, (-26, -10, 10, 30, 44), (15, 14, 15, 21, 28))
    ends = np.column_stack([roof, along, side])
    lean = rng.uniform(0.1, 1.3, MEDULLARY)
    away = np.column_stack(
        [np.cos(lean), 0.012 * along + rng.normal(0, 0.12, MEDULLARY), np.sin(lean)]
    )
    reach = rng.uniform(8, 26, (MEDULLARY, 1))
    share = np.linspace(1, 0, STATIONS)[:, None]
    bend = rng.normal(0, 1.5, (MEDULLARY, 1, 3)) * np.sin(np.pi * share)
    paths = ends[:, None] + (reach * away)[:, None] * share + bend
    paths[::2, :, 2] *= -1
    wide = rng.uniform(0.22, 0.5, (MEDULLARY, 1))
    return paths, wide * np.linspace(0.7, 1.2, STATIONS)


def _both(way: Way) -> list[Way]:
    """Give a vein and its mirror image."""
    places, first, last = way
    return [way, (tuple((z, y, -x) for z, y, x in places), first, last)]


def _along(way: Way) -> tuple[Array, Array]:
    """Lay stations evenly along a vein."""
    places, first, last = way
    corners = np.array(places, np.float64)
    far = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    at = np.linspace(0, far[-1], STATIONS)
    path = np.column_stack([np.interp(at, far, axis) for axis in corners.T])
    return path, np.linspace(first, last, STATIONS)


def _waver(rng: np.random.Generator, far_mm: float) -> Array:
    """Draw slow bends of a vein that leave its ends where they are."""
    share = np.linspace(0, np.pi, STATIONS)[:, None]
    waves = (rng.normal(0, far_mm, 3) * np.sin(k * share) for k in (1, 2, 3))
    return np.asarray(sum(waves))


def _tree(head: Head, paths: Array, radii: Array) -> Tree:
    """Bring veins into the scanner."""
    placed = head.place(paths.reshape(-1, 3)).reshape(paths.shape)
    return Tree(placed, radii, np.ones(len(paths), bool))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))
