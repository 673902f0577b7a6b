"""A simple body of a chest: wall, lungs, heart, great vessels, diaphragm, spine, ribs.

A reference body is written down in numbers, in millimetres about the middle of the chest, and bent
to a person: size by sex, heart by age, sex and chance, diaphragm by the depth of the breath. What
displaces the lungs is a list, so that a lung is its outline without them. Bones and the vessels of
the lung are clouds of points.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from medclf.curate.phantom.shapes import (
    Array,
    Column,
    Ellipsoid,
    Shape,
    column,
    contains,
    ellipsoid,
)
from medclf.curate.phantom.tubes import Cloud, Sprouts, grow_vessels, joined, tube

RIGHT, LEFT = -1, 1
VERTEBRA_MM = 23.0

# Rows of (z, y, x, half width, half depth) in mm.
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


@dataclass(frozen=True)
class Person:
    """Who a phantom is.

    Args:
        age_years: 18 to 92.
        sex: "F" or "M".
        height, girth: Size, as a multiple of the reference body's.
        heart: Width of the heart, as a multiple of the reference.
        fat_mm: Fat beneath the skin.
        texture: How coarse the drawing of the lung is; grows with age.
    """

    age_years: int
    sex: Literal["F", "M"]
    height: float
    girth: float
    heart: float
    fat_mm: float
    texture: float


@dataclass(frozen=True)
class Body:
    """A chest ready to be projected, or to have a finding placed in it.

    Args:
        wall: Everything within the skin: the trunk, the shoulders, the breasts.
        lungs: Outlines of the right and the left lung.
        solids: What the lungs give way to.
        spine: The vertebral bodies.
        hollows: Air outside the lungs: windpipe, main bronchi, stomach.
        bone: Compact bone.
        vessels: Blood in the lungs.
    """

    wall: tuple[Shape, ...]
    lungs: tuple[Column, Column]
    solids: tuple[Shape, ...]
    spine: Column
    hollows: tuple[Shape, ...]
    bone: Cloud
    vessels: Cloud

    def moved(self, linear: Array) -> "Body":
        """Size, or turn, the whole body by a matrix."""
        right, left = (lung.moved(linear) for lung in self.lungs)
        return Body(
            tuple(part.moved(linear) for part in self.wall),
            (right, left),
            tuple(part.moved(linear) for part in self.solids),
            self.spine.moved(linear),
            tuple(part.moved(linear) for part in self.hollows),
            self.bone.moved(linear),
            self.vessels.moved(linear),
        )

    def clear(self, points: Array) -> "np.typing.NDArray[np.bool_]":
        """Tell which points (N, 3) lie in a lung, with nothing before or behind them but lung."""
        seen = np.logical_or(*(contains(lung, points) for lung in self.lungs))
        for part in self.solids:
            seen &= part.stretch(points[:, 0], points[:, 2]).thickness == 0
        return np.asarray(seen)

    def airy(self, points: Array) -> "np.typing.NDArray[np.bool_]":
        """Tell which points (N, 3) lie in the air of a lung."""
        right, left = (contains(lung, points) for lung in self.lungs)
        solid = np.zeros(len(points), bool)
        for part in self.solids:
            solid |= contains(part, points)
        return (right | left) & ~solid


def draw_person(age_years: int, sex: Literal["F", "M"], rng: np.random.Generator) -> Person:
    """Draw a person's build. Women are smaller; hearts and fat grow with age."""
    woman = sex == "F"
    aged = (age_years - 55) / 20
    return Person(
        age_years,
        sex,
        height=float(np.clip(rng.normal(0.95 if woman else 1.02, 0.045), 0.82, 1.14)),
        girth=float(np.clip(rng.normal(0.95 if woman else 1.03, 0.05), 0.8, 1.17)),
        heart=float(np.clip(rng.normal(1.0 + 0.045 * aged - 0.02 * woman, 0.075), 0.8, 1.35)),
        fat_mm=float(np.clip(rng.normal(7 + 2 * aged, 5), 0, 24)),
        texture=float(np.clip(rng.normal(1 + 0.15 * aged, 0.2), 0.5, 1.8)),
    )


def build_body(person: Person, rng: np.random.Generator, step: float = 1.5) -> Body:
    """Build a person's chest, at a middling breath, in the person's own size.

    Args:
        person: Whose chest.
        rng: Chance of the anatomy.
        step: Distance in mm of the points that draw bones and vessels: about half a pixel.
    """
    lungs = (_lung(RIGHT), _lung(LEFT))
    body = Body(
        _wall(person, rng),
        lungs,
        (*_heart(person.heart, rng), *_great_vessels(rng), *_domes(rng), _spine()),
        _spine(),
        _hollows(rng),
        _skeleton(lungs[0], step, rng),
        joined([_vessels(side, step, rng) for side in (RIGHT, LEFT)]),
    )
    body = replace(body, vessels=body.vessels.where(body.airy(body.vessels.points)))
    return body.moved(np.diag([person.height, person.girth, person.girth]))


