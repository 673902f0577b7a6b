"""Shapes of a body that a parallel beam crosses in one stretch: ellipsoids, and columns.

The beam runs from back to front, along y. A shape answers with the two depths between which it is
crossed, in closed form, so that a picture of its thickness costs one expression and no voxels.
Where organs displace each other, `union_within` measures how much of one stretch others cover.
All places are (z, y, x) in millimetres of the LPS frame: up, backward, and to the patient's left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Array = NDArray[np.float64]


class Stretch(NamedTuple):
    """Depths in mm between which each ray is inside; equal where the ray misses."""

    front: Array
    back: Array

    @property
    def thickness(self) -> Array:
        return self.back - self.front


class Shape(Protocol):
    """What a body is made of."""

    def stretch(self, z: Array, x: Array) -> Stretch: ...

    def moved(self, linear: Array) -> Self: ...


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid in any direction.

    Args:
        centre: Of its middle, in mm.
        axes: (3, 3) from its middle to its surface along its three axes, one column each, in mm.
    """

    centre: Array
    axes: Array

    def stretch(self, z: Array, x: Array) -> Stretch:
        """Solve the quadric along each ray; `z` and `x` broadcast to the picture."""
        form = np.linalg.inv(self.axes @ self.axes.T)
        depth = 1 / form[1, 1]
        up, left = depth * form[1, 0], depth * form[1, 2]
        dz, dx = z - self.centre[0], x - self.centre[2]
        middle = (self.centre[1] - up * dz) - left * dx
        square = (depth - (depth * form[0, 0] - up**2) * dz**2) - (
            (depth * form[2, 2] - left**2) * dx**2
        )
        square -= (2 * (depth * form[0, 2] - up * left) * dz) * dx
        half = np.sqrt(np.maximum(square, 0, out=square), out=square)
        return Stretch(middle - half, middle + half)

    def moved(self, linear: Array) -> Self:
        return replace(self, centre=linear @ self.centre, axes=linear @ self.axes)

    def shifted(self, by: Array) -> Self:
        return replace(self, centre=self.centre + by)


def ellipsoid(
    centre: Sequence[float] | Array,
    radii: Sequence[float] | Array,
    along: Sequence[float] | Array = (1, 0, 0),
) -> Ellipsoid:
    """Lay an ellipsoid, its first radius along a direction.

    Example:
        >>> ball = ellipsoid((0, 7, 0), (2, 2, 2))
        >>> ball.stretch(np.array([0.0, 9.0]), np.array([0.0])).thickness.tolist()
        [4.0, 0.0]
    """
    first = np.array(along, np.float64) / np.linalg.norm(along)
    second = np.array([0.0, 1, 0]) - first[1] * first
    second /= np.linalg.norm(second)
    directions = np.column_stack([first, second, np.cross(first, second)])
    return Ellipsoid(np.array(centre, np.float64), directions * np.array(radii, np.float64))


@dataclass(frozen=True)
class Column:
    """A stack of level cross-sections, each a rounded rectangle or an ellipse, from low to high.

    Args:
        centres: (K, 3) middles of the sections, in mm; z rises.
        half_width: (K,) half of each section across the body, along x.
        half_depth: (K,) half of each section along the beam.
        power: Roundness: 2 is an ellipse, more is closer to a rectangle.
    """

    centres: Array
    half_width: Array
    half_depth: Array
    power: float = 2.0

    def stretch(self, z: Array, x: Array) -> Stretch:
        """Cut each section by the rays of its height; nothing lies below and above the stack."""
        heights = self.centres[:, 0]
        middle, left, wide, deep = (
            np.interp(z, heights, values)
            for values in (self.centres[:, 1], self.centres[:, 2], self.half_width, self.half_depth)
        )
        deep = np.where((z < heights[0]) | (z > heights[-1]), 0, deep)
        across = np.minimum(np.abs(x - left) / np.maximum(wide, 1e-6), 1)
        half = deep * (1 - across**self.power) ** (1 / self.power)
        return Stretch(middle - half, middle + half)

    def moved(self, linear: Array) -> Self:
        """Scale the sections and shift them with the body; they stay level and unturned.

        That is exact for a change of size, and close for the few degrees of a stance.
        """
        return replace(
            self,
            centres=np.einsum("nj,ij->ni", self.centres, linear),
            half_width=self.half_width * np.linalg.norm(linear[:, 2]),
            half_depth=self.half_depth * np.linalg.norm(linear[:, 1]),
        )


