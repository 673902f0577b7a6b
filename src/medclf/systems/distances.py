"""How far found landmarks lie from the true ones, and whether missing ones are known as missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medclf.evaluate.interval import Figure, loss, proportion
from medclf.evaluate.places import presence_threshold
from medclf.locate.scans import Scan
from medclf.systems.candidates import Candidates
from medclf.systems.search import Search

NEAR_MM = 20.0
"""A landmark counts as identified within so much, where no other is nearer."""


@dataclass(frozen=True)
class Landmark:
    """What is reached of one landmark.

    Args:
        kind: Its name.
        scans: That have it.
        error_mm: Mean distance; nan where no scan has it.
        largest_mm: The largest.
    """

    kind: str
    scans: int
    error_mm: float
    largest_mm: float


@dataclass(frozen=True)
class Distances:
    """What a system reaches on the landmarks of some scans.

    Args:
        scans: Those looked at.
        patients: Whose they are.
        error_mm: Mean distance over landmarks that are there, with its interval by patient.
        median_mm: The median.
        largest_mm: The largest.
        identified: Share that lies within 20 mm of its landmark and nearer to no other, and is
            taken for there.
        known: Share of landmarks, there or missing, that are taken for what they are.
        landmarks: Each by itself.
    """

    scans: int
    patients: int
    error_mm: Figure
    median_mm: float
    largest_mm: float
    identified: Figure
    known: Figure
    landmarks: tuple[Landmark, ...]


@dataclass(frozen=True, eq=False)
class Held:
    """Landmarks of some scans held against the truth, (scans, L) each.

    Args:
        patients: (scans,) whose.
        error: In mm; nan where it is missing in the scan.
        sure: The score.
        own: Whether no other landmark lies nearer.
    """

    patients: np.ndarray
    error: np.ndarray
    sure: np.ndarray
    own: np.ndarray

    def threshold(self) -> float:
        """Choose from which score on a landmark is there."""
        there = np.isfinite(self.error)
        return presence_threshold(self.sure[there], self.sure[~there])


def hold(scans: Sequence[Scan], found: Mapping[str, Candidates], search: Search) -> Held:
    """Hold the landmarks of a search against what is marked."""
    shape = len(scans), len(search.kinds)
    error, sure, own = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, bool)
    for row, scan in enumerate(scans):
        some = found[scan.name]
        sure[row] = some.scores
        truth = np.full((shape[1], 3), np.nan)
        for mark in scan.targets:
            truth[search.kinds.index(mark.kind)] = mark.point.at
        far = np.linalg.norm(some.places_mm[:, None] - truth[None], axis=-1)
        error[row] = np.diag(far)
        there = np.isfinite(error[row])
        own[row, there] = np.nanargmin(far[there], axis=1) == np.flatnonzero(there)
    return Held(np.array([scan.patient for scan in scans]), error, sure, own)


def measure_distances(held: Held, kinds: Sequence[str], threshold: float) -> Distances:
    """Measure landmarks, with intervals by patient."""
    there = np.isfinite(held.error)
    whose = np.repeat(held.patients[:, None], len(kinds), 1)
    taken = held.sure >= threshold
    identified = (held.error < NEAR_MM) & held.own & taken
    errors = held.error[there]
    return Distances(
        scans=len(held.patients),
        patients=len(np.unique(held.patients)),
        error_mm=loss(errors, whose[there]),
        median_mm=float(np.median(errors)) if len(errors) else np.nan,
        largest_mm=float(errors.max(initial=-np.inf)),
        identified=proportion(identified[there], whose[there]),
        known=proportion((taken == there).ravel(), whose.ravel()),
        landmarks=tuple(
            Landmark(kind, int(has.sum()), *_summary(column[has]))
            for kind, column, has in zip(kinds, held.error.T, there.T, strict=True)
        ),
    )


def _summary(errors: np.ndarray) -> tuple[float, float]:
    return (float(errors.mean()), float(errors.max())) if len(errors) else (np.nan, np.nan)
