"""The organs of a reference chest, in numbers, each bent a little to a person.

Places are millimetres about the middle of the chest. A table's rows are the level sections of a
column: (z, y, x, half width, half depth). Ellipsoids make up what is not a column.
"""

from functools import cache

import numpy as np

from medclf.curate.phantom.person import Person
from medclf.curate.phantom.shapes import Column, Ellipsoid, Shape, column, ellipsoid

RIGHT, LEFT = -1, 1
VERTEBRA_MM = 23.0

TRUNK = (
    (230, 10, 0, 58, 56),
    (178, 8, 0, 62, 58),
    (155, 6, 0, 92, 64),
    (135, 4, 0, 138, 74),
    (110, 2, 0, 160, 88),
    (70, 0, 0, 168, 102),
    (20, 0, 0, 167, 110),
    (-40, 0, 0, 166, 114),
    (-110, 0, 0, 165, 115),
    (-230, 0, 0, 170, 118),
)
LUNG = (
    (131, 18, 47, 0, 0),
    (129, 18, 47, 12, 10),
    (124, 17, 47, 22, 20),
    (113, 14, 47, 32, 32),
    (95, 10, 50, 43, 46),
    (65, 5, 56, 53, 62),
    (30, 2, 62, 60, 74),
    (-20, 0, 66, 65, 83),
    (-70, 0, 69, 67, 88),
    (-115, 2, 69, 67, 88),
    (-150, 6, 68, 65, 80),
    (-175, 8, 66, 60, 70),
)
MEDIASTINUM = (
    (165, 10, 0, 36, 52),
    (125, 10, 0, 31, 50),
    (100, 12, -1, 25, 50),
    (70, 14, -2, 20, 52),
    (40, 16, 0, 18, 54),
    (-10, 18, 0, 18, 56),
    (-60, 18, 2, 18, 58),
    (-200, 18, 4, 22, 60),
)
TRACHEA = (
    (230, 2, 0, 8, 8),
    (120, 14, -1, 8, 8),
    (75, 24, -3, 8.5, 8),
    (52, 28, -3, 15, 7),
    (44, 28, -3, 17, 3),
)
AORTA = (
    (90, 40, 18, 11, 11),
    (40, 48, 22, 12, 12),
    (-60, 52, 18, 12, 12),
    (-200, 55, 8, 11, 11),
)


@cache
def lung(side: int) -> Column:
    """Outline of one lung, apex to recess, without what displaces it."""
    return column([(z, y, side * x, w, d) for z, y, x, w, d in LUNG], power=2.6)


@cache
def spine() -> Column:
    """Vertebral bodies, with waists."""
    heights = np.arange(-210, 211, VERTEBRA_MM / 6)
    width = 17.5 + 1.5 * np.cos(2 * np.pi * heights / VERTEBRA_MM)
    knots = [(z, 66, 0, w, 16) for z, w in zip(heights, width, strict=True)]
    return column(knots, power=2.3, samples=420)


@cache
def airways() -> tuple[Shape, ...]:
    """Windpipe, right and left main bronchus."""
    right = ellipsoid((33, 28, -22), (22, 6, 6), (-0.55, 0, -1))
    left = ellipsoid((30, 28, 20), (28, 6, 5.5), (-0.6, 0, 1))
    return column(TRACHEA), right, left


def wall(person: Person, rng: np.random.Generator) -> tuple[Shape, ...]:
    """Trunk and shoulders, thicker by the fat; and breasts, or the muscles of the chest."""
    fat = person.fat_mm
    trunk = column([(z, y, x, w + fat, d + fat) for z, y, x, w, d in TRUNK], power=2.4)
    shoulders = [
        ellipsoid((92, 6, side * 158), (70, 50 + fat, 58 + fat), (1, 0, -0.25 * side))
        for side in (RIGHT, LEFT)
    ]
    if person.sex == "F":
        size = rng.uniform(0.75, 1.25) + 0.01 * fat
        radii, centre = (52 * size, 40 * size, 54 * size), (-62 - 10 * size, -104, 78)
    else:
        radii, centre = (48, 16 + rng.uniform(0, 10), 56), (22, -104, 86)
    chest = [ellipsoid((centre[0], centre[1], s * centre[2]), radii) for s in (RIGHT, LEFT)]
    return (trunk, *shoulders, *chest)


def heart(size: float, rng: np.random.Generator) -> tuple[Ellipsoid, ...]:
    """Left ventricle, pointing left, down and forward; right ventricle and atrium; appendage."""
    tall = rng.normal(0, 0.08)
    apex = (-0.66 - tall, -0.35, 0.74)
    return (
        ellipsoid((-64, -20, 28 * size), (74 * size, 48 * size, 49 * size), apex),
        ellipsoid((-74, -30, 6), (46 * size, 42, 50 * size)),
        ellipsoid((-56, -8, -17 * size), (52, 40, 36 * size), (1, 0, 0.18)),
        ellipsoid((0, -2, 22 * size), (34, 32, 20 * size)),
    )


@cache
def _midline() -> tuple[Column, Column]:
    """Mediastinum and descending aorta."""
    return column(MEDIASTINUM), column(AORTA)


def between(rng: np.random.Generator) -> tuple[Shape, ...]:
    """Mediastinum, aorta, its arch, the upper vena cava, the left and the right hilum."""
    knob = 13 + 3 * rng.random()
    return (
        *_midline(),
        ellipsoid((52, 18, 24), (knob, 34, knob)),
        ellipsoid((55, -12, -19), (62, 20, 13)),
        ellipsoid((16, 8, 34), (17, 17, 13), (1, 0, -0.3)),
        ellipsoid((4, 8, -33), (19, 16, 12), (1, 0, 0.4)),
    )


def domes(rng: np.random.Generator) -> tuple[Ellipsoid, Ellipsoid]:
    """Diaphragm: the right dome higher, over the liver."""
    height, lower = rng.normal(-98, 7), rng.normal(13, 6)
    right = ellipsoid((height - 66, -14, -68), (66, 96, 74))
    return right, ellipsoid((height - lower - 62, -14, 70), (62, 96, 73))


def stomach(rng: np.random.Generator) -> Ellipsoid:
    """Its bubble of air, beneath the left dome."""
    tall, deep, wide = (13, 22, 26) * rng.uniform(0.5, 1.1, 3)
    return ellipsoid((-142, -10, 62 + rng.normal(0, 8)), (tall, deep, wide))
