"""The bones that cast lines over a chest: ribs, vertebral arches, collar bones, shoulder blades.

Each is a tube of compact bone about marrow. Ribs lead from the spine around the wall of the chest,
falling as they go, to where their cartilage begins, so the back part of one crosses the front part
of another in the picture.
"""

from functools import cache

import numpy as np

from medclf.curate.phantom.organs import LEFT, RIGHT, VERTEBRA_MM
from medclf.curate.phantom.shapes import Array, Column
from medclf.curate.phantom.tubes import Cloud, joined, tube


def skeleton(lung: Column, step: float, rng: np.random.Generator) -> Cloud:
    parts = []
    shift, droop = rng.normal(0, 4), rng.normal(1, 0.1)
    for side in (RIGHT, LEFT):
        for number in range(11):
            path = _rib(lung, side, number, shift, droop)
            parts.append(tube(path, (6.2 - 0.12 * number, 3.2), step, wall=1.1))
        parts.append(_girdle(side, step))
    return joined([*parts, _arches(step)])


@cache
def _arches(step: float) -> Cloud:
    """Stalks and spines of the vertebrae."""
    arch = joined([
        tube(np.array([(0, 74.0, -14), (0, 90, -14)]), (5.5, 3.5), step, wall=0.8),
        tube(np.array([(0, 74.0, 14), (0, 90, 14)]), (5.5, 3.5), step, wall=0.8),
        tube(np.array([(0, 92.0, 0), (-14, 112, 0)]), (5, 2.5), step, wall=0.8),
    ])  # fmt: skip
    heights = np.arange(-190, 190, VERTEBRA_MM)
    steps = np.column_stack([heights, 0 * heights, 0 * heights])
    return joined([Cloud(arch.points + step_up, arch.volume) for step_up in steps])


def _rib(lung: Column, side: int, number: int, shift: float, droop: float) -> Array:
    """Lead a rib from the spine around the side to where its cartilage begins."""
    end = (2.25, 2.35, 2.4, 2.4, 2.4, 2.35, 2.3, 2.2, 2.0, 1.8, 1.6)[number]
    drop = droop * (38, 54, 66, 74, 78, 80, 80, 78, 74, 70, 64)[number]
    angle = np.linspace(0.2, end, 60)
    z = 128 + shift - VERTEBRA_MM * number - drop * (angle / 2.35) ** 1.9
    z += 7 * np.exp(-(((angle - 0.5) / 0.35) ** 2))
    heights = lung.centres[:, 0]
    reach = np.interp(z, heights, np.abs(lung.centres[:, 2]) + lung.half_width) + 4
    deep = np.interp(z, heights, lung.half_depth) + 5
    reach, deep = np.maximum(reach, 62), np.maximum(deep, 38)
    x = side * reach * np.sin(angle) ** 0.8
    y = np.interp(z, heights, lung.centres[:, 1]) + deep * np.cos(angle)
    return np.column_stack([z, y, x])


@cache
def _girdle(side: int, step: float) -> Cloud:
    """Collar bone, edges of the shoulder blade, head of the arm."""
    collar = [(95, -58, 14), (99, -66, 28), (108, -64, 62), (120, -44, 100), (127, -16, 130),
              (124, 4, 158)]  # fmt: skip
    border = [(90, 36, 156), (66, 48, 150), (34, 60, 137), (6, 67, 124), (-8, 70, 116)]
    blade = [(78, 70, 112), (96, 62, 132), (112, 45, 152), (122, 25, 170)]
    arm = [(122, 6, 172), (108, 6, 181), (70, 6, 200), (20, 6, 225)]
    rods = [(collar, 5.5, 1.7), (border, 4.0, 0.9), (blade, 4.0, 0.9), (arm, 14.0, 1.6)]
    mirror = np.array([1.0, 1, side])
    return joined([tube(np.array(path) * mirror, (r, r), step, wall) for path, r, wall in rods])
