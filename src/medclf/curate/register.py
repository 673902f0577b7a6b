"""Lay one image onto another, and tell how alike they are where both show something.

Gauss and Newton move and scale the one along each axis until its brightness, up to a gain and an
offset, fits the other's best: first blurred, at half size, then sharp. Where the halved images
do not fit at all, the sharp ones are not tried. Likeness is the correlation of the differences
between neighbours, over the middle of the one, as far as the other reaches: brightness has no say
in it, nor what two chest X-rays have in common at first sight.

Source: Lucas, Kanade. An Iterative Image Registration Technique with an Application to Stereo
Vision. IJCAI 1981; Evangelidis, Psarakis. Parametric Image Alignment Using Enhanced Correlation
Coefficient Maximization. PAMI 2008, for gain and offset.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from medclf.curate.warp import Floats, apply_matrices, slopes, spread_points, tents

Change = Callable[[Floats], Floats]
Rows = NDArray[np.int64]

MIDDLE = 0.8
COARSE_BLUR = 0.75
LOCAL = 1 / 6  # of the edge: what is wider than this is light, not edges
STAGES = ((0, 4, 0.7), (1, 2, 0.8), (1, 2, 1.0))
"""Of each the layer, how many steps are made, and how alike a pair must then be to go on."""

FURTHEST, MOST_SHIFT, MOST_SCALE = 0.03, 0.2, 1.4
DAMPING = 0.02
OVERLAP = 0.5


@dataclass(frozen=True)
class Layers:
    """Images as they are laid on each other: at half size and whole, each with its edges.

    Args:
        images, edges: (N, *space), first at half size, then whole; at half size edges are blurred.
        rows: Which of the images are meant.
        change: What is done to an image before it is looked at, as a turn.
    """

    images: tuple[Floats, Floats]
    edges: tuple[Floats, Floats]
    rows: Rows
    change: Change = np.asarray

    @classmethod
    def of(cls, images: Floats) -> "Layers":
        """Make the layers of images (N, *space)."""
        half = _halve(images)
        edges = _edges(half, COARSE_BLUR), _edges(images, 0)
        return cls((half, images), edges, np.arange(len(images)))

    def pick(self, rows: Rows, change: Change = np.asarray) -> "Layers":
        """Choose images; they are copied and changed only as they are needed."""
        return replace(self, rows=self.rows[rows], change=change)

    def level(self, number: int, rows: Rows) -> tuple[Floats, Floats]:
        """Take some of the images and their edges, 0 at half size or 1 whole."""
        some = self.rows[rows]
        return self.change(self.images[number][some]), self.change(self.edges[number][some])


def lay_on(fixed: Layers, moving: Layers, start: Floats) -> NDArray[np.float64]:
    """Tell how alike pairs of images are at best, once the one is moved and scaled.

    Args:
        fixed: One of each pair.
        moving: The other.
        start: (N, axes, 2). A point at p of the fixed image, 0 in the middle and 1 edge wide, is
            sought at `shift + scale * p` of the moving one: shift and scale of each axis.

    Returns:
        (N,) likeness of each pair, up to 1: 0 where hope was given up at half size, and what was
        reached by then where it was given up later.
    """
    rows, place = np.arange(len(start)), start.astype(np.float64)
    found = np.zeros(len(start))
    for number, steps, hope in STAGES:
        if not len(rows):
            break
        images, edges = zip(fixed.level(number, rows), moving.level(number, rows), strict=True)
        place = _fit(*edges, place, steps)
        likeness = _likeness(*images, place)
        if number:
            found[rows] = likeness
        rows, place = rows[likeness >= hope], place[likeness >= hope]
    return found


def _halve(images: Floats) -> Floats:
    """Average over pairs of samples along each axis."""
    edge = images.shape[-1]
    matrix = np.repeat(np.eye(edge // 2, dtype=np.float32), 2, axis=1) / np.float32(2)
    return apply_matrices(images, [matrix] * (images.ndim - 1))


def _edges(images: Floats, blur: float) -> Floats:
    """Take off what changes slowly, and blur the rest."""
    local = images.shape[-1] * LOCAL
    axes = images.ndim - 1
    light = gaussian_filter(images, (0, *[local] * axes))
    sharp = gaussian_filter(images, (0, *[blur] * axes)) if blur else images
    return np.asarray(sharp - light, np.float32)


def _points(edge: int) -> Floats:
    return spread_points(round(edge * MIDDLE), MIDDLE)


def _reach(edge: int, place: NDArray[np.float64], points: Floats) -> list[Floats]:
    """Make the matrices that read the moving image at its place, one an axis: (N, n, edge)."""
    moved = place[:, :, :1] + place[:, :, 1:] * points
    return list(np.moveaxis(tents(edge, moved.astype(np.float32)), 1, 0))


def _fit(
    fixed: Floats, moving: Floats, place: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """Improve the place of the moving images, a step at a time."""
    pairs, axes, edge = len(fixed), fixed.ndim - 1, fixed.shape[-1]
    points, slope = _points(edge), slopes(edge)
    still = apply_matrices(fixed, [tents(edge, points)] * axes).reshape(pairs, -1)
    for _ in range(steps):
        reach = _reach(edge, place, points)
        columns = [apply_matrices(moving, reach)]
        for axis in range(axes):
            tilted = [m @ slope if a == axis else m for a, m in enumerate(reach)]
            tilt = apply_matrices(moving, tilted)
            columns += [tilt, tilt * points.reshape((-1, *[1] * (axes - 1 - axis)))]
        step = _solve(np.stack([c.reshape(pairs, -1) for c in columns], axis=1), still)
        place = place + np.clip(step.reshape(pairs, axes, 2), -FURTHEST, FURTHEST)
        place[:, :, 0] = np.clip(place[:, :, 0], -MOST_SHIFT, MOST_SHIFT)
        place[:, :, 1] = np.clip(place[:, :, 1], 1 / MOST_SCALE, MOST_SCALE)
    return place


def _solve(columns: Floats, target: Floats) -> NDArray[np.float64]:
    """Find the step whose change of brightness explains the target best.

    The first column is the moving image itself, whose share is the gain; the others are its
    changes. Their shares are damped, so that what carries no edge does not move at all.

    Shape:
        (N, 1 + steps, samples), (N, samples) -> (N, steps)
    """
    columns = columns - columns.mean(axis=2, keepdims=True)
    square = (columns @ columns.swapaxes(1, 2)).astype(np.float64)
    right = (columns @ target[:, :, None]).astype(np.float64)
    own = np.arange(square.shape[1])
    energy = np.maximum(square[:, 0, 0], 1e-9)[:, None]
    square[:, own, own] += energy * np.where(own > 0, DAMPING, 1e-6)
    shares = np.linalg.solve(square, right)[:, :, 0]
    gain = np.where(np.abs(shares[:, :1]) > 0.2, shares[:, :1], 0.2)
    return np.asarray(shares[:, 1:] / gain, np.float64)


def _likeness(fixed: Floats, moving: Floats, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate the differences between neighbours, where both images show something."""
    axes, edge = fixed.ndim - 1, fixed.shape[-1]
    points = _points(edge)
    reach = _reach(edge, place, points)
    still = apply_matrices(fixed, [tents(edge, points)] * axes)
    laid = apply_matrices(moving, reach)
    inside = [matrix.sum(axis=2) > 0.99 for matrix in reach]
    shared = one = other = 0.0
    for axis in range(axes):
        seen = _both(inside, axis)
        here, there = (np.diff(image, axis=axis + 1) for image in (still, laid))
        over = tuple(range(1, axes + 1))
        shared = shared + (here * there * seen).sum(over, dtype=np.float64)
        one = one + (here * here * seen).sum(over, dtype=np.float64)
        other = other + (there * there * seen).sum(over, dtype=np.float64)
    enough = np.prod([rows.mean(axis=1) for rows in inside], axis=0) >= OVERLAP
    return np.asarray(enough * shared / np.sqrt(np.maximum(one * other, 1e-12)), np.float64)


def _both(inside: Sequence[NDArray[np.bool_]], axis: int) -> NDArray[np.bool_]:
    """Mark the differences along an axis whose two samples both lie inside: (N, n, …)."""
    seen: NDArray[np.bool_] = np.ones((len(inside[0]), *[1] * len(inside)), np.bool_)
    for number, rows in enumerate(inside):
        marks = rows[:, 1:] & rows[:, :-1] if number == axis else rows
        shape = [len(rows), *[1] * len(inside)]
        shape[number + 1] = marks.shape[1]
        seen = seen & marks.reshape(shape)
    return seen
