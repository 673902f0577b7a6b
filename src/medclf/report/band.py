"""How far a curve would move if other patients had come: pointwise bands by the bootstrap.

Patients are drawn with return, each with all exams, as for every interval of `evaluate`. Scores are
cut into at most 256 steps once; after that a drawn sample is a few sums, whatever its size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.evaluate.bootstrap import patient_weights
from medclf.evaluate.ranking import all_sides
from medclf.report.judged import Judged

Numbers = NDArray[np.float64]

STEPS, POINTS = 256, 101
MOST_SAMPLES, FEWEST_SAMPLES = 500, 100
WORK, READINGS = 4e7, 6000
LEVELS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Band:
    """A band about the mean curve of some classes.

    Args:
        x: (P,) where the curve is read.
        middle: (P,) the curve of the sample as it is.
        low: (P,) what 2.5 % of the drawn samples lie below; empty where none were drawn.
        high: (P,) what 2.5 % lie above.
        samples: How many were drawn.
    """

    x: Numbers
    middle: Numbers
    low: Numbers
    high: Numbers
    samples: int


Read = Callable[[Numbers, Numbers, Numbers], Numbers]


def roc_band(judged: Judged, classes: list[int]) -> Band:
    """Find the band of the share found at each share of false alarms, averaged over classes."""
    return _band(judged, classes, _read_roc)


def precision_band(judged: Judged, classes: list[int]) -> Band:
    """Find the band of the precision at each share found, averaged over classes."""
    return _band(judged, classes, _read_precision)


def _band(judged: Judged, classes: list[int], read: Read) -> Band:
    exams, sides = judged.labelled, judged.sides
    x = np.linspace(0, 1, POINTS)
    steps = [_Steps(sides[:, k], exams.probabilities[:, k]) for k in classes]

    def curves(weights: Numbers) -> Numbers:
        every = [_read_each(step, weights, x, read) for step in steps]
        return np.asarray(np.mean(every, axis=0))

    middle = curves(np.ones((len(exams), 1)))[0]
    samples = min(MOST_SAMPLES, int(min(WORK / len(exams), READINGS) / len(classes)))
    if samples < FEWEST_SAMPLES:
        return Band(x, middle, np.empty(0), np.empty(0), 0)
    strata = all_sides(judged.task, sides)
    drawn = patient_weights(exams.patients, strata, samples, judged.scores.seed)
    low, high = np.nanquantile(np.concatenate([curves(w) for w in drawn]), LEVELS, axis=0)
    return Band(x, middle, low, high, samples)


class _Steps:
    """Exams in falling order of a score, cut where the score changes."""

    def __init__(self, positive: NDArray[np.bool_], score: Numbers) -> None:
        self.order = np.argsort(-score, kind="stable")
        falling = score[self.order]
        cuts = np.flatnonzero(np.diff(falling, prepend=np.inf))
        if len(cuts) > STEPS:
            cuts = cuts[np.linspace(0, len(cuts) - 1, STEPS).astype(int)]
        self.cuts = cuts
        self.positive = positive[self.order].astype(np.float64)[:, None]

    def count(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Count hits and false alarms at each cut: (N, B) -> two of (cuts + 1, B)."""
        sorted_weights = weights[self.order]
        hits = np.add.reduceat(sorted_weights * self.positive, self.cuts).cumsum(0)
        said = np.add.reduceat(sorted_weights, self.cuts).cumsum(0)
        start = np.zeros((1, weights.shape[1]))
        return np.concatenate([start, hits]), np.concatenate([start, said - hits])


def _read_each(steps: _Steps, weights: Numbers, x: Numbers, read: Read) -> Numbers:
    hits, alarms = steps.count(weights)
    return np.stack([read(x, h, a) for h, a in zip(hits.T, alarms.T, strict=True)])


def _read_roc(x: Numbers, hits: Numbers, alarms: Numbers) -> Numbers:
    if not hits[-1] or not alarms[-1]:
        return np.full_like(x, np.nan)
    return np.asarray(np.interp(x, alarms / alarms[-1], hits / hits[-1]))


def _read_precision(x: Numbers, hits: Numbers, alarms: Numbers) -> Numbers:
    """Read the precision where each share is first found; between two it is that of the later."""
    if not hits[-1]:
        return np.full_like(x, np.nan)
    found = hits / hits[-1]
    first = np.searchsorted(found, np.maximum(x, 1e-9), side="left")
    return np.asarray(hits[first] / (hits[first] + alarms[first]))
