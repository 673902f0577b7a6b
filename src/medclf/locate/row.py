"""Landmarks in a row: how far each lies from the next, learnt from scans where all are marked.

The order and the mean shape come from all pairs that scans show together, so scans may show any
part. Of each landmark it is learnt which one follows it, how often, and how far off along the row
and aside from it; the same for the second and the third after it, for those between may be missed.
Ways are measured along the local axis of the row, the first principal axis of what lies near, so a
patient may lie or stand askew, and the row may be bent.

Source: the idea, Chen et al. Automatic Localization and Identification of Vertebrae in Spine CT via
a Joint Learning Model with Deep Neural Networks. MICCAI 2015, whose last stage regresses the shape
of the spine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medclf.errors import CohortError

Numbers = NDArray[np.float64]

FEWEST = 2
"""Kinds of landmarks that are a row."""

REACH = 4
"""Links lead to the fourth landmark after one at most."""

MISSED = 0.05
"""Chance that a landmark has no candidate."""

SMALL = 0.1
"""What is counted of each order that was never seen."""

BESIDE = 0.05
"""What a pair counts for the landmark beside its own, that has few pairs or none."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Landmarks of one scan.

    Args:
        kinds: (n,) numbers of kinds, each once.
        places_mm: (n, 3).
    """

    kinds: NDArray[np.int64]
    places_mm: Numbers

    def ordered(self, order: NDArray[np.int64]) -> "Marks":
        """Put them in order, with numbers that count along it."""
        rank = np.argsort(order)[self.kinds]
        by = np.argsort(rank)
        return Marks(rank[by], self.places_mm[by])


@dataclass(frozen=True, eq=False)
class Row:
    """What is known of landmarks in a row; kinds count along it.

    Args:
        mean_mm: (K, 3) mean shape, about no particular place.
        follow: (steps, K, K) how often a kind is the first, second … after another.
        along_mm: (steps, K) how far along the row the first, second … after a kind lies.
        loose_mm: (steps, K) the deviation of that.
        aside_mm: (steps, K) the deviation aside from the row.
    """

    mean_mm: Numbers
    follow: Numbers
    along_mm: Numbers
    loose_mm: Numbers
    aside_mm: Numbers

    @property
    def step_mm(self) -> float:
        """From one landmark to the next, on average."""
        return float(self.along_mm[0].mean())

    def sort(self, places_mm: Numbers, weights: Numbers) -> NDArray[np.int64]:
        """Tell the order of places along the row."""
        return np.argsort(places_mm @ _axis(places_mm, weights, direction(self.mean_mm), 0.0))

    def links(self, places_mm: Numbers, weights: Numbers) -> Numbers:
        """Tell how well places follow each other as kinds, as logarithms of odds.

        They are held against places that lie anywhere, one to a cube whose edge is a step.

        Args:
            places_mm: (N, 3) in order.
            weights: (N,) how likely each is a landmark at all.

        Returns:
            (N, N, K, K); -inf where a place does not lie ahead.
        """
        axes = local_axes(places_mm, weights, direction(self.mean_mm), 2 * self.step_mm)
        along, aside = _ways(places_mm, axes)
        total = np.full((*along.shape, *self.follow.shape[1:]), -np.inf)
        for step in range(len(self.follow)):
            off = (along[..., None] - self.along_mm[step]) / self.loose_mm[step]
            off = off**2 + (aside[..., None] / self.aside_mm[step]) ** 2
            with np.errstate(divide="ignore"):
                follows = np.log(self.follow[step]) + step * np.log(MISSED)
            room = (2 * np.pi) ** 1.5 * self.loose_mm[step] * self.aside_mm[step] ** 2
            follows += np.log(self.step_mm**3 / room)[:, None]
            total = np.logaddexp(total, follows - off[..., None] / 2)
        total[along <= 0] = -np.inf
        return np.asarray(total)

    def fill(self, found: NDArray[np.bool_], places_mm: Numbers) -> Numbers:
        """Place kinds that were not found by those that were: (K,), (K, 3) -> (K, 3)."""
        there = np.flatnonzero(found)
        filled = places_mm.copy()
        at = self.mean_mm @ direction(self.mean_mm)
        for kind in np.flatnonzero(~found) if len(there) else ():
            before, after = there[there < kind][-1:], there[there > kind][:1]
            if len(before) and len(after):
                share = (at[kind] - at[before]) / (at[after] - at[before])
                filled[kind] = places_mm[before] + share * (places_mm[after] - places_mm[before])
            else:
                near = before if len(before) else after
                filled[kind] = places_mm[near] + self.mean_mm[kind] - self.mean_mm[near]
        return filled


def learn_order(scans: Sequence[Marks], kinds: int) -> tuple[NDArray[np.int64], Numbers]:
    """Learn the order of landmarks, and their mean shape.

    Args:
        scans: With a landmark at least each; it takes two of them to tell something.
        kinds: How many there are.

    Returns:
        (K,) their numbers along the row, from the head down where that is its way, and the mean
        shape in that order, (K, 3).

    Raises:
        CohortError: there is but one kind, or scans do not overlap, so that it cannot be said which
            comes first.
    """
    if kinds < FEWEST:
        raise CohortError(
            f"training scans with {FEWEST} landmarks or more wanted, to learn a row, found "
            f"{kinds}; heat_map finds a single one"
        )
    rows = sum(len(scan.kinds) for scan in scans)
    system, seen = np.zeros((rows, kinds + len(scans))), np.zeros((rows, 3))
    row = 0
    for number, scan in enumerate(scans):
        here = slice(row, row + len(scan.kinds))
        system[np.arange(here.start, here.stop), scan.kinds] = 1
        system[here, kinds + number] = 1
        seen[here] = scan.places_mm
        row = here.stop
    shape, _, rank, _ = np.linalg.lstsq(system, seen, rcond=None)
    if rank < kinds + len(scans) - 1:
        raise CohortError("scans that overlap wanted, to learn an order; some share no landmark")
    mean = shape[:kinds] - shape[:kinds].mean(0)
    main = np.linalg.svd(mean)[2][0]
    if main[np.abs(main).argmax()] > 0:
        main = -main
    order = np.argsort(mean @ main)
    return order, mean[order]


def learn_row(scans: Sequence[Marks], mean_mm: Numbers, least_mm: float) -> Row:
    """Learn how landmarks follow each other.

    Args:
        scans: In order.
        mean_mm: (K, 3) mean shape.
        least_mm: By which candidates may be off.
    """
    kinds = len(mean_mm)
    radius = 2 * float(np.linalg.norm(np.diff(mean_mm, axis=0), axis=1).mean())
    pairs = _stepped([pair for scan in scans for pair in _pairs(scan, mean_mm, radius)], kinds)
    counts = np.zeros((REACH, kinds, kinds))
    for pair in pairs:
        counts[pair.step, pair.kind, pair.other] += 1
    later = np.triu(np.ones((kinds, kinds)), 1) * SMALL
    total = (counts + later).sum(2, keepdims=True)
    follow = np.divide(counts + later, total, out=np.zeros_like(counts), where=total > 0)
    each = [[pair for pair in pairs if pair.step == step] for step in range(REACH)]
    moments = [_moments(some, kinds, least_mm) for some in each if some]
    along, loose, beside = (np.stack(part) for part in zip(*moments, strict=True))
    return Row(mean_mm, follow[: len(moments)], along, loose, beside)


class _Pair(NamedTuple):
    """Two landmarks of a scan: a kind, another that is the first, second … after it, the way."""

    step: int
    kind: int
    other: int
    along: float
    aside: float


def _pairs(scan: Marks, mean_mm: Numbers, radius_mm: float) -> list[_Pair]:
    """Pair the landmarks of a scan with those after them, by how many are marked between."""
    axes = local_axes(scan.places_mm, np.ones(len(scan.kinds)), direction(mean_mm), radius_mm)
    along, aside = _ways(scan.places_mm, axes)
    kinds: list[int] = scan.kinds.tolist()
    return [
        _Pair(j - i - 1, kinds[i], kinds[j], float(along[i, j]), float(aside[i, j]))
        for i in range(len(scan.kinds))
        for j in range(i + 1, min(i + 1 + REACH, len(scan.kinds)))
    ]


def _stepped(pairs: Sequence[_Pair], kinds: int) -> list[_Pair]:
    """Tell by the way how many landmarks lie between two, for not all need be marked.

    A kind that a patient lacks leaves no room, and one that was not marked does. Pairs that lie
    farther apart than links lead are left out.
    """
    beside = sorted((pair for pair in pairs if not pair.step), key=lambda pair: pair.along)
    whose, along = np.array([pair.kind for pair in beside]), np.array([p.along for p in beside])
    weight = np.cumsum(BESIDE ** np.abs(np.arange(kinds)[:, None] - whose).astype(float), 1)
    median = along[(weight < weight[:, -1:] / 2).sum(1)]
    after = np.minimum(np.arange(2 * REACH)[:, None] + np.arange(kinds), kinds - 1)
    usual, found = np.cumsum(median[after], 0), []
    for pair in pairs:
        between = int(np.abs(usual[:, pair.kind] - pair.along).argmin())
        step = min(max(between, pair.step), pair.other - pair.kind - 1)
        if step < REACH:
            found.append(pair._replace(step=step))
    return found


def _moments(
    pairs: Sequence[_Pair], kinds: int, least_mm: float
) -> tuple[Numbers, Numbers, Numbers]:
    """Give the mean way along, its deviation, and that aside, of each kind: (K,) each."""
    _, whose, _, along, aside = (np.array(column) for column in zip(*pairs, strict=True))
    counts = BESIDE ** np.abs(np.arange(kinds)[:, None] - whose).astype(float)
    counts /= counts.sum(1, keepdims=True)
    mean = counts @ along
    loose = (counts * (along - mean[:, None]) ** 2).sum(1)
    return mean, np.sqrt(loose + least_mm**2), np.sqrt(counts @ aside**2 / 2 + least_mm**2)


def direction(mean_mm: Numbers) -> Numbers:
    """Tell which way a row runs: (K, 3) -> (3,), of length 1."""
    main = np.linalg.svd(mean_mm - mean_mm.mean(0))[2][0]
    return np.asarray(main * np.sign(main @ (mean_mm[-1] - mean_mm[0])))


def local_axes(places_mm: Numbers, weights: Numbers, main: Numbers, radius_mm: float) -> Numbers:
    """Tell which way a row runs at each of its places.

    Args:
        places_mm: (N, 3).
        weights: (N,) of each for the others.
        main: (3,) the way that it runs on the whole.
        radius_mm: How far off a place counts.

    Returns:
        (N, 3) of length 1.
    """
    far = np.linalg.norm(places_mm[:, None] - places_mm[None], axis=-1)
    near = weights * (far < radius_mm)
    axes = [_axis(places_mm, each, main, radius_mm / 3) for each in near]
    return np.array(axes).reshape(-1, 3)


def _axis(places_mm: Numbers, weights: Numbers, main: Numbers, doubt_mm: float) -> Numbers:
    """Give the first principal axis of places, as far as they tell; else the main way."""
    middle = weights @ places_mm / max(weights.sum(), 1e-9)
    away = places_mm - middle
    spread = (weights[:, None] * away).T @ away
    spread += max(doubt_mm, 1.0) ** 2 * np.outer(main, main)
    axis = np.linalg.eigh(spread)[1][:, -1]
    return np.asarray(axis if axis @ main >= 0 else -axis)


def _ways(places_mm: Numbers, axes: Numbers) -> tuple[Numbers, Numbers]:
    """Give the ways from each place to each, along the row and aside from it: (N, N) each."""
    offset = places_mm[None] - places_mm[:, None]
    axis = axes[None] + axes[:, None]
    axis /= np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-9)
    along = (offset * axis).sum(-1)
    aside = np.linalg.norm(offset - along[..., None] * axis, axis=-1)
    return along, aside
