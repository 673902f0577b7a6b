"""The outlines of a brain and of what lies about it, as depths below their surfaces.

A depth is in mm, above 0 inside. Parts flow together smoothly, as lobes do. Left and right are
mirrored; the head's own waves make them differ.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from medclf.curate.phantom.ct import Values
from medclf.curate.phantom.spine.vertebra import Local, Rod, rod_distance

Triple = tuple[float, float, float]
Ball = tuple[Triple, Triple]
"""Middle and radii of an ellipsoid, (z, y, |x|) in mm."""

LOBES: tuple[Ball, ...] = (
    ((-14, 17, 41), (25, 45, 24)),
    ((-2, 72, 22), (24, 28, 30)),
    ((7, -36, 20), (25, 32, 28)),
)
"""Temporal, occipital and frontal, that stand out of the main body of a hemisphere."""

LITTLE: tuple[Ball, ...] = (((-37, 64, 24), (20, 27, 27)), ((-34, 66, 0), (20, 23, 12)))
"""Hemispheres of the cerebellum, and the vermis."""

PONS: Ball = ((-31, 25, 0), (15, 12, 16))
STALKS = (
    Rod((-34, 30, 0), (-75, 42, 0), (9.5, 6.5)),
    Rod((-28, 26, 6), (4, 16, 10), (9.5, 9.0)),
    Rod((-34, 40, 12), (-34, 58, 18), (8, 8)),
)
"""Medulla, the peduncles to the cerebrum, and those to the cerebellum."""

CISTERNS: tuple[Ball, ...] = (
    ((-16, 10, 0), (13, 22, 16)),
    ((-52, 46, 0), (22, 20, 20)),
    ((-30, 42, 0), (16, 14, 22)),
)
FACE: Ball = ((-62, -28, 0), (62, 66, 66))
AIR: tuple[Ball, ...] = (
    ((-40, -50, 0), (14, 24, 12)),
    ((-46, -16, 0), (10, 12, 12)),
    ((-8, -80, 8), (9, 5, 14)),
    ((-46, 40, 60), (14, 14, 9)),
)
"""Ethmoid cells with the nose, sphenoid, frontal sinus and mastoid cells."""

EYE: Ball = ((-34, -64, 32), (12, 12, 12))
FALX_MM = 0.7
"""Half of the gap between the hemispheres, unshrunk."""


class Outline(NamedTuple):
    """Depths below surfaces, in mm.

    Args:
        cerebrum: Of its hull, which bridges the sulci and the gap between the hemispheres.
        cerebellum, stem: Of those.
        cavity: Of the skull, which holds them in their fluid.
        skin: Of the head.
    """

    cerebrum: Values
    cerebellum: Values
    stem: Values
    cavity: Values
    skin: Values


def outline(at: Local, shrunk: float, scalp_mm: float, skull_mm: float) -> Outline:
    """Measure how deep places lie; `shrunk` from 0 to 1 widens the fluid about the brain."""
    cerebrum = melted([_main(at), *(ball_depth(at, lobe) for lobe in LOBES)], 9)
    cerebellum = melted([ball_depth(at, one) for one in LITTLE], 3)
    stem = melted([ball_depth(at, PONS), *(rod_depth(at, rod) for rod in STALKS)], 4)
    cisterns = [ball_depth(at, one) for one in CISTERNS]
    cavity = melted([cerebrum, cerebellum, stem - 4, *cisterns], 8) + 1.2 + 2.2 * shrunk
    skin = melted([cavity + skull_mm + scalp_mm, ball_depth(at, FACE)], 14)
    return Outline(cerebrum, cerebellum, stem, cavity, skin)


def ball_depth(at: Local, ball: Ball) -> Values:
    """Measure how deep places lie in an ellipsoid and in its mirror image: near its surface."""
    middle, radii = ball
    off = [one - mm for one, mm in zip(mirrored(at), middle, strict=True)]
    return ellipsoid_depth(off, radii)


def ellipsoid_depth(off: Sequence[Values], radii: Sequence[Values | float]) -> Values:
    """Measure how deep places lie in an ellipsoid, by their way from its middle."""
    near = sum((one / r) ** 2 for one, r in zip(off, radii, strict=True))
    steep = sum((one / r**2) ** 2 for one, r in zip(off, radii, strict=True))
    reach = np.sqrt(near)
    return np.asarray(reach * (1 - reach) / np.sqrt(steep + 1e-6))


def rod_depth(at: Local, rod: Rod) -> Values:
    """Measure how deep places lie in a rod and in its mirror image."""
    return -rod_distance(rod, mirrored(at))


def mirrored(at: Local) -> Local:
    return Local(at.up, at.back, np.abs(at.left))


def melted(depths: Sequence[Values], over_mm: float) -> Values:
    """Unite shapes, rounding the edges where they meet over a length.

    Source: the polynomial smooth minimum of Quilez. Smooth minimum for SDFs. 2013.
    """

    def pair(one: Values, other: Values) -> Values:
        meet = np.maximum(over_mm - np.abs(one - other), 0)
        return np.asarray(np.maximum(one, other) + meet * meet * (0.25 / over_mm))

    return reduce(pair, depths)


def _main(at: Local) -> Values:
    """Measure how deep places lie in the body of the cerebrum: round above, flat below."""
    up = at.up - np.float32(12)
    tall = np.where(up > 0, np.float32(62), np.float32(30))
    # Narrower in front than behind.
    wide = 66 - 7 * np.clip((16 - at.back) / 86, -0.6, 1)
    return ellipsoid_depth((up, at.back - 16, at.left), (tall, 86.0, wide))
