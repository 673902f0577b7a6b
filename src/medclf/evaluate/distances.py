"""How far found landmarks lie from the true ones, and whether missing ones are known as missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.evaluate.interval import Figure, loss, proportion
from medclf.evaluate.places import place_errors, presence_threshold

NEAR_MM = 20.0
"""A landmark counts as identified within so much, where no other is nearer."""

NOT_FOUND = 1e-12
"""The score of a landmark that was not found at all, whose place is made up."""


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
        median_mm: The median; nan where no scan has any.
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
class Placed:
    """Landmarks of some scans held against the truth, (scans, L) each.

    Args:
        patients: (scans,) whose.
        error: In mm; nan where it is missing in the scan.
        sure: The score.
        own: Whether no other landmark lies nearer.
    """

    patients: NDArray[Any]
    error: NDArray[np.float64]
    sure: NDArray[np.floating]
    own: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        patients: NDArray[Any],
        places: NDArray[np.floating],
        truth: NDArray[np.floating],
        sure: NDArray[np.floating],
    ) -> "Placed":
        """Hold places against the truth.

        Args:
            patients: (scans,) whose.
            places: That were found, (scans, L, axes) in mm.
            truth: The true ones; nan where one is missing in the scan.
            sure: (scans, L) scores.
        """
        far = np.linalg.norm(places[:, :, None] - truth[:, None], axis=-1)
        error = np.diagonal(far, axis1=1, axis2=2)
        return cls(patients, error, sure, error <= np.where(np.isnan(far), np.inf, far).min(2))

    @property
    def identified(self) -> NDArray[np.bool_]:
        """Whether it lies near its own landmark, and nearer to no other."""
        return np.asarray((self.error < NEAR_MM) & self.own)

    def threshold(self) -> float:
        """Choose from which score on a landmark is said to be there.

        Missing ones, and those that lie elsewhere, are to fall below it; those that were not found
        always do, wherever their place happens to be.
        """
        right = self.identified & (self.sure > NOT_FOUND)
        return max(presence_threshold(self.sure[right], self.sure[~right]), 2 * NOT_FOUND)


def hold_samples(
    places: NDArray[np.floating],
    target: NDArray[np.floating],
    size: Sequence[int],
    spacing: Sequence[float],
    sure: NDArray[np.floating],
) -> Placed:
    """Hold landmarks of images of one size against the truth; arguments as of `place_errors`."""
    there = np.isfinite(place_errors(places, target, size, spacing))
    truth = np.where(there[..., None], target, np.nan)
    return Placed.of(np.arange(len(places)), places * spacing, truth * spacing, sure)


def measure_distances(held: Placed, kinds: Sequence[str], threshold: float) -> Distances:
    """Measure landmarks, with intervals by patient."""
    there = np.isfinite(held.error)
    whose = np.repeat(held.patients[:, None], len(kinds), 1)
    taken = held.sure >= threshold
    identified = held.identified & taken
    errors = held.error[there]
    _, largest = _summary(errors)
    return Distances(
        scans=len(held.patients),
        patients=len(np.unique(held.patients)),
        error_mm=loss(errors, whose[there]),
        median_mm=float(np.median(errors)) if len(errors) else np.nan,
        largest_mm=largest,
        identified=proportion(identified[there], whose[there]),
        known=proportion((taken == there).ravel(), whose.ravel()),
        landmarks=tuple(
            Landmark(kind, int(has.sum()), *_summary(column[has]))
            for kind, column, has in zip(kinds, held.error.T, there.T, strict=True)
        ),
    )


def _summary(errors: NDArray[np.float64]) -> tuple[float, float]:
    return (float(errors.mean()), float(errors.max())) if len(errors) else (np.nan, np.nan)
