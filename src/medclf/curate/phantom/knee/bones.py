"""The bones of a right knee that hangs straight: shells of compact bone about spongy bone.

Each part is a stack of level sections (a `Column`). A bone is the union of its parts, and its
compact shell what the same parts, made smaller by the shell's thickness, leave of it. So shafts
show two bright lines, and ends a fine one. Places are (z, y, x) in mm: up, backward, outward; z is
counted from the line of the joint. Femur and tibia have frames of their own, whose origin lies on
the lowest points of the condyles and on the plateau.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from medclf.curate.phantom.shapes import (
    Array,
    Shape,
    Stretch,
    column,
    ellipsoid,
    union_within,
)

Knots = Sequence[Sequence[float]]

# Rows: z, y, x, half width, half depth.
SHAFT_OF_FEMUR = (
    (190, -4, 11, 14, 14.5),
    (130, -4, 7, 14.5, 15),
    (95, -4, 4.5, 16.5, 16),
    (72, -3, 2.5, 21.5, 18.5),
    (56, -2, 1, 30, 22.5),
    (45, -1, 0, 37, 26),
    (38, 0, 0, 39.2, 27.5),
    (32, 0, 0, 37, 27),
    (28, 0, 0, 29, 25),
    (25, 0, 0, 15, 21),
    (23.3, 0, 0, 7, 15),
    (22.7, 0, 0, 2, 5),
)
MEDIAL_CONDYLE = (
    (50, 0, -19, 1, 1),
    (44, 3, -20.5, 13, 14),
    (36, 5, -21, 18, 24),
    (27, 6, -21, 18.2, 29),
    (18, 7, -21.8, 16.9, 30),
    (11, 7, -22.6, 15.2, 27),
    (6, 7, -23.2, 13, 22),
    (3, 7, -23.3, 10.5, 17),
    (1.2, 7, -23, 7.5, 12),
    (0.3, 7, -22.7, 4.4, 7),
    (0, 7, -22.5, 1, 3),
)
LATERAL_CONDYLE = (
    (50, 0, 19, 1, 1),
    (44, 2, 20.5, 12, 13),
    (36, 4, 21, 17, 24),
    (27, 5, 21, 17.5, 29),
    (18, 6, 21.8, 16.4, 30),
    (11, 6, 22.6, 14.8, 27),
    (6, 6, 23, 13, 22),
    (3, 6, 23, 11, 17),
    (1.2, 6, 22.9, 8.3, 12),
    (0.3, 6, 22.7, 5.2, 7),
    (0, 6, 22.7, 1, 3),
)
GROOVE = (
    (48, -8, 2, 2, 1),
    (38, -16, 2, 22, 5),
    (28, -20, 2, 27, 7.5),
    (18, -20, 2, 23, 7),
    (12, -18, 2, 16, 5),
    (9.5, -17, 2, 4, 1.5),
)
PATELLA = (
    (61, -41, 1, 3, 1.5),
    (58, -41, 1, 12, 4),
    (51, -42, 1, 19.5, 6.5),
    (43, -42, 1, 21.5, 7.5),
    (34, -42, 1, 18.5, 7),
    (26, -41, 1, 11, 5),
    (21.5, -41, 1, 3, 1.5),
)
SHAFT_OF_TIBIA = (
    (0, 3, 0.5, 33, 15),
    (-0.7, 3, 0.5, 35.8, 18),
    (-2, 3, 0.5, 37.5, 21.5),
    (-5.5, 3, 0.5, 38.6, 24.5),
    (-10, 3, 0.5, 38, 25.5),
    (-18, 2, 0.2, 34, 25),
    (-28, 1, -0.5, 27.5, 23),
    (-42, 0, -1.2, 21, 20),
    (-60, 0, -1.7, 16.8, 18),
    (-85, 0, -2, 14.3, 16.5),
    (-120, 0, -2, 13, 15.5),
    (-190, 0, -2, 12.5, 15),
)
FIBULA = (
    (-9.5, 16, 37, 0.8, 1),
    (-11.5, 16, 36.5, 4, 4.5),
    (-15, 16, 35.5, 7, 7.5),
    (-21, 16, 35, 8.6, 9),
    (-28, 16, 34.8, 7.9, 8.5),
    (-38, 15, 34.5, 5.8, 6.5),
    (-52, 14, 34, 4.8, 5.5),
    (-90, 13, 32.5, 4.8, 5.5),
    (-190, 11, 29, 5.5, 6),
)


class Shade(NamedTuple):
    """How much of a bone each ray meets, in mm: compact and spongy."""

    compact: Array
    spongy: Array

    @property
    def whole(self) -> Array:
        return self.compact + self.spongy


class Part(NamedTuple):
    """One shape, and what is within its shell of compact bone."""

    outside: Shape
    inside: Shape

    def moved(self, linear: Array) -> "Part":
        return Part(self.outside.moved(linear), self.inside.moved(linear))


def part(knots: Knots, shell: Knots, power: float = 2.0) -> Part:
    """Draw a part through its sections.

    Args:
        knots: As `column` takes them.
        shell: Thickness of compact bone in mm, as pairs of height and thickness.
        power: Roundness, as in `Column`.
    """
    outside = column(knots, power, samples=240)
    heights = outside.centres[:, 0]
    table = np.array(sorted(map(tuple, shell)), np.float64)
    thick = np.interp(heights, table[:, 0], table[:, 1])
    low, high = heights[0] + thick[0], heights[-1] - thick[-1]
    squeezed = outside.centres.copy()
    squeezed[:, 0] = low + (heights - heights[0]) * (high - low) / np.ptp(heights)
    inside = replace(
        outside,
        centres=squeezed,
        half_width=np.maximum(outside.half_width - thick, 0),
        half_depth=np.maximum(outside.half_depth - thick, 0),
    )
    return Part(outside, inside)


def spur(root: Sequence[float], along: Sequence[float], length_mm: float) -> tuple[Part, Part]:
    """Grow a spur of bone, an osteophyte: a lip with a pointed end, drawn out along the margin.

    Args:
        root: (z, y, x) on the margin of the joint.
        along: (z, y, x), where it points.
        length_mm: How far it stands out.
    """
    back = np.array(root) - 4 * np.array(along) / np.linalg.norm(along)
    deep = 8 + length_mm
    lip = np.array([4.5 + 0.65 * length_mm, deep, 2.2 + 0.38 * length_mm])
    tip = np.array([5.2 + length_mm, 0.7 * deep, 1.2 + 0.2 * length_mm])
    return _shell(back, lip, along), _shell(back, tip, along)


def _shell(centre: Array, radii: Array, along: Sequence[float]) -> Part:
    return Part(ellipsoid(centre, radii, along), ellipsoid(centre, radii - 0.8, along))


def femur() -> tuple[Part, ...]:
    """Give the lower end of the thigh bone."""
    long = ((190, 6.5), (130, 5.5), (95, 3.2), (70, 1.5), (45, 0.9), (19, 0.9))
    end = ((60, 0.9), (12, 0.9), (0, 1.2))
    return (
        part(MEDIAL_CONDYLE, end, 2.4),
        part(LATERAL_CONDYLE, end, 2.4),
        part(SHAFT_OF_FEMUR, long, 2.2),
        part(GROOVE, end),
    )


def tibia(spines_mm: float) -> tuple[Part, ...]:
    """Give the upper end of the shin bone.

    Args:
        spines_mm: Height of the inner of the two spines between the condyles.
    """
    long = ((0, 1.0), (-12, 0.9), (-30, 1.3), (-55, 3), (-85, 4.6), (-190, 5.5))
    spines = []
    for x, height in ((-5.5, spines_mm), (6.0, 0.8 * spines_mm)):
        rows = ((-8, 14, 16), (-2, 10, 14), (0.25, 6.5, 12), (0.55, 3.8, 10), (0.85, 2.0, 7))
        knots = [(z * height if z > 0 else z, 2, x, wide, deep) for z, wide, deep in rows]
        spines.append(part([*knots, (height, 2, x, 0.6, 2)], ((0, 1), (1, 1))))
    return (part(SHAFT_OF_TIBIA, long, 2.4), *spines)


def fibula() -> tuple[Part, ...]:
    """Give the upper end of the calf bone."""
    return (part(FIBULA, ((-10, 0.8), (-30, 1.0), (-50, 2.4), (-190, 3))),)


def patella() -> tuple[Part, ...]:
    """Give the knee cap."""
    return (part(PATELLA, ((60, 1.1), (20, 1.1))),)


def shade(parts: Sequence[Part], z: Array, x: Array) -> Shade:
    """Cross a bone with rays; `z` and `x` are of the picture's shape, in the bone's frame."""
    whole = together([one.outside.stretch(z, x) for one in parts])
    marrow = together([one.inside.stretch(z, x) for one in parts])
    return Shade(whole - marrow, marrow)


def together(stretches: Sequence[Stretch]) -> Array:
    """Measure the union of stretches along each ray, in mm."""
    met = [one.thickness > 0 for one in stretches]
    pairs = list(zip(met, stretches, strict=True))
    front = np.min([np.where(there, one.front, np.inf) for there, one in pairs], axis=0)
    back = np.max([np.where(there, one.back, -np.inf) for there, one in pairs], axis=0)
    some = np.any(met, axis=0)
    return union_within(Stretch(np.where(some, front, 0), np.where(some, back, 0)), stretches)


def end(knots: Knots, x: Array, upper: bool = False) -> Array:
    """Tell at what height a stack of sections ends, below or above, at each place across."""
    shape = column(knots, samples=400)
    order = slice(None, None, -1 if upper else 1)
    wide, high = shape.half_width[order], shape.centres[order]
    widest = int(wide.argmax()) + 1
    return np.asarray(np.interp(np.abs(x - high[0, 2]), wide[:widest], high[:widest, 0]))
