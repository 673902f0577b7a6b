"""Copies: pairs of images that show the same, re-encoded, resized, relit, turned or cropped.

Candidates are found fast among all pairs, and each is laid on its other and judged by the edges.
What a copy leaves unlike is little, and little beside what other images leave: where all of them
are alike, as phantoms are or frames of one ultrasound, a copy must be the more so.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from medclf.curate.candidates import NEAREST, find_candidates, turn_alike, turn_images, turns
from medclf.curate.register import Layers, lay_on
from medclf.curate.thumbnail import Thumbnail

LIKENESS = {2: 0.89, 3: 0.97}
REST = 0.3
FEWEST = 30
AT_ONCE = 256

Pairs = NDArray[np.int64]


def find_copies(
    thumbnails: Thumbnail, likeness: float | None = None, nearest: int = NEAREST
) -> tuple[Pairs, NDArray[np.float64]]:
    """Find all pairs of images that show the same.

    Args:
        thumbnails: (N, *space), all of pictures or all of volumes. One of zeros is like nothing.
        likeness: Least correlation of the edges once the one is laid on the other, up to 1;
            `None` for .89 of pictures and .97 of volumes, whose thumbnails are coarser, or more
            where images are alike: a copy leaves at most .3 of what is usually left.
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
    alike = np.zeros(len(found.fixed))
    layers = Layers.of(some)
    for number, turn in enumerate(turns(axes)):
        turned = np.flatnonzero(found.turned == number)
        for first in range(0, len(turned), AT_ONCE):
            part = turned[first : first + AT_ONCE]
            fixed = layers.each(partial(np.take, indices=found.fixed[part], axis=0))
            moving = layers.each(partial(np.take, indices=found.moving[part], axis=0))
            moving = moving.each(partial(turn_images, turn=turn))
            alike[part] = lay_on(fixed, moving, found.start[part])
    kept = alike >= (_limit(alike, LIKENESS[axes]) if likeness is None else likeness)
    pairs = np.sort(np.stack([rows[found.fixed[kept]], rows[found.moving[kept]]], axis=1), axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], alike[kept][order]


def _limit(alike: NDArray[np.float64], least: float) -> float:
    """Raise the least likeness of a copy where candidates that are none are alike as well."""
    unlike = alike[(alike > 0) & (alike < least)]
    if len(unlike) < FEWEST:
        return least
    return max(least, 1 - REST * (1 - float(np.median(unlike))))
