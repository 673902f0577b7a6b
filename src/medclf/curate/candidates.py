"""Pairs of images that may show the same: found fast among all, to be looked at closely.

Of each thumbnail the middle is described by its lowest cosines, each weighted by the energy of its
slope. What a small crop changes in such a description is learnt from the cohort itself: its own
images, moved and scaled a little, tell in which directions copies differ, and linear
discriminants keep the 32 in which images differ most beside that. An image is sought among the
others turned and mirrored in every way, through five windows, by cosine, all with all, in tiles
that fit the cache; its nearest are candidates.

Source: Fisher. The Use of Multiple Measurements in Taxonomic Problems. Annals of Eugenics 1936;
Zauner. Implementation and Benchmarking of Perceptual Image Hash Functions. Thesis, Upper Austria
University of Applied Sciences, Hagenberg 2010, section 3.2.1, for the lowest cosines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from medclf.curate.warp import Floats, apply_matrices, spread_points, tents

COSINES = {2: 80, 3: 120}
POINTS = 24
WINDOW, WIDER, ASIDE = 0.8, 0.84, 0.03
PULLS = ((-0.02, 0.02), (0.96, 1.0, 1.04))
PULLED, MOST_PULLS = 48, 81
DIRECTIONS = 32
PRIOR = 100
MEANS = 2
NEAREST = 12
ALIKE = 0.82
TILE = 2**20

Window = tuple[float, tuple[float, ...]]
Turn = tuple[tuple[int, ...], tuple[int, ...]]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Candidates:
    """Pairs to look at.

    Args:
        fixed, moving: (C,) rows of the thumbnails; each pair stands there once.
        turned: (C,) the number of the turn, among `turns`, that the moving image needs.
        start: (C, axes, 2) where the fixed image lies in the turned one, as `lay_on` takes it.
    """

    fixed: Rows
    moving: Rows
    turned: Rows
    start: Floats


def turns(axes: int) -> list[Turn]:
    """List the ways to turn a picture by quarters and to mirror it, or to mirror a volume: 8.

    How a volume stands its file says, and its reader heeds; a picture may lie on its side.

    Returns:
        The order of the axes, and the step along each: 1, or -1 where it is mirrored.
    """
    orders = list(permutations(range(axes))) if axes == 2 else [tuple(range(axes))]
    return list(product(orders, product((1, -1), repeat=axes)))


def turn_images(images: Floats, turn: Turn) -> Floats:
    """Turn images: (N, *space) -> (N, *space)."""
    order, steps = turn
    moved = images.transpose(0, *(axis + 1 for axis in order))
    return moved[(slice(None), *(slice(None, None, step) for step in steps))]


def turn_alike(thumbnails: Floats) -> Floats:
    """Turn each image as it is most like the mean of all, so that turns make no difference.

    Where most stand upright, those that do not are turned upright; of images without an upright,
    as of skin, each is turned as the others are by chance.
    """
    axes = thumbnails.ndim - 1
    whole = (WINDOW, (0.0,) * axes)
    mean = _describe(thumbnails, whole).mean(axis=0)
    for _ in range(MEANS):
        likest = np.full(len(thumbnails), -2.0, np.float32)
        turned = np.empty_like(thumbnails)
        for turn in turns(axes):
            images = turn_images(thumbnails, turn)
            like = _describe(images, whole) @ mean
            more = like > likest
            likest[more], turned[more] = like[more], images[more]
        thumbnails = turned
        mean = _describe(thumbnails, whole).mean(axis=0)
    return thumbnails


def find_candidates(thumbnails: Floats, nearest: int = NEAREST) -> Candidates:
    """Find the pairs of images that may show the same.

    Args:
        thumbnails: (N, *space), all of pictures or all of volumes, none of them constant.
        nearest: How many candidates an image has at most.
    """
    axes = thumbnails.ndim - 1
    windows = [(WIDER, (0.0,) * axes)] + [
        (WIDER, tuple(side if a == axis else 0.0 for a in range(axes)))
        for axis in range(axes)
        for side in (ASIDE, -ASIDE)
    ]
    variants = list(product(range(len(turns(axes))), windows))
    plain = _describe(thumbnails, (WINDOW, (0.0,) * axes))
    mean, directions = _discriminants(thumbnails, plain)
    base = _unit((plain - mean) @ directions)
    every = turns(axes)
    found = [np.empty((0, 4))]
    rows = max(16, TILE // len(thumbnails))
    for first in range(0, len(thumbnails), rows):
        some = thumbnails[first : first + rows]
        described = (_describe(turn_images(some, every[t]), w) for t, w in variants)
        asked = [_unit((d - mean) @ directions) for d in described]
        found += [
            np.stack([there, here + first, best, alike], axis=1)
            for here, there, best, alike in _nearest(asked, base, first, nearest)
        ]
    fixed, moving, best, _ = _each_once(np.concatenate(found)).T
    chosen = best.astype(np.int64)
    turned = np.array([t for t, _ in variants], np.int64)[chosen]
    scale = np.float32(WIDER / WINDOW)
    starts = np.array([[(shift, scale) for shift in w[1]] for _, w in variants], np.float32)
    return Candidates(fixed.astype(np.int64), moving.astype(np.int64), turned, starts[chosen])


def _nearest(
    asked: Sequence[Floats], base: Floats, first: int, nearest: int
) -> Iterator[tuple[Rows, Rows, Rows, Floats]]:
    """Yield rows, their nearest in the base, by which variant they are so, and how near.

    Args:
        asked: By variant, (rows, directions).
        base: (N, directions).
        first: Number in the base of the first row, which is not its own neighbour.
        nearest: How many to keep of each row.
    """
    best = asked[0] @ base.T
    product_ = np.empty_like(best)
    for some in asked[1:]:
        np.matmul(some, base.T, out=product_)
        np.maximum(best, product_, out=best)
    own = np.arange(len(best))
    best[own, own + first] = -1
    if best.shape[1] > nearest:
        least = np.partition(best, -nearest, axis=1)[:, [-nearest]]
        here, there = np.nonzero(best >= np.maximum(least, ALIKE))
    else:
        here, there = np.nonzero(best >= ALIKE)
    if len(here):
        alike = np.stack([np.einsum("ij,ij->i", some[here], base[there]) for some in asked])
        yield here, there, alike.argmax(axis=0), alike.max(axis=0)


def _each_once(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep of a pair that was found from both sides the nearer finding."""
    found = found[np.argsort(-found[:, 3], kind="stable")]
    pairs = np.sort(found[:, :2], axis=1)
    _, first = np.unique(pairs, axis=0, return_index=True)
    return found[first]


