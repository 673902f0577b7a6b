"""Places in a volume, drawn: three planes through one of them, with a ring about each that is near.

The planes stand in a row, axial first, the head up. A ring is as large where a plane cuts it as a
ball would be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from medclf.report.picture import GAP, Picture
from medclf.report.style import ACCENT, WARM

LARGER = 3
"""Pixels of the picture for a sample."""

SHOWN = 96
"""Samples along the longest edge of a plane; of a larger volume, those about the place."""


@dataclass(frozen=True)
class Ring:
    """A place to mark.

    Args:
        at: (z, y, x) in samples.
        radius: In samples.
        truth: Whether it is known, rather than found.
    """

    at: tuple[float, float, float]
    radius: float
    truth: bool


def draw_rings(
    values: NDArray[np.uint8], at: Sequence[float], rings: Sequence[Ring], caption: str
) -> Picture:
    """Draw three planes through a place of a volume, with rings.

    Args:
        values: (Z, Y, X) of samples that are as wide along each axis; z grows to the head.
        at: (z, y, x), in samples.
        rings: Truth and findings.
        caption: As in `Picture`.

    Example:
        >>> ring = Ring((4, 5, 6), 2.0, truth=True)
        >>> draw_rings(np.zeros((8, 10, 12), np.uint8), (4, 5, 6), [ring], "a").values.shape
        (30, 106, 3)
    """
    middle = [min(max(round(p), 0), n - 1) for p, n in zip(at, values.shape, strict=True)]
    planes = [_plane(values, middle, rings, axis) for axis in range(3)]
    height = max(len(plane) for plane in planes)
    row: list[NDArray[np.uint8]] = []
    for plane in planes:
        lack = height - len(plane)
        padded = np.pad(plane, ((lack // 2, lack - lack // 2), (0, 0), (0, 0)))
        row += [np.zeros((height, GAP, 3), np.uint8), padded] if row else [padded]
    return Picture(np.concatenate(row, axis=1), caption)


def _plane(
    values: NDArray[np.uint8], middle: Sequence[int], rings: Sequence[Ring], axis: int
) -> NDArray[np.uint8]:
    """Draw the plane across an axis."""
    across = [a for a in range(3) if a != axis]
    spans = [_span(values.shape[a], middle[a]) for a in across]
    plane = np.take(values, middle[axis], axis)[slice(*spans[0]), slice(*spans[1])]
    height, width = (LARGER * n for n in plane.shape)
    picture = Pillow.fromarray(np.ascontiguousarray(plane))
    shown = picture.resize((width, height), Pillow.Resampling.BILINEAR).convert("RGB")
    pen = ImageDraw.Draw(shown)
    for ring in rings:
        off = ring.at[axis] - middle[axis]
        if abs(off) < ring.radius:
            reach = LARGER * max(float(np.sqrt(ring.radius**2 - off**2)), 1.0)
            y, x = (
                LARGER * (ring.at[a] - span[0] + 0.5) for a, span in zip(across, spans, strict=True)
            )
            colour = ACCENT if ring.truth else WARM
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=2)
    drawn = np.asarray(shown, np.uint8)
    return drawn if axis == 0 else drawn[::-1]


def _span(samples: int, middle: int) -> tuple[int, int]:
    """Choose which samples along an axis are shown."""
    start = min(max(middle - SHOWN // 2, 0), max(samples - SHOWN, 0))
    return start, min(start + SHOWN, samples)
