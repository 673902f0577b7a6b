"""Comparison of runs on the same exams: does one truly score higher, or was it luck?

DeLong's test asks it of the area under the ROC curve, in closed form: each positive exam has the
share of negatives below it, each negative the share of positives above it, both from ranks in one
sort; the spread of their differences between runs gives the standard error. Summed by patient
first, it holds for several exams per patient too. The paired bootstrap asks it of mean areas over
classes, with the same drawn patients for all runs. Student's t on the patients of
the rarer side tells how far that error may be trusted. Holm's correction keeps many questions
honest.

Source: DeLong, DeLong, Clarke-Pearson. Comparing the areas under two or more correlated receiver
operating characteristic curves. Biometrics 1988. Sun, Xu. Fast Implementation of DeLong's
Algorithm. IEEE Signal Processing Letters 2014. Obuchowski. Nonparametric analysis of clustered ROC
curve data. Biometrics 1997. Holm. A simple sequentially rejective multiple test procedure. 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from medclf.errors import CohortError
from medclf.evaluate.bootstrap import held_by, patient_weights
from medclf.evaluate.figures import RESAMPLES
from medclf.evaluate.interval import ROUNDING, t_quantile, wilson
from medclf.evaluate.ranking import Ranking, all_sides, indicators
from medclf.evaluate.score import Numbers, mean_present
from medclf.evaluate.table import Predictions


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

    Returns:
        One for each run; interval and p are nan where no test is possible: a class has one patient,
        or runs differ and what differs shows no spread.

    Raises:
        CohortError: the runs are not of the same exams with the same labels, or none has a label.
    """
    aligned = [_aligned(runs[against], run) for run in runs]
    aligned = [run.select(run.labelled) for run in aligned]
    first = aligned[against]
    if not len(first):
        raise CohortError("a comparison needs labelled exams, and none has a label")
    classes = len(first.task.classes)
    two = classes == 2 and first.task.kind != "coexisting"
    sides = indicators(first.target, classes)
    rankings = [
        [Ranking(sides[:, k], run.probabilities[:, k]) for k in ((1,) if two else range(classes))]
        for run in aligned
    ]

    def mean_areas(weights: Numbers | None = None) -> Numbers:
        each = [[ranking.areas(weights)[0] for ranking in row] for row in rankings]
        return np.stack([mean_present(np.stack(row)) for row in each])

    found, strata = mean_areas(), all_sides(first.task, sides)
    held = held_by(np.unique(first.patients, return_inverse=True)[1], strata).sum(0)
    rarest = int(held[held > 0].min())
    if rarest < 2 or not np.isfinite(found).all():
        covariance = np.full((len(runs), len(runs)), np.nan)
    elif two:
        scores = np.stack([run.probabilities[:, 1] for run in aligned])
        covariance = delong(first.target, scores, first.patients)[1]
    else:
        draws = patient_weights(first.patients, strata, resamples, seed)
        drawn = np.concatenate([mean_areas(w) for w in draws], axis=1)
        covariance = np.atleast_2d(np.cov(drawn[:, np.isfinite(drawn).all(0)]))
    covariance = _bounded(found, covariance, rarest)
    return [_difference(found, covariance, run, against, rarest) for run in range(len(runs))]


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


def _bounded(areas: Numbers, covariance: Numbers, patients: int) -> Numbers:
    """Give areas that show no spread, as that of a run without fault, a variance.

    It is that of Wilson's bound on the patients of the rarer side, as in the area's own interval.
    """
    found, quantile = covariance.copy(), t_quantile(patients)
    for i in np.flatnonzero(np.diag(covariance) < ROUNDING**2):
        low, high = wilson(float(areas[i]), patients, quantile)
        found[i, i] = (max(areas[i] - low, high - areas[i]) / quantile) ** 2
    return found


def _difference(
    areas: Numbers, covariance: Numbers, first: int, second: int, patients: int
) -> Difference:
    value = float(areas[first] - areas[second])
    alone = covariance[first, first] + covariance[second, second]
    variance = float(alone - 2 * covariance[first, second])
    if variance <= ROUNDING * alone:
        same = value == 0
        return Difference(value, 0.0, 0.0, 1.0) if same else Difference(value, *[np.nan] * 3)
    se = variance**0.5
    reach = t_quantile(patients) * se
    p = float(2 * student.sf(abs(value) / se, patients - 1))
    return Difference(value, max(value - reach, -1.0), min(value + reach, 1.0), p)


def _placements(positive: NDArray[np.bool_], scores: Numbers) -> tuple[Numbers, Numbers]:
    """Find areas (M,), and of each exam the share of the other side that it stands right of."""
    placed = np.empty(scores.shape)
    for side, sign in ((positive, 1), (~positive, -1)):
        inner = rankdata(sign * scores[:, side], axis=1)
        outer = rankdata(sign * scores, axis=1)[:, side]
        placed[:, side] = (outer - inner) / (~side).sum()
    return placed[:, positive].mean(1), placed


def _aligned(first: Predictions, second: Predictions) -> Predictions:
    """Put the second run's exams in the first's order.

    Patients go by numbers that hang on all exams of a run, so what must agree is whose exams
    belong together.
    """
    if first.task != second.task:
        raise CohortError(
            f"runs of one task are wanted: {first.task.classes} and {second.task.classes} differ"
        )
    alone = np.setxor1d(first.exams, second.exams)
    if len(alone):
        raise CohortError(f"runs on the same exams are wanted: only one has {str(alone[0])!r}")
    back = np.argsort(first.exams).argsort()
    second = second.select(np.argsort(second.exams)[back])
    targets = np.asarray(first.target == second.target).reshape(len(first.exams), -1)
    for what, same in (("target", targets.all(1)), ("patient", _together(first, second))):
        if not same.all():
            exam = str(first.exams[same.argmin()])
            raise CohortError(f"runs on the same exams are wanted: the {what} of {exam!r} differs")
    return second


def _together(first: Predictions, second: Predictions) -> NDArray[np.bool_]:
    """Say of which exams the patient has the same exams in both runs: (N,)."""
    one, other = (np.unique(run.patients, return_inverse=True)[1] for run in (first, second))
    pairs, whose = np.unique(np.stack([one, other]), axis=1, return_inverse=True)
    shared = [np.bincount(side)[side] == 1 for side in pairs]
    return np.asarray((shared[0] & shared[1])[whose.ravel()])
