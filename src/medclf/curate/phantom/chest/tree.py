"""Trees of tapering tubes that stay within a lung: arteries, veins and bronchi.

Each branch bends, thins a little on its way, and parts in two by Murray's law into a main and a
side branch. Branches that would leave the lung try other ways, and end where there is none. A tree
is paths with radii, so that it is known where two cross and where one ends; as a cloud of points it
fills voxels with the right volume, however thin it is.

Source: Murray. The Physiological Principle of Minimum Work. PNAS 1926.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.tubes import GOLDEN, Cloud, Sprouts, joined

STATIONS = 16
WAYS = 6
"""So many ways on does a branch try before it ends."""

THINNEST_MM = 0.35
Inside = Callable[[Array], NDArray[np.bool_]]


@dataclass(frozen=True)
class Tree:
    """Branches, each drawn through `STATIONS` places.

    Args:
        paths: (N, S, 3) along their middles, in mm.
        radii: (N, S) in mm.
        last: (N,) whether no branch goes on from its end.
    """

    paths: Array
    radii: Array
    last: NDArray[np.bool_]

    def beside(self, off_mm: Array, shrink: float, least_mm: float) -> "Tree":
        """Run along it at a distance, as a bronchus along its artery, as far as it is that wide.

        Args:
            off_mm: Way to the side for each mm of radius, (z, y, x).
            shrink: Radius as a share of this tree's.
            least_mm: Branches end where they would begin with a smaller radius.
        """
        kept = shrink * self.radii[:, 0] >= least_mm
        paths, radii = self.paths[kept], shrink * self.radii[kept]
        return Tree(paths + self.radii[kept, :, None] * off_mm, radii, self.last[kept])


def together(trees: list[Tree]) -> Tree:
    """Put trees together as one."""
    paths, radii, last = zip(*((one.paths, one.radii, one.last) for one in trees), strict=True)
    return Tree(np.concatenate(paths), np.concatenate(radii), np.concatenate(last))


def grow_tree(
    roots: Sprouts,
    inside: Inside,
    rng: np.random.Generator,
    radius: float,
    length: float,
    generations: int,
) -> Tree:
    """Grow trees from roots that themselves may lie outside.

    Args:
        roots: First branches, in mm; directions of length 1.
        inside: Tells which points (N, 3) branches may reach.
        rng: Chance.
        radius, length: Of the first branches, in mm; an end is a tenth thinner than its beginning.
        generations: How often branches part at most.
    """
    starts, forward = roots.starts, roots.forward
    wide = radius * rng.uniform(0.8, 1.2, len(starts))
    from_which = np.zeros(0, np.int64)
    grown: list[Tree] = []
    for _ in range(generations):
        reach = length * (wide / radius) ** 0.6 * rng.uniform(0.6, 1.3, len(wide))
        paths, there = _paths(starts, forward, reach, inside, rng)
        there = (there & (wide > THINNEST_MM)) | (not grown)
        if grown:
            grown[-1].last[from_which[there]] = False
        if not there.any():
            break
        paths, wide = paths[there], wide[there]
        taper = np.linspace(1, 0.9, STATIONS)
        grown.append(Tree(paths, wide[:, None] * taper, np.ones(len(wide), bool)))
        share = rng.uniform(0.12, 0.5, len(wide))
        forward = _parted(paths, share, rng)
        from_which = np.tile(np.arange(len(wide)), 2)
        starts = paths[from_which, -1]
        wide = 0.9 * np.concatenate([wide * (1 - share) ** (1 / 3), wide * share ** (1 / 3)])
    return together(grown)


def fill_cloud(tree: Tree, step: float) -> Cloud:
    """Fill the branches with points, `step` mm apart or closer, that carry their volume."""
    gaps = np.linalg.norm(np.diff(tree.paths, axis=1), axis=2)
    fine = np.maximum(np.ceil(gaps.max(axis=1) / step), 1).astype(int)
    dense = np.maximum(np.ceil(np.pi * (tree.radii[:, 0] / step) ** 2), 1).astype(int)
    clouds = []
    for pieces, spots in sorted(set(zip(fine.tolist(), dense.tolist(), strict=True))):
        here = (fine == pieces) & (dense == spots)
        clouds.append(_filled(tree.paths[here], tree.radii[here], pieces, spots))
    return joined(clouds)


def _filled(paths: Array, radii: Array, pieces: int, spots: int) -> Cloud:
    """Cut each way between stations in pieces, and lay spots over the section of each piece."""
    share = (np.arange(pieces) + 0.5) / pieces
    way, thins = np.diff(paths, axis=1)[:, :, None], np.diff(radii, axis=1)[..., None]
    middle = paths[:, :-1, None] + way * share[:, None]
    radius = radii[:, :-1, None] + thins * share
    length = np.linalg.norm(way, axis=-1) / pieces
    forward = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    steady = np.where(np.abs(forward[..., :1]) < 0.8, [1.0, 0, 0], [0.0, 1, 0])
    up = np.cross(forward, steady)
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    across = np.cross(forward, up)
    reach = np.sqrt((np.arange(spots) + 0.5) / spots) * (spots > 1)
    angle = GOLDEN * (np.arange(spots) + np.arange(radius.shape[1] * pieces)[:, None])
    angle = angle.reshape(radius.shape[1], pieces, spots)
    high, wide = (radius[..., None] * reach * turn(angle) for turn in (np.cos, np.sin))
    off = up[..., None, :] * high[..., None] + across[..., None, :] * wide[..., None]
    volume = np.pi * radius**2 * length / spots
    points = (middle[..., None, :] + off).reshape(-1, 3)
    return Cloud(points, np.repeat(volume.reshape(-1), spots))


def _paths(
    starts: Array,
    forward: Array,
    reach: Array,
    inside: Inside,
    rng: np.random.Generator,
) -> tuple[Array, NDArray[np.bool_]]:
    """Lead each branch on by the first of several ways whose end lies inside.

    Returns:
        (N, S, 3) paths, and (N,) which found one.
    """
    count = len(starts)
    spread = np.linspace(0, 0.9, WAYS)[:, None]
    chance = rng.normal(size=(count, WAYS, 3))
    ways = _unit(forward[:, None] + spread * _unit(chance))
    bends = rng.normal(0, 0.16, (count, WAYS, 3))
    ends = starts[:, None] + reach[:, None, None] * (ways + bends)
    good = inside(ends.reshape(-1, 3)).reshape(count, WAYS)
    first = good.argmax(axis=1)
    each = np.arange(count)
    way, bend = ways[each, first], bends[each, first]
    share = np.linspace(0, 1, STATIONS)[None, :, None]
    path = starts[:, None] + reach[:, None, None] * (
        way[:, None] * share + bend[:, None] * share**2
    )
    return path, np.asarray(good.any(axis=1))


def _parted(paths: Array, share: Array, rng: np.random.Generator) -> Array:
    """Part each branch: the main one turns a little, the side one more, in one plane."""
    ahead = _unit(paths[:, -1] - paths[:, -2])
    aside = _unit(np.cross(ahead, rng.normal(size=ahead.shape)))
    turn = rng.uniform(0.5, 1.1, (len(paths), 1))
    light = share[:, None]
    main = _unit(ahead - np.tan(turn) * light * aside)
    side = _unit(ahead + np.tan(turn) * (1 - light) * aside)
    return np.concatenate([main, side])


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
