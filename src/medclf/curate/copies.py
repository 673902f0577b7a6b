"""Copies: pairs of images that show the same, re-encoded, resized, relit, turned or cropped.

Candidates are found fast among all pairs, and each is laid on its other and judged by the edges.
What a copy leaves unlike is little, and where images are alike without being copies, as phantoms
are or frames of one ultrasound, it is little beside what others leave: beside that of most
candidates, or beside that of all but the three likest of one of the two.
"""

from collections import defaultdict
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from medclf.curate.candidates import (
    NEAREST,
    Candidates,
    find_candidates,
    turn_alike,
    turn_images,
    turns,
)
from medclf.curate.register import Layers, lay_on
from medclf.curate.thumbnail import Thumbnail

LIKENESS = {2: 0.89, 3: 0.97}
REST = 0.3
FEWEST = 30
LIKEST = 3
AT_ONCE = 256

Pairs = NDArray[np.int64]
Group = tuple[int, ...]


def find_copies(
    thumbnails: Thumbnail, likeness: float | None = None, nearest: int = NEAREST
) -> tuple[Pairs, NDArray[np.float64]]:
    """Find all pairs of images that show the same.

    Args:
        thumbnails: (N, *space), all of pictures or all of volumes. One of zeros is like nothing.
        likeness: Least correlation of the edges once the one is laid on the other, up to 1;
            `None` for .89 of pictures and .97 of volumes, whose thumbnails are coarser, of which a
            copy must stand out where images are alike: it leaves at most .3 of what others leave.
        nearest: Of an image so many others are looked at closely, at most.

    Returns:
        Row numbers, the lower first, in order; and the likeness of each pair.

    Shape:
        (N, *space) -> (P, 2), (P,)
    """
    axes = thumbnails.ndim - 1
    rows = np.flatnonzero(thumbnails.any(axis=tuple(range(1, axes + 1))))
    if len(rows) < 2:
        return np.empty((0, 2), np.int64), np.empty(0)
    some = turn_alike(thumbnails[rows].astype(np.float32))
    found = find_candidates(some, nearest)
    alike = _compare(some, found)
    pairs = np.sort(np.stack([found.fixed, found.moving], axis=1), axis=1)
    kept = alike >= (_limits(pairs, alike, LIKENESS[axes]) if likeness is None else likeness)
    pairs = rows[pairs[kept]]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], alike[kept][order]


def group_copies(thumbnails: Thumbnail) -> list[Group]:
    """Group images that show the same: all that hang together by pairs.

    Args:
        thumbnails: As `find_copies` takes them.

    Returns:
        Row numbers, two or more in each group.
    """
    pairs, _ = find_copies(thumbnails)
    total = len(thumbnails)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    _, belongs = connected_components(links, directed=False)
    found: dict[int, list[int]] = defaultdict(list)
    for i in np.unique(pairs):
        found[int(belongs[i])].append(int(i))
    return [tuple(group) for group in found.values()]


def _compare(images: NDArray[np.float32], found: Candidates) -> NDArray[np.float64]:
    """Lay each candidate on its other, many at once: (C,) likeness.

    One thread: matrix products of several at once came out wrong now and then, once in a thousand
    (OpenBLAS 0.3.30), so that the same images gave other copies each time.
    """
    layers = Layers.of(images)
    alike = np.zeros(len(found.fixed))
    for number, way in enumerate(turns(images.ndim - 1)):
        turn = partial(turn_images, turn=way)
        same = np.flatnonzero(found.turned == number)
        for part in (same[first : first + AT_ONCE] for first in range(0, len(same), AT_ONCE)):
            moving = layers.pick(found.moving[part], turn)
            alike[part] = lay_on(layers.pick(found.fixed[part]), moving, found.start[part])
    return alike


def _limits(pairs: Pairs, alike: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Tell how alike each pair must be to be one of copies.

    A copy leaves little unlike beside what most candidates leave that are none; or else beside
    what all others leave of either image, but for the three likest, which may be copies too.
    """
    unlike = alike[(alike > 0) & (alike < least)]
    usual = float(np.median(unlike)) if len(unlike) >= FEWEST else 0.0
    beside = np.minimum(_next_likest(pairs, alike)[pairs].max(axis=1, initial=0.0), usual)
    return np.asarray(np.maximum(least, 1 - REST * (1 - beside)), np.float64)


def _next_likest(pairs: Pairs, alike: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tell for each image how alike its likest candidate after three is; 0 where there is none."""
    whose, values = pairs.ravel(), np.repeat(alike, 2)
    order = np.lexsort((-values, whose))
    whose, values = whose[order], values[order]
    found = np.zeros(whose.max(initial=-1) + 1)
    place = np.arange(len(whose)) - np.searchsorted(whose, whose)
    found[whose[place == LIKEST]] = values[place == LIKEST]
    return found
