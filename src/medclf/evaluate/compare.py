"""Comparison of runs on the same exams: does one truly score higher, or was it luck?

DeLong's test asks it of the area under the ROC curve, in closed form: each positive exam has the
share of negatives below it, each negative the share of positives above it, both from ranks in one
sort; the spread of their differences between runs gives the standard error. Summed by patient
first, it holds for several exams per patient too. The paired bootstrap asks it of any score, with
the same drawn patients for both runs. Holm's correction keeps many questions honest.

Source: DeLong, DeLong, Clarke-Pearson. Comparing the areas under two or more correlated receiver
operating characteristic curves. Biometrics 1988. Sun, Xu. Fast Implementation of DeLong's
Algorithm. IEEE Signal Processing Letters 2014. Obuchowski. Nonparametric analysis of clustered ROC
curve data. Biometrics 1997. Holm. A simple sequentially rejective multiple test procedure. 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from scipy.stats import t as student

from medclf.errors import CohortError
from medclf.evaluate.bootstrap import patient_weights
from medclf.evaluate.figures import RESAMPLES
from medclf.evaluate.interval import NORMAL, t_quantile
from medclf.evaluate.measure import Measure
from medclf.evaluate.ranking import Ranking, indicators
from medclf.evaluate.score import Numbers, mean_present
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision


@dataclass(frozen=True)
class Difference:
    """First minus second, with its 95 % interval and the two-sided p of no difference."""

    value: float
    low: float
    high: float
    p: float


def delong(
    target: NDArray[np.generic], scores: Numbers, patients: NDArray[np.generic] | None = None
) -> tuple[Numbers, Numbers]:
    """Find areas under ROC curves and how they vary together.

    Args:
        target: (N,) of 0 and 1.
        scores: (M, N) of M runs; larger means more likely positive.
        patients: (N,) whose exam it is; by default each is a patient's only one.

    Returns:
        Areas (M,) and their covariance (M, M).

    Raises:
        CohortError: fewer than two patients have positive, or negative, exams.
    """
    positive = np.asarray(target) == 1
    patients = np.arange(len(positive)) if patients is None else patients
    _, whose = np.unique(patients, return_inverse=True)
    clusters = [len(np.unique(whose[side])) for side in (positive, ~positive)]
    if min(clusters) < 2:
        raise CohortError(
            f"DeLong's test needs 2 patients on each side: {clusters[0]} have positive exams, "
            f"{clusters[1]} negative ones"
        )
    areas, placed = _placements(positive, scores)
    people = int(whose.max()) + 1
    sums = np.zeros((2, len(scores), people))
    for side, mask in enumerate((positive, ~positive)):
        for run, values in enumerate(placed[:, mask]):
            sums[side, run] = np.bincount(whose[mask], values - areas[run], people) / mask.sum()
    first, second = (s @ s.T * n / (n - 1) for s, n in zip(sums, clusters, strict=True))
    across = sums[0] @ sums[1].T * people / (people - 1)
    return areas, first + second + across + across.T


def delong_test(
    target: NDArray[np.generic],
    first: Numbers,
    second: Numbers,
    patients: NDArray[np.generic] | None = None,
) -> Difference:
    """Compare the areas of two runs on the same exams.

    Args:
        target: (N,) of 0 and 1.
        first: (N,) scores of the first run.
        second: (N,) scores of the second run.
        patients: (N,) whose exam it is; by default each is a patient's only one.

    Raises:
        CohortError: fewer than two patients have positive, or negative, exams.
    """
    areas, covariance = delong(target, np.stack([first, second]), patients)
    return _normal(areas, covariance, 0, 1)


def compare_areas(
    runs: Sequence[Predictions], against: int, seed: int = 0, resamples: int = RESAMPLES
) -> list[Difference]:
    """Compare the AUC of each run with that of one of them.

    Two exclusive classes: by DeLong's test. More, and findings: the mean AUC over classes, each
    against the rest, by the paired bootstrap.

    Args:
        runs: Of the same exams, in any order; exams without a label are left out.
        against: The place of the run that is subtracted.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.

    Raises:
        CohortError: the runs are not of the same exams, or these are too few.
    """
    aligned = [_aligned(runs[against], run) for run in runs]
    aligned = [run.select(run.labelled) for run in aligned]
    first = aligned[against]
    classes, both = len(first.task.classes), first.task.kind == "coexisting"
    if classes == 2 and not both:
        scores = np.stack([run.probabilities[:, 1] for run in aligned])
        areas, covariance = delong(first.target, scores, first.patients)
        return [_normal(areas, covariance, run, against) for run in range(len(runs))]
    sides = indicators(first.target, classes)
    rankings = [
        [Ranking(sides[:, k], run.probabilities[:, k]) for k in range(classes)] for run in aligned
    ]

    def mean_areas(weights: Numbers | None = None) -> Numbers:
        each = [[ranking.areas(weights)[0] for ranking in row] for row in rankings]
        return np.stack([mean_present(np.stack(row)) for row in each])

    strata = np.hstack([sides, ~sides]) if both else sides
    draws = patient_weights(first.patients, strata, resamples, seed)
    drawn, found = np.concatenate([mean_areas(w) for w in draws], axis=1), mean_areas()
    people = len(np.unique(first.patients))
    return [
        _difference(float(found[run] - found[against]), drawn[run] - drawn[against], people)
        for run in range(len(runs))
    ]


def paired_bootstrap(
    first: Predictions,
    second: Predictions,
    decisions: tuple[Decision, Decision],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Difference]:
    """Compare every score of two runs on the same exams.

    Args:
        first: Predictions of the first run.
        second: Those of the second, in any order.
        decisions: How each run's probabilities become classes.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.

    Returns:
        By name; the interval and p are Student's, with the bootstrap's standard error.

    Raises:
        CohortError: the runs are not of the same exams with the same labels.
    """
    second = _aligned(first, second)
    one, two = Measure(first, decisions[0]), Measure(second, decisions[1])
    patients = one.predictions.patients
    people = len(np.unique(patients))
    drawn = [
        _minus(one(w).whole, two(w).whole)
        for w in patient_weights(patients, one.strata, resamples, seed)
    ]
    found = _minus(one().whole, two().whole)
    return {
        name: _difference(float(value), np.concatenate([d[name] for d in drawn]), people)
        for name, value in found.items()
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for their number, so that all that stay below .05 may be believed at once.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(raised, 1)
    return [float(value) for value in adjusted]


def _normal(areas: Numbers, covariance: Numbers, first: int, second: int) -> Difference:
    value = float(areas[first] - areas[second])
    variance = covariance[first, first] + covariance[second, second]
    se = float(np.sqrt(max(variance - 2 * covariance[first, second], 0.0)))
    p = float(2 * norm.sf(abs(value) / se)) if se > 0 else float(value == 0)
    return Difference(value, value - NORMAL * se, value + NORMAL * se, p)


def _placements(positive: NDArray[np.bool_], scores: Numbers) -> tuple[Numbers, Numbers]:
    """Find areas (M,), and of each exam the share of the other side that it stands right of."""
    placed = np.empty(scores.shape)
    for side, sign in ((positive, 1), (~positive, -1)):
        inner = rankdata(sign * scores[:, side], axis=1)
        outer = rankdata(sign * scores, axis=1)[:, side]
        placed[:, side] = (outer - inner) / (~side).sum()
    return placed[:, positive].mean(1), placed


def _aligned(first: Predictions, second: Predictions) -> Predictions:
    """Put the second run's exams in the first's order."""
    if first.task != second.task:
        raise CohortError(
            f"runs of one task are wanted: {first.task.classes} and {second.task.classes} differ"
        )
    alone = np.setxor1d(first.exams, second.exams)
    if len(alone):
        raise CohortError(f"runs on the same exams are wanted: only one has {str(alone[0])!r}")
    back = np.argsort(first.exams).argsort()
    second = second.select(np.argsort(second.exams)[back])
    for name in ("target", "patients"):
        same = np.asarray(getattr(first, name) == getattr(second, name))
        fault = ~same.reshape(len(same), -1).all(1)
        if fault.any():
            exam = str(first.exams[fault.argmax()])
            raise CohortError(f"runs on the same exams are wanted: the {name} of {exam!r} differs")
    return second


def _minus(first: dict[str, Numbers], second: dict[str, Numbers]) -> dict[str, Numbers]:
    return {name: value - second[name] for name, value in first.items()}


def _difference(value: float, replicates: Numbers, patients: int) -> Difference:
    there = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or len(there) < 2:
        return Difference(value, np.nan, np.nan, np.nan)
    se = float(there.std(ddof=1))
    reach = t_quantile(patients) * se
    p = 2 * student.sf(abs(value) / se, max(patients - 1, 1)) if se > 0 else float(value == 0)
    return Difference(value, value - reach, value + reach, float(p))
