"""Curves and tables that a report draws: ROC, precision and recall, reliability, confusion.

Each is a frozen set of arrays and nothing more. Points on a straight line between their neighbours
are left out, which changes no drawing and keeps that of 100,000 exams small.

Source: Fawcett. An introduction to ROC analysis. Pattern Recognition Letters 2006, algorithm 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.errors import CohortError
from medclf.evaluate.interval import proportion
from medclf.evaluate.score import BINS, Classes, Numbers, confusion


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Share of positives found against share of negatives taken for positive.

    All of shape (P,). Exams with at least `threshold` count as positive; the first is infinite.
    """

    false_positive: Numbers
    true_positive: Numbers
    threshold: Numbers


@dataclass(frozen=True, eq=False)
class PrecisionCurve:
    """Share of right ones among the said against share of positives found: all (P,).

    It begins at the highest threshold; no point is added where nothing is said.
    """

    recall: Numbers
    precision: Numbers
    threshold: Numbers


@dataclass(frozen=True, eq=False)
class Reliability:
    """What was said against what came true, in bins of equal width: all (bins,).

    `said`, `seen`, `low` and `high` are nan where a bin holds no exam; `low` and `high` bound the
    seen share at 95 %, as `proportion` does.
    """

    edges: Numbers
    said: Numbers
    seen: Numbers
    low: Numbers
    high: Numbers
    exams: Classes


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """How often each class was taken for each: `counts` and `shares` are (K, K), true by decided.

    Rows of `shares` sum to 1, or are nan where the class is missing.
    """

    classes: tuple[str, ...]
    counts: Classes
    shares: Numbers


def roc_curve(target: NDArray[np.generic], score: Numbers) -> RocCurve:
    """Follow the threshold from the highest score down.

    Args:
        target: (N,) of 0 and 1.
        score: (N,) larger means more likely positive.

    Raises:
        CohortError: positives or negatives are missing.
    """
    threshold, hits, alarms = _sweep(np.asarray(target) == 1, score)
    if not hits[-1] or not alarms[-1]:
        raise CohortError("a ROC curve needs positive and negative exams, and one side is missing")
    turns = np.diff(hits[1:]) * np.diff(alarms)[:-1] != np.diff(hits)[:-1] * np.diff(alarms[1:])
    keep = np.concatenate([[True], turns, [True]])
    return RocCurve(alarms[keep] / alarms[-1], hits[keep] / hits[-1], threshold[keep])


def precision_curve(target: NDArray[np.generic], score: Numbers) -> PrecisionCurve:
    """Follow the threshold from the highest score down.

    Args:
        target: (N,) of 0 and 1.
        score: (N,) larger means more likely positive.

    Raises:
        CohortError: positives are missing.
    """
    threshold, hits, alarms = (a[1:] for a in _sweep(np.asarray(target) == 1, score))
    if not len(hits) or not hits[-1]:
        raise CohortError("a curve of precision and recall needs positive exams, and none is there")
    before, after = np.append(0, hits[:-1]), np.append(hits[1:], hits[-1])
    keep = (hits != before) | (hits != after)
    keep[[0, -1]] = True
    said = hits + alarms
    return PrecisionCurve(hits[keep] / hits[-1], (hits / said)[keep], threshold[keep])


def reliability(
    chance: Numbers,
    outcome: NDArray[np.generic],
    patients: NDArray[np.generic],
    bins: int = BINS,
) -> Reliability:
    """Compare what was said with what came true.

    Args:
        chance: (N,) in [0, 1], as for `calibration_error`.
        outcome: (N,) of 0 and 1.
        patients: (N,) whose it is: what is said of one patient counts together.
        bins: Their number; those of `calibration_error` by default.
    """
    place = np.minimum((chance * bins).astype(np.int64), bins - 1)
    exams = np.bincount(place, minlength=bins)
    some = np.where(exams > 0, exams, np.nan)
    said = np.bincount(place, chance, bins) / some
    mine = [place == b for b in range(bins)]
    figures = [proportion(outcome[rows], patients[rows]) for rows in mine]
    seen, low, high = np.array([(f.value, f.low, f.high) for f in figures]).T
    return Reliability(np.linspace(0, 1, bins + 1), said, seen, low, high, exams)


def confusion_matrix(
    target: Classes, decided: Classes, classes: tuple[str, ...]
) -> ConfusionMatrix:
    """Count how often each class was taken for each: target and decided are (N,)."""
    counts = confusion(target, decided, len(classes)).astype(np.int64)
    total = counts.sum(1, keepdims=True)
    return ConfusionMatrix(classes, counts, counts / np.where(total > 0, total, np.nan))


def _sweep(positive: NDArray[np.bool_], score: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Count hits and false alarms at each distinct threshold, beginning above all scores."""
    order = np.argsort(-score, kind="stable")
    falling, positive = score[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)
    hits = np.cumsum(positive, dtype=np.float64)[last]
    alarms = np.cumsum(~positive, dtype=np.float64)[last]
    zero = np.zeros(1)
    first = np.full(1, np.inf)
    return (
        np.concatenate([first, falling[last]]),
        np.concatenate([zero, hits]),
        np.concatenate([zero, alarms]),
    )
