"""The shape of a vertebra as distances to its surface, in its own frame.

A body is a drum with a waist and dished end plates; it may be wedged or sunk in, and bear spurs.
Pedicles lead back to the pillars of the joints, laminae close the canal, and transverse and spinous
processes stand out. The arch is alike on both sides; what differs is a slow roughness of all of the
surface. Sacral vertebrae have wings in place of an arch. Distances are exact near the body's wall
and close elsewhere: they tell the share of a voxel that bone fills, and how deep in it one is.
"""

from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.spine.levels import NUMBERS, Size

Values = NDArray[np.float32]

WAIST, DISH = 0.09, 0.07
"""How much narrower a body is at half its height, and lower in the middle, as shares."""

ROUGH_MM = 0.35
SHELL_MM = (0.8, 1.3)
"""Compact bone about a body, and about an arch."""


class Local(NamedTuple):
    """Places from the middle of a body: up, back and to the left, in mm; they broadcast."""

    up: Values
    back: Values
    left: Values


class Rod(NamedTuple):
    """A tapering rod from one place to another, (up, back, left) in mm.

    Args:
        start, end: Its ends.
        radii: At each end, across.
        tall: How many times as high as wide it is.
    """

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radii: tuple[float, float]
    tall: float = 1.0


@dataclass(frozen=True)
class Bone:
    """A vertebra in its place.

    Args:
        name: "T1" to "L6", and the neighbours "C6", "C7", "S1" to "S3".
        size: In mm.
        centre: (z, y, x) of the middle of its body, in mm.
        axes: (3, 3) up, back and left as columns.
        front_loss: Share of the height that a wedge lacks in front.
        middle_loss: Share of the height that it is sunk in.
        spurs: How far its rims stand out, as a share of its radius.
        waves: (2, 4) of its roughness: direction, per mm, and phase.
    """

    name: str
    size: Size
    centre: Array
    axes: Array
    front_loss: float
    middle_loss: float
    spurs: float
    waves: Array

    @property
    def named(self) -> bool:
        """Whether it is one of those that are looked for."""
        return self.name in NUMBERS

    @property
    def sacral(self) -> bool:
        return self.name.startswith("S")

    @property
    def thoracic(self) -> bool:
        return self.name.startswith("T")

    @property
    def broken(self) -> bool:
        return max(self.front_loss, self.middle_loss) > 0.1

    def place(self, up: float, back: float, left: float) -> Array:
        """Tell where a place of its own frame lies in the body."""
        return np.asarray(self.centre + self.axes @ np.array((up, back, left)))

    def moved(self, linear: Array) -> "Bone":
        """Turn it about the origin."""
        return replace(self, centre=linear @ self.centre, axes=linear @ self.axes)


def distances(bone: Bone, at: Local) -> tuple[Values, Values]:
    """Measure how far outside of a vertebra, and of its spongy inside, places are, in mm."""
    wall = np.maximum(body_distance(bone, at), -canal_distance(bone, at, deeper=1.0))
    mirrored = Local(at.up, at.back, np.abs(at.left))
    arch = reduce(np.minimum, (rod_distance(rod, mirrored) for rod in arch_rods(bone)))
    arch = np.maximum(arch, -canal_distance(bone, at))
    outer: Values = np.minimum(wall, arch)
    for up, back, left, phase in bone.waves.tolist():
        outer += ROUGH_MM * np.sin(up * at.up + back * at.back + left * at.left + phase)
    inner: Values = np.minimum(wall + SHELL_MM[0], arch + SHELL_MM[1])
    return outer, inner


def body_distance(bone: Bone, at: Local) -> Values:
    """Measure how far outside of the body places are."""
    size = bone.size
    high, deep, wide = size.height / 2, size.depth / 2, size.width / 2
    level = np.clip(at.up / high, -1, 1) ** 2
    girth = 1 - WAIST * (1 - level) + bone.spurs * level**4
    ahead = at.back / deep
    reach = np.sqrt((at.left / wide) ** 2 + ahead**2)
    dish = (DISH + bone.middle_loss) * high
    top = high - dish * np.maximum(1 - reach**2, 0)
    top = top - bone.front_loss * high / 2 * (1 - np.clip(ahead, -1, 1))
    return np.asarray(np.maximum((reach - girth) * (deep * wide) ** 0.5, np.abs(at.up) - top))