def _describe(images: Floats, window: Window, spans: Sequence[float] = ()) -> Floats:
    """Describe a window of each image by its lowest cosines: (N, *space) -> (N, cosines).

    Args:
        images: Thumbnails.
        window: Its span, a share of the edge, and its shift along each axis.
        spans: By how much the span is larger along each axis.
    """
    axes, edge = images.ndim - 1, images.shape[-1]
    order, weight = _lowest(axes)
    span, shifts = window
    cosines = np.cos(np.pi * np.outer(np.arange(order.max() + 1), np.arange(POINTS) + 0.5) / POINTS)
    cosines[0] *= np.sqrt(0.5)
    matrices = [
        cosines.astype(np.float32) @ tents(edge, spread_points(POINTS, span * more) + np.float32(s))
        for s, more in zip(shifts, spans or (1.0,) * axes, strict=True)
    ]
    spectrum = apply_matrices(images, matrices)
    return _unit(spectrum[(slice(None), *order)] * weight)


def _lowest(axes: int) -> tuple[Rows, Floats]:
    """List the lowest frequencies but the mean, each with the size of its slope.

    Returns:
        (axes, cosines) numbers along each axis, and (cosines,) weights.
    """
    index = np.indices((POINTS,) * axes).reshape(axes, -1)
    order = np.lexsort((*index[::-1], (index**2).sum(0)))[1 : COSINES[axes] + 1]
    energy = (2 - 2 * np.cos(np.pi * index[:, order] / POINTS)).sum(0)
    return index[:, order], np.sqrt(energy).astype(np.float32)


def _discriminants(thumbnails: Floats, plain: Floats) -> tuple[Floats, Floats]:
    """Learn in which directions images differ much and their crops little.

    A few images tell little of their spread: that of images which differ in all directions alike
    counts as a hundred of them.

    Returns:
        Mean (cosines,) and directions (cosines, 32).
    """
    axes, total = thumbnails.ndim - 1, len(thumbnails)
    each = list(product(*PULLS))
    pulls = list(product(each, repeat=axes))
    pulls = pulls[:: max(1, len(pulls) // MOST_PULLS)]
    changes = []
    for number, pull in enumerate(pulls):
        some = np.unique((np.arange(PULLED) * len(pulls) + number) % total)
        shifts, spans = zip(*pull, strict=True)
        moved = _describe(thumbnails[some], (WINDOW, shifts), spans)
        changes.append(moved - plain[some])
    change = np.concatenate(changes).astype(np.float64)
    within = change.T @ change / len(change)
    size = len(within)
    within += np.eye(size) * (1e-3 * np.trace(within) / size + 1e-9)
    share = total / (total + PRIOR)
    mean = plain.mean(axis=0, dtype=np.float64) * share
    apart = plain - mean
    spread = share * (apart.T @ apart) / total + (1 - share) * np.eye(size) / size
    _, vectors = eigh(spread, within, subset_by_index=(size - DIRECTIONS, size - 1))
    return mean.astype(np.float32), vectors.astype(np.float32)


def _unit(rows: NDArray[np.floating]) -> Floats:
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32
    )
