"""What looks like a nodule and is none: where detectors of candidates go wrong.

Vessels that cross or part, that end, or that pass straight through a slice, the wall of a bronchus
with its artery, and scars. In one slice each may be as round as a nodule; only their course in
three dimensions tells.

Source: the kinds, Setio et al. Pulmonary Nodule Detection in CT Images: False Positive Reduction
Using Multi-View Convolutional Networks. IEEE Transactions on Medical Imaging 2016.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from medclf.curate.phantom.chest.anatomy import Anatomy
from medclf.curate.phantom.chest.tree import Tree, together
from medclf.curate.phantom.shapes import Array

SHARES = {"crossing": 0.23, "fork": 0.14, "vessel": 0.44, "end": 0.1, "airway": 0.09}
"""Kinds, and how common each is beside scars."""

THICK_MM = (1.4, 4.5)
"""Radii of vessels that may be taken for nodules."""

END_MM = 0.55
"""Least radius of the end of a vessel; ends are thinner than what goes on."""

APART_MM = 12.0


@dataclass(frozen=True)
class Place:
    """Where a candidate lies, and how large what is there seems.

    Args:
        kind: A key of `SHARES`, "scar", or the kind of a nodule.
        at_mm: (z, y, x).
        diameter_mm: Of the nodule, the vessel or the bronchus.
    """

    kind: str
    at_mm: Array
    diameter_mm: float


def find_lookalikes(anatomy: Anatomy) -> dict[str, tuple[Array, Array]]:
    """Find all places of each kind but scars: (N, 3) in mm, and (N,) diameters in mm."""
    vessels = together([anatomy.arteries, anatomy.veins])
    ahead = np.gradient(vessels.paths, axis=1)
    steep = np.abs(ahead[..., 0]) > 0.8 * np.linalg.norm(ahead, axis=-1)
    ends = vessels.paths[:, -1], 2 * vessels.radii[:, -1]
    thick = _thick(vessels.radii)
    found = {
        "crossing": _crossings(anatomy),
        "fork": _chosen(ends, ~vessels.last & thick[:, -1]),
        "vessel": _chosen((vessels.paths, 2 * vessels.radii), steep & thick),
        "end": _chosen(ends, vessels.last & (vessels.radii[:, -1] > END_MM)),
        "airway": _walls(anatomy.airways),
    }
    return {kind: _chosen(some, anatomy.clear(some[0])) for kind, some in found.items()}


def choose_places(
    found: dict[str, tuple[Array, Array]],
    count: int,
    taken: list[Array],
    rng: np.random.Generator,
) -> list[Place]:
    """Choose places at random, kind by kind, apart from each other and from what is taken.

    Args:
        found: As `find_lookalikes` gives them.
        count: How many; fewer where there are not as many.
        taken: (z, y, x) in mm, to which the new ones are added.
        rng: Chance.
    """
    kinds = rng.choice(list(SHARES), size=4 * count, p=list(SHARES.values()))
    chosen: list[Place] = []
    for kind in kinds:
        places, wide = found[str(kind)]
        if len(chosen) == count or not len(places):
            continue
        one = int(rng.integers(len(places)))
        if is_apart(places[one], taken):
            taken.append(places[one])
            chosen.append(Place(str(kind), places[one], float(wide[one])))
    return chosen


def is_apart(place: Array, taken: list[Array]) -> bool:
    """Tell whether a place is far from all that are taken."""
    return not taken or float(np.linalg.norm(np.array(taken) - place, axis=1).min()) > APART_MM


def _crossings(anatomy: Anatomy) -> tuple[Array, Array]:
    """Find where a thick artery and a thick vein touch."""
    sides = []
    for tree in (anatomy.arteries, anatomy.veins):
        sides.append(_chosen((tree.paths, tree.radii), _thick(tree.radii)))
    (first, wide), (second, broad) = sides
    apart, which = (np.asarray(found) for found in cKDTree(second).query(first))
    touch = apart < wide + broad[which] + 0.5
    middle = (first[touch] + second[which[touch]]) / 2
    return middle, 2 * np.maximum(wide, broad[which])[touch]


def _walls(airways: Tree) -> tuple[Array, Array]:
    """Find the walls of bronchi, on the side of the artery."""
    off = airways.radii[..., None] * np.array([-0.3, 0.9, -0.3])
    return _chosen((airways.paths + off, 2 * airways.radii), _thick(airways.radii))


def _thick(radii: Array) -> NDArray[np.bool_]:
    return np.asarray((radii > THICK_MM[0]) & (radii < THICK_MM[1]))


def _chosen(some: tuple[Array, Array], keep: NDArray[np.bool_]) -> tuple[Array, Array]:
    return some[0][keep], some[1][keep]