def canal_distance(bone: Bone, at: Local, deeper: float = 0.0) -> Values:
    """Measure how far outside of the canal places are; `deeper` mm hollow the body's back."""
    size = bone.size
    half, wide = size.canal_depth / 2, size.canal_width / 2
    middle = size.depth / 2 + half - deeper
    reach = np.sqrt((at.left / wide) ** 2 + ((at.back - middle) / half) ** 2)
    return np.asarray((reach - 1) * half)


def rod_distance(rod: Rod, at: Local) -> Values:
    """Measure how far outside of a rod places are, in mm across it."""
    shrink = (1 / rod.tall, 1.0, 1.0)
    ends = zip(rod.start, rod.end, shrink, strict=True)
    along = [(last - first) * by for first, last, by in ends]
    off = [(p - first) * by for p, first, by in zip(at, rod.start, shrink, strict=True)]
    square = sum(step**2 for step in along)
    share = sum(o * (step / square) for o, step in zip(off, along, strict=True))
    share = np.clip(share, 0, 1)
    beside = sum((o - share * step) ** 2 for o, step in zip(off, along, strict=True))
    first, last = rod.radii
    return np.asarray(np.sqrt(beside) - (first + share * (last - first)))


def extent(bone: Bone, arch: bool = True) -> tuple[Array, Array]:
    """Tell the lowest and the highest of (up, back, left) that it reaches, in mm."""
    size = bone.size
    half = np.array((size.height, size.depth, size.width)) / 2 * (1.02, 1.15, 1.15)
    low, high = [-half], [half]
    for rod in arch_rods(bone) if arch else ():
        for end, radius in zip((rod.start, rod.end), rod.radii, strict=True):
            wide = radius * np.array((rod.tall, 1, 1))
            low.append(end - wide)
            high.append(end + wide)
    lowest, highest = np.min(low, axis=0) - 1, np.max(high, axis=0) + 1
    lowest[2] = -highest[2]
    return lowest, highest


def arch_rods(bone: Bone) -> list[Rod]:
    """Tell the rods of the left half of what lies behind the body, or beside it in the sacrum."""
    size = bone.size
    high, back = size.height, size.depth / 2
    if bone.sacral:
        wing = Rod((0, 2, size.width / 2), (-3, 10, size.transverse / 2), (10, 9), 1.3)
        crest = (back + size.canal_depth, back + size.spinous)
        roof = Rod((0, crest[0], 0), (0, crest[0] - 2, size.canal_width / 2 + 6), (3, 5), 2.4)
        return [wing, roof, Rod((-2, crest[0], 0), (-6, crest[1], 0), (3, 2), 2.5)]
    side = (size.canal_width + size.pedicle_width) / 2
    pillar = back + 0.7 * size.canal_depth
    rear = back + size.canal_depth + 1.5
    lumbar = not bone.thoracic and bone.named
    joint = 5.5 if lumbar else 4.2
    pedicle = Rod(
        (0.18 * high, 0.6 * back, side),
        (0.18 * high, pillar, side + 1),
        (size.pedicle_width / 2,) * 2,
        size.pedicle_height / size.pedicle_width,
    )
    joints = Rod(
        (0.62 * high, pillar, side + 2), (-0.72 * high, pillar + 4, side - 2), (joint,) * 2
    )
    lamina = Rod((-0.1 * high, pillar + 3, side - 2), (-0.35 * high, rear, 0), (2.8, 3), 3.0)
    length, slope = size.spinous - size.canal_depth, np.radians(size.droop)
    tip = (-0.35 * high - length * np.sin(slope), rear + length * np.cos(slope) - 2, 0.0)
    spine = Rod((-0.35 * high, rear, 0), tip, (2.6, 3.2), 2.5 if lumbar else 1.9)
    sweep = 13.0 if bone.thoracic else 4.0
    process = Rod(
        (0.1 * high, pillar, side),
        (0.1 * high, pillar + sweep, size.transverse / 2 - 4),
        (3.5, 4.0) if bone.thoracic else (4.0, 2.5),
        1.4 if lumbar else 1.2,
    )
    return [pedicle, joints, lamina, spine, process]