def column(knots: Sequence[Sequence[float]], power: float = 2.0, samples: int = 160) -> Column:
    """Draw a column smoothly through hand-written sections.

    Args:
        knots: Rows of (z, y, x, half width, half depth), in mm, in any order of height.
        power: As in `Column`.
        samples: Sections between the lowest and the highest knot.

    Example:
        >>> rod = column([(0, 0, 0, 5, 5), (10, 0, 0, 5, 5)])
        >>> rod.stretch(np.array([4.0, 20.0]), np.array([0.0, 0.0])).thickness.tolist()
        [10.0, 0.0]
    """
    table = np.array(sorted(map(tuple, knots)), np.float64)
    heights = np.linspace(table[0, 0], table[-1, 0], samples)
    smooth = PchipInterpolator(table[:, 0], table[:, 1:])(heights)
    centres = np.column_stack([heights, smooth[:, 0], smooth[:, 1]])
    return Column(centres, smooth[:, 2], smooth[:, 3], power)


def contains(shape: Shape, points: Array) -> NDArray[np.bool_]:
    """Tell which points (N, 3) lie inside a shape."""
    inside = shape.stretch(points[:, 0], points[:, 2])
    return np.asarray((inside.front < points[:, 1]) & (points[:, 1] < inside.back))


def union_within(inner: Stretch, others: Sequence[Stretch]) -> Array:
    """Measure how much of a stretch the union of others covers, ray by ray, in mm.

    All are of one shape.

    Example:
        >>> ray = [Stretch(np.array([a]), np.array([b])) for a, b in ((0, 10), (2, 5), (4, 6))]
        >>> union_within(ray[0], ray[1:]).tolist()
        [4.0]
    """
    shape = inner.thickness.shape
    seen = np.flatnonzero(inner.thickness > 0)
    near, far = (np.take(side, seen) for side in inner)
    there = [(np.take(other.front, seen), np.take(other.back, seen)) for other in others]
    there = [(front, back) for front, back in there if (front < back).any()]
    covered = np.zeros(shape)
    if not there:
        return covered
    fronts, backs = (np.stack(sides, axis=-1) for sides in zip(*there, strict=True))
    order = np.argsort(fronts, axis=-1)
    fronts = np.take_along_axis(fronts, order, -1).clip(near[:, None], far[:, None])
    backs = np.take_along_axis(backs, order, -1).clip(near[:, None], far[:, None])
    reached = np.maximum.accumulate(np.column_stack([near, backs]), axis=-1)[:, :-1]
    np.put(covered, seen, np.maximum(backs - np.maximum(fronts, reached), 0).sum(axis=-1))
    return covered


def turning(pitch: float, yaw: float, roll: float) -> Array:
    """Make the matrix that turns a body: a nod, a look aside, a lean, in radians, small.

    Example:
        >>> np.round(turning(0, np.pi / 2, 0) @ [0, 1, 0], 6).tolist()
        [0.0, 0.0, 1.0]
    """
    (cp, sp), (cy, sy), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (pitch, yaw, roll))
    nod = np.array([[cp, sp, 0], [-sp, cp, 0], [0, 0, 1]])
    look = np.array([[1, 0, 0], [0, cy, -sy], [0, sy, cy]])
    lean = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    return np.asarray(nod @ look @ lean, np.float64)
