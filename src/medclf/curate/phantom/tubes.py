"""Curved tubes as clouds of points: ribs, collar bones and the branching vessels of the lung.

A tube is a path with a thickness; it becomes points, each carrying the volume of its small part.
To project a cloud is to drop its points into the pixels, and to make a volume of it is the same in
three dimensions: `splat` does both. Vessels grow generation by generation, all branches at once.

Source: the law of branching, Murray. The Physiological Principle of Minimum Work. PNAS 1926.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.shapes import Array

MURRAY = 2 ** (-1 / 3)
GOLDEN = np.pi * (3 - 5**0.5)


@dataclass(frozen=True)
class Cloud:
    """Points that carry volume.

    Args:
        points: (N, 3) places, in mm.
        volume: (N,) in mm³; negative where something is taken away.
    """

    points: Array
    volume: Array

    def moved(self, linear: Array) -> "Cloud":
        return Cloud(carried(self.points, linear), self.volume * abs(np.linalg.det(linear)))

    def where(self, keep: NDArray[np.bool_]) -> "Cloud":
        return Cloud(self.points[keep], self.volume[keep])


def joined(clouds: Sequence[Cloud]) -> Cloud:
    """Put clouds together as one."""
    points = np.concatenate([cloud.points for cloud in clouds])
    return Cloud(points, np.concatenate([cloud.volume for cloud in clouds]))


def carried(points: Array, linear: Array) -> Array:
    """Apply a matrix to points (N, 3), without the threads that a matrix product would start."""
    return np.asarray(np.einsum("nj,ij->ni", points, linear))


def splat(places: Array, weight: Array, shape: tuple[int, ...]) -> Array:
    """Share weights among the pixels, or voxels, about each place, linearly by nearness.

    Args:
        places: (N, D) in units of samples; what lies outside is lost.
        weight: (N,) what each place carries.
        shape: Of the result, D axes.

    Example:
        >>> splat(np.array([[0.25, 1.0]]), np.array([4.0]), (2, 3)).tolist()
        [[0.0, 3.0, 0.0], [0.0, 1.0, 0.0]]
    """
    low = np.floor(places).astype(np.int64)
    # A frame of one sample takes what falls between the outermost samples and the outside.
    inside = np.all((low >= -1) & (low < shape), axis=1)
    low, part, weight = low[inside], (places - low)[inside], weight[inside]
    framed = tuple(n + 2 for n in shape)
    strides = np.array([np.prod(framed[axis + 1 :], dtype=np.int64) for axis in range(len(shape))])
    first = (low + 1) @ strides
    total = np.zeros(int(np.prod(framed)))
    for corner in product((0, 1), repeat=len(shape)):
        share = weight
        for axis, high in enumerate(corner):
            share = share * (part[:, axis] if high else 1 - part[:, axis])
        total += np.bincount(first + int(np.dot(corner, strides)), share, total.size)
    return total.reshape(framed)[(slice(1, -1),) * len(shape)]


def tube(path: Array, radii: tuple[float, float], step: float, wall: float = 0.0) -> Cloud:
    """Fill a tube, or only its wall, with points.

    Args:
        path: (N, 3) along its middle, in mm.
        radii: Half its section upward, and half across, in mm.
        step: Distance of neighbouring points, in mm.
        wall: Thickness of the wall in mm; 0 fills the tube.
    """
    lengths = np.linalg.norm(np.diff(path, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(lengths)])
    count = max(int(along[-1] / step), 2)
    here = (np.arange(count) + 0.5) / count * along[-1]
    middle = np.column_stack([np.interp(here, along, axis) for axis in path.T])
    forward = _unit(np.gradient(middle, axis=0))
    upward = _unit(np.array([1.0, 0, 0]) - forward * forward[:, :1])
    across = np.cross(forward, upward)
    area = np.pi * radii[0] * radii[1]
    if wall:
        area -= np.pi * (radii[0] - wall) * (radii[1] - wall)
    high, wide = _sections(radii, step, wall, count)
    points = middle[:, None] + upward[:, None] * high[..., None] + across[:, None] * wide[..., None]
    each = area * along[-1] / high.size
    return Cloud(points.reshape(-1, 3), np.full(high.size, each))


def _sections(
    radii: tuple[float, float], step: float, wall: float, stations: int
) -> tuple[Array, Array]:
    """Spread points over each section, on a sunflower or in the middle of the wall.

    Every station turns them on a little, so that they never line up with the pixels.
    """
    if wall:
        numbers = np.arange(max(int(0.7 * np.pi * max(radii) / step), 7), dtype=np.float64)
        angle = 2 * np.pi / numbers.size * numbers
        reach = np.ones_like(numbers)
        radii = (radii[0] - wall / 2, radii[1] - wall / 2)
    else:
        numbers = np.arange(max(int(np.pi * radii[0] * radii[1] / step**2), 1), dtype=np.float64)
        angle = GOLDEN * numbers
        reach = np.sqrt((numbers + 0.5) / numbers.size) * (numbers.size > 1)
    angle = angle + GOLDEN * np.arange(stations)[:, None]
    return radii[0] * reach * np.cos(angle), radii[1] * reach * np.sin(angle)


@dataclass(frozen=True)
class Sprouts:
    """Branches of one generation: where each begins, and where it heads."""

    starts: Array
    forward: Array


def grow_vessels(
    roots: Sprouts,
    rng: np.random.Generator,
    radius: float = 3.4,
    length: float = 24.0,
    generations: int = 6,
    step: float = 1.5,
) -> list[Cloud]:
    """Grow trees: each branch bends, thins by Murray's law and parts in two.

    Args:
        roots: The first branches, in mm; directions of length 1.
        rng: Chance.
        radius: Of the first branches, in mm.
        length: Of the first branches, in mm; later ones are shorter.
        generations: How often branches part.
        step: Distance of neighbouring points, in mm.

    Returns:
        One cloud per generation, thick branches first.
    """
    grown = []
    for generation in range(generations):
        thin, reach = radius * MURRAY**generation, length * 0.83**generation
        count = len(roots.starts)
        reaches = reach * rng.uniform(0.7, 1.3, count)
        bend = _sideways(roots.forward, rng) * rng.uniform(0, 0.45, (count, 1))
        share = (np.arange(max(int(reach / step), 2)) + 0.5)[None, :, None]
        share = share / share.shape[1]
        ahead = roots.forward[:, None] * share + bend[:, None] * share**2
        points = roots.starts[:, None] + reaches[:, None, None] * ahead
        volume = np.pi * thin**2 * reaches / share.shape[1]
        # Chance of its own: the tree must not depend on how densely it is drawn.
        grown.append(_fattened(points, volume, thin, step, rng.spawn(1)[0]))
        roots = _parted(roots, reaches, bend, rng)
    return grown


def _fattened(
    points: Array, volume: Array, radius: float, step: float, rng: np.random.Generator
) -> Cloud:
    """Give branches their thickness: thick ones become several points at random in a ball."""
    copies = max(int(1.2 * (radius / step) ** 2), 1)
    spread = rng.normal(0, 0.5 * radius, (*points.shape[:2], copies, 3)) * (copies > 1)
    thick = points[:, :, None] + spread
    shares = np.broadcast_to((volume / copies)[:, None, None], thick.shape[:3])
    return Cloud(thick.reshape(-1, 3), shares.reshape(-1))


def _parted(roots: Sprouts, reaches: Array, bend: Array, rng: np.random.Generator) -> Sprouts:
    """Part each branch at its end in two, opposite to each other."""
    ends = roots.starts + reaches[:, None] * (roots.forward + bend)
    forward = _unit(roots.forward + 2 * bend)
    aside = _sideways(forward, rng)
    angles = rng.uniform(0.3, 0.75, (2, len(ends), 1))
    children = [
        _unit(forward + sign * np.tan(a) * aside) for sign, a in zip((1, -1), angles, strict=True)
    ]
    return Sprouts(np.concatenate([ends, ends]), np.concatenate(children))


def _sideways(forward: Array, rng: np.random.Generator) -> Array:
    """Draw a direction at right angles to each given one."""
    chance = rng.normal(size=forward.shape)
    return _unit(chance - forward * np.sum(chance * forward, axis=1, keepdims=True))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
