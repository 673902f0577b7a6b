"""Intervals made to hold the truth 95 times in 100, also in small samples and at 0 or 100 %.

Every score between 0 and 1 gets the interval that Wilson gave to proportions, on the number of
independent exams that would have made the score as sure as it is: v (1 - v) / SE². A proportion
with one exam per patient has that number as it is. With several, SE comes from the sums over
patients; for scores that are no proportions, from the bootstrap by patients; then Student's t on
the patients of the rarer side stands for 1.96, as SE is itself a guess.

An area near 1 is worth some 2 exams for each patient of the rarer side (Hanley, McNeil 1982), but a
sample with hardly a pair inverted looks worth hundreds: more than 6 a patient are not believed.
That takes the place of Student's t; with both, areas of few positive patients are covered in 98.

In simulated studies of 50 to 600 patients (`bench/coverage.py`) it covers areas of .85 to .99 in 93
to 98 of 100, where the percentiles of the bootstrap cover 79 to 96; with 5 to 20 positive patients
among hundreds in 95 to 98, the percentiles in 66 to 88. And it has a width where all exams are
right, where the bootstrap has none. A mean of losses gets Student's interval with the skewness of
its patients' sums taken out, since losses have one long tail: a rare and very wrong answer may not
have been seen yet. Log losses are covered in 92 to 97 of 100, with few positive patients in 93 to
99. A mean over classes gets the sum of its classes' intervals (MOVER), with their correlation from
the bootstrap.

Source: Wilson. Probable inference, the law of succession, and statistical inference. JASA 1927.
Korn, Graubard. Confidence intervals for proportions with small expected number of positive counts.
Survey Methodology 1998 (effective number). Hall. On the removal of skewness by transformation.
Journal of the Royal Statistical Society B 1992. Zou, Donner. Construction of confidence limits
about effect measures. Statistics in Medicine 2008 (MOVER).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from medclf.evaluate.score import Numbers

LEVEL = 0.95
NORMAL = 1.959963984540054
ROUNDING = 1e-12

EXAMS_OF_A_PATIENT = 6
"""An area is believed to be worth so many exams for each patient of the rarer side."""


@dataclass(frozen=True)
class Figure:
    """A score with its 95 % interval; nan where the sample cannot tell."""

    value: float
    low: float = np.nan
    high: float = np.nan


def wilson(share: float, exams: float, quantile: float = NORMAL) -> tuple[float, float]:
    """Bound a proportion.

    Args:
        share: What was found, 0 to 1.
        exams: Independent exams, or their effective number.
        quantile: How many standard errors wide to either side.

    Example:
        >>> [round(bound, 4) for bound in wilson(1.0, 50)]
        [0.9287, 1.0]
    """
    square = quantile**2
    middle = (share + square / (2 * exams)) / (1 + square / exams)
    half = np.sqrt(share * (1 - share) / exams + square / (4 * exams**2))
    half *= quantile / (1 + square / exams)
    low = 0.0 if share <= 0 else max(0.0, float(middle - half))
    return low, 1.0 if share >= 1 else min(1.0, float(middle + half))


def proportion(hits: NDArray[np.generic], patients: NDArray[np.generic]) -> Figure:
    """Find a share of exams, with its interval.

    Args:
        hits: (N,) 0 or 1 per exam, or a share where an exam has many answers.
        patients: (N,) whose exam it is.
    """
    if not len(hits):
        return Figure(np.nan)
    right = np.asarray(hits, np.float64)
    exams, value = len(right), float(right.mean())
    people = len(np.unique(patients))
    if people == exams and np.isin(right, (0, 1)).all():
        return Figure(value, *wilson(value, exams))
    se = clustered_error(right, patients)
    effective = min(value * (1 - value) / se**2, exams) if 0 < se < np.inf else people
    effective = people if value in (0.0, 1.0) else effective
    return Figure(value, *wilson(value, effective, t_quantile(people)))


def overlap(both: NDArray[np.generic], patients: NDArray[np.generic]) -> Figure:
    """Find F1, with its interval: 2 J / (1 + J) of the share J of exams where both sides agree.

    Args:
        both: (N,) 1 where an exam has the class and is said to; of those of which either holds.
        patients: (N,) whose exam it is.
    """
    found = proportion(both, patients)
    return Figure(*(2 * share / (1 + share) for share in (found.value, found.low, found.high)))


def area(value: float, replicates: Numbers, patients: int) -> Figure:
    """Bound an area under the ROC curve by its bootstrap replicates, (B,); nan is left out.

    Args:
        value: The area of the sample.
        replicates: The area of each bootstrap sample.
        patients: Those of the rarer side.
    """
    if not np.isfinite(value):
        return Figure(np.nan)
    exams = _worth(value, replicates, patients)
    return Figure(value, *wilson(value, min(exams, EXAMS_OF_A_PATIENT * max(patients, 1))))


def share(value: float, replicates: Numbers, patients: int, most: float = np.inf) -> Figure:
    """Bound another score between 0 and 1 by its bootstrap replicates.

    Args:
        value: The score of the sample.
        replicates: (B,) the score of each bootstrap sample; nan is left out.
        patients: Those of the rarer side: what bounds our knowledge. One alone shows no spread.
        most: Bound of the effective number of exams, where their true number is known.
    """
    if not np.isfinite(value):
        return Figure(np.nan)
    exams = min(_worth(value, replicates, patients), most)
    return Figure(value, *wilson(value, exams, t_quantile(patients)))


def symmetric_share(value: float, replicates: Numbers, patients: int) -> Figure:
    """Bound a score between -1 and 1, as kappa, in the same way."""
    half = share((1 + value) / 2, (1 + replicates) / 2, patients)
    return Figure(value, 2 * half.low - 1, 2 * half.high - 1)


def loss(losses: Numbers, patients: NDArray[np.generic]) -> Figure:
    """Find a mean of losses, (N,), none below 0, with its interval."""
    if not len(losses):
        return Figure(np.nan)
    value = float(np.mean(losses))
    sums = _patient_sums(losses, patients)
    se = _error(sums, len(losses))
    if not np.isfinite(se):
        return Figure(value, 0.0, np.inf) if value else Figure(value)
    quantile = t_quantile(len(sums))
    low, high = (value - se * _skewed(z, _bend(sums)) for z in (quantile, -quantile))
    return Figure(value, max(0.0, low), high)


def calibration(value: float, replicates: Numbers, patients: int, chance: float) -> Figure:
    """Bound a calibration error, whose estimate is too large by an amount unknown.

    What chance can have added at most, `chance_error` tells for independent exams. For clustered
    ones the bootstrap does: a sample of a perfectly calibrated model shows an error v, a bootstrap
    sample of it sqrt(2) v, hence v is 1 + sqrt(2) times the excess of the replicates. The lower
    bound gives way by the larger of both, the upper does not.
    """
    if not np.isfinite(value):
        return Figure(np.nan)
    reach = t_quantile(patients) * _deviation(replicates)
    excess = (float(np.nanmean(replicates)) - value) * (1 + np.sqrt(2))
    low = value - max(excess, chance) - reach
    return Figure(value, max(0.0, low), min(1.0, value + reach))


def average(figures: Sequence[Figure], replicates: Numbers) -> Figure:
    """Average the figures of classes, leaving out those that are nan.

    Args:
        figures: K of them, each with its own interval.
        replicates: (K, B) their bootstrap replicates, for how they vary together.
    """
    rows = [k for k, figure in enumerate(figures) if np.isfinite(figure.value)]
    if not rows:
        return Figure(np.nan)
    value, low, high = np.array([(f.value, f.low, f.high) for f in (figures[k] for k in rows)]).T
    together = _correlation(replicates[rows])
    down, up = (
        np.sqrt(max(0.0, d @ together @ d)) / len(rows) for d in (value - low, high - value)
    )
    middle = float(value.mean())
    return Figure(middle, max(0.0, middle - float(down)), min(1.0, middle + float(up)))


def clustered_error(values: Numbers, patients: NDArray[np.generic]) -> float:
    """Find the standard error of a mean over exams, (N,), that cluster by patient."""
    return _error(_patient_sums(values, patients), len(values))


def t_quantile(patients: int) -> float:
    """Find how many standard errors to either side hold 95 % when so many patients gave them."""
    return float(student.ppf((1 + LEVEL) / 2, max(patients - 1, 1)))


def _patient_sums(values: Numbers, patients: NDArray[np.generic]) -> Numbers:
    """Sum by patient how far the values, (N,), lie from their mean: (P,)."""
    _, whose = np.unique(patients, return_inverse=True)
    return np.asarray(np.bincount(whose, values - values.mean()), np.float64)


def _error(sums: Numbers, exams: int) -> float:
    """Find the standard error of a mean over exams from the sums by patient, (P,)."""
    if len(sums) < 2:
        return np.inf
    return float(np.sqrt(len(sums) / (len(sums) - 1) * np.square(sums).sum()) / exams)


def _bend(sums: Numbers) -> float:
    """Find how far the skewness of these, (P,), bends the spread of their mean: Hall's g / 6 √P."""
    spread = float(np.sqrt(np.square(sums).mean()))
    if spread <= ROUNDING:
        return 0.0
    return float(np.power(sums / spread, 3).mean() / (6 * np.sqrt(len(sums))))


def _skewed(quantile: float, bend: float) -> float:
    """Bend a quantile of Student's t to that of a mean of skewed values: Hall's cubic, inverted."""
    if abs(bend) <= ROUNDING:
        return quantile
    return (float(np.cbrt(1 + 6 * bend * (quantile - bend))) - 1) / (2 * bend)


def _worth(value: float, replicates: Numbers, patients: int) -> float:
    """Find how many independent exams would have made a score as sure as it is."""
    se = _deviation(replicates)
    inside = 0 < value < 1 and se > 0 and patients > 1
    return value * (1 - value) / se**2 if inside else max(patients, 1)


def _deviation(replicates: Numbers) -> float:
    there = replicates[np.isfinite(replicates)]
    spread = float(there.std(ddof=1)) if len(there) > 1 else 0.0
    return spread if spread > ROUNDING else 0.0


def _correlation(replicates: Numbers) -> Numbers:
    """Correlate rows, (K, B) -> (K, K); what does not vary is correlated with nothing."""
    there = replicates[:, np.isfinite(replicates).all(0)]
    if there.shape[1] < 2:
        return np.eye(len(replicates))
    centred = there - there.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    together = np.asarray(unit @ unit.T)
    np.fill_diagonal(together, 1)
    return together