def breathe(body: Body, depth: float) -> Body:
    """Move the diaphragm: -1 is a shallow breath, 0 a middling, 1 a deep one.

    The last of `solids` are the domes and the spine; the heart follows the domes a little.
    """
    down = np.array([-9.0 * depth, 0, 0])

    def lowered(part: Shape, share: float) -> Shape:
        moved = isinstance(part, Ellipsoid)
        return replace(part, centre=part.centre + share * down) if moved else part

    *others, right, left, spine = body.solids
    hearts = [lowered(part, 0.35) for part in others]
    domes = [lowered(part, 1.0) for part in (right, left)]
    *airways, stomach = body.hollows
    hollows = (*airways, lowered(stomach, 1.0))
    return replace(body, solids=(*hearts, *domes, spine), hollows=hollows)


@cache
def _lung(side: int) -> Column:
    return column([(z, y, side * x, w, d) for z, y, x, w, d in LUNG], power=2.6)


@cache
def _spine() -> Column:
    """Vertebral bodies, with waists."""
    heights = np.arange(-210, 211, VERTEBRA_MM / 6)
    width = 17.5 + 1.5 * np.cos(2 * np.pi * heights / VERTEBRA_MM)
    knots = [(z, 66, 0, w, 16) for z, w in zip(heights, width, strict=True)]
    return column(knots, power=2.3, samples=420)


@cache
def _middle() -> tuple[Column, Column, Column]:
    """Mediastinum, descending aorta, windpipe."""
    return column(MEDIASTINUM), column(AORTA), column(TRACHEA)


def _wall(person: Person, rng: np.random.Generator) -> tuple[Shape, ...]:
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


def _heart(size: float, rng: np.random.Generator) -> list[Shape]:
    """Left ventricle, pointing left, down and forward; right ventricle and atrium; left appendage."""
    tall = rng.normal(0, 0.08)
    apex = (-0.66 - tall, -0.35, 0.74)
    return [
        ellipsoid((-64, -20, 28 * size), (74 * size, 48 * size, 49 * size), apex),
        ellipsoid((-74, -30, 6), (46 * size, 42, 50 * size)),
        ellipsoid((-56, -8, -17 * size), (52, 40, 36 * size), (1, 0, 0.18)),
        ellipsoid((0, -2, 22 * size), (34, 32, 20 * size)),
    ]


def _great_vessels(rng: np.random.Generator) -> list[Shape]:
    """Mediastinum, arch and descending part of the aorta, upper vena cava, both hila."""
    knob = 13 + 3 * rng.random()
    aorta = [
        (90, 40, 18, 11, 11),
        (40, 48, 22, 12, 12),
        (-60, 52, 18, 12, 12),
        (-200, 55, 8, 11, 11),
    ]
    return [
        _middle()[0],
        ellipsoid((52, 18, 24), (knob, 34, knob), (1, 0, 0)),
        _middle()[1],
        ellipsoid((55, -12, -19), (62, 20, 13)),
        ellipsoid((16, 8, 34), (17, 17, 13), (1, 0, -0.3)),
        ellipsoid((4, 8, -33), (19, 16, 12), (1, 0, 0.4)),
    ]


def _hollows(rng: np.random.Generator) -> tuple[Shape, ...]:
    return (
        _middle()[2],
        ellipsoid((33, 28, -22), (22, 6, 6), (-0.55, 0, -1)),
        ellipsoid((30, 28, 20), (28, 6, 5.5), (-0.6, 0, 1)),
        ellipsoid((-142, -10, 62 + rng.normal(0, 8)), (13, 22, 26) * rng.uniform(0.5, 1.1, 3)),
    )


def _domes(rng: np.random.Generator) -> list[Shape]:
    """Diaphragm: the right dome higher, over the liver."""
    height = rng.normal(-98, 5)
    lower = rng.normal(13, 5)
    return [
        ellipsoid((height - 66, -14, -68), (66, 96, 74)),
        ellipsoid((height - lower - 62, -14, 70), (62, 96, 73)),
    ]


def _skeleton(lung: Column, step: float, rng: np.random.Generator) -> Cloud:
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
    return joined([Cloud(arch.points + (z, 0, 0), arch.volume) for z in heights])


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


def _vessels(side: int, step: float, rng: np.random.Generator) -> Cloud:
    """Grow the vessels of one lung from its hilum, outward, more of them down than up."""
    count = 13
    starts = np.array([6.0, 8, side * 34]) + rng.normal(0, (9, 7, 4), (count, 3))
    tilt = np.linspace(1.25, -1.45, count) + rng.normal(0, 0.12, count)
    forward = np.column_stack(
        [np.sin(tilt), rng.normal(0, 0.55, count), side * (np.cos(tilt) + 0.1)]
    )
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return joined(grow_vessels(Sprouts(starts, forward), rng, step=step))
