"""Decisions: from which probability on we say yes.

The threshold that did best on a small validation set is mostly luck. Three things steady it. Each
exam's outcome is a mixture of its label and of the chance that a logistic curve, fitted to the same
exams, gives it; the curve's part is 500 / (N + 500), so that many exams speak for themselves. The
step at the threshold is smeared by a Gaussian as wide as the logits' standard deviation over the
cube root of N. Of equally good thresholds the one nearest to .5 is taken, in the middle of a gap.

In simulations (binormal scores with areas of .86 to .99, equal and unequal widths, prevalence .1 to
.5) the best threshold of 50 exams lost .5 to 1.3 points of accuracy, 1.2 to 2.9 of balanced
accuracy and 1.4 to 3.6 of F1 against the best of all; this one .3 to .7, .3 to .7 and .5 to 1.7.
With 150 exams it was .2 to .6, .7 to 1.4 and .6 to 1.6 against .1 to .2, .1 to .4 and .2 to .8;
with 500 exams, too, this one lost half as much or less in accuracy and balanced accuracy.

Source: Horowitz. A smoothed maximum score estimator. Econometrica 1992. Youden. Index for rating
diagnostic tests. Cancer 1950.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import expit, logit, ndtr

from medclf.core.task import Task
from medclf.errors import CohortError, SettingError
from medclf.evaluate.calibrate import fit_calibration
from medclf.evaluate.score import Classes, Numbers, divide

Aim = Literal["accuracy", "between", "balanced", "f1"]

CURVE_EXAMS = 500
GRID = 501
CERTAIN = 1e-9


@dataclass(frozen=True)
class Decision:
    """How probabilities become classes.

    Args:
        thresholds: Two exclusive classes: one, for the positive class. Coexisting findings: one
            each. More classes: none, and the likeliest class is taken; or one each, and the class
            is taken whose probability is the largest multiple of its threshold.
        aim: What the thresholds were chosen for.
        coexisting: Whether classes coexist: each with its own threshold, any number at a time.
        sensitivity: That they were to keep on validation.
    """

    thresholds: tuple[float, ...] = ()
    aim: Aim = "accuracy"
    coexisting: bool = False
    sensitivity: float = 0.0

    def decide(self, probabilities: Numbers) -> Classes:
        """Decide on each exam.

        Shape:
            (N, K) -> (N,) class numbers, or (N, K) of 0 and 1 where findings coexist

        Raises:
            SettingError: the thresholds are of another number of classes.

        Example:
            >>> Decision((0.3,)).decide(np.array([[0.6, 0.4], [0.8, 0.2]])).tolist()
            [1, 0]
        """
        classes, given = probabilities.shape[1], len(self.thresholds)
        wanted = {classes} if self.coexisting else {0, 1 if classes == 2 else classes}
        if given not in wanted:
            raise SettingError(f"{classes} classes take {sorted(wanted)} thresholds, not {given}")
        if self.coexisting:
            return np.asarray(probabilities >= self.thresholds, np.int64)
        if given == 1:
            return np.asarray(probabilities[:, 1] >= self.thresholds[0], np.int64)
        return np.asarray((probabilities / (self.thresholds or 1.0)).argmax(1))


def expect_aim(task: Task, aim: Aim, sensitivity: float = 0.0) -> None:
    """Check that thresholds can be chosen so, before anything is trained.

    Raises:
        SettingError: the aim is unknown, or is "f1" with three exclusive classes or more, or so
            many are to keep a sensitivity.
    """
    _check(aim)
    if task.kind == "coexisting" or len(task.classes) == 2:
        return
    asked = "the aim f1" if aim == "f1" else f"a sensitivity of {sensitivity:g}"
    if aim == "f1" or sensitivity:
        raise SettingError(f"{asked} is for two classes or coexisting findings, not for several")


def fit_decision(
    task: Task, target: Classes, probabilities: Numbers, aim: Aim, sensitivity: float = 0.0
) -> Decision:
    """Choose the thresholds on validation.

    Args:
        task: The classes.
        target: (N,) class numbers or (N, K) of 0 and 1; exams with -1 are left out.
        probabilities: (N, K), calibrated.
        aim: "accuracy", "balanced" (the mean of the classes' sensitivities), "between" (the mean of
            the two) or "f1".
        sensitivity: That each threshold is to keep on validation, of those that do the one that
            aims best; 0 for any.

    Returns:
        With three classes or more that exclude each other: the likeliest class for "accuracy"; for
        "balanced" the class that is likelier than usual by the largest factor; for "between" by the
        largest multiple of the factor's root, half-way on the scale of logits.

    Raises:
        CohortError: no exam has a label.
        SettingError: as `expect_aim` says.
    """
    expect_aim(task, aim, sensitivity)
    target, classes = np.asarray(target), len(task.classes)
    known = (target if target.ndim == 1 else target[:, 0]) >= 0
    if not known.any():
        raise CohortError("a decision is fitted to labelled exams, and none has a label")
    target, probabilities = target[known], probabilities[known]
    if task.kind == "coexisting":
        pairs = zip(target.T, probabilities.T, strict=True)
        found = tuple(fit_threshold(t, p, aim, sensitivity) for t, p in pairs)
        return Decision(found, aim, coexisting=True, sensitivity=sensitivity)
    if classes == 2:
        one = fit_threshold(target, probabilities[:, 1], aim, sensitivity)
        return Decision((one,), aim, sensitivity=sensitivity)
    if aim == "accuracy":
        return Decision((), aim)
    usual = (np.bincount(target, minlength=classes) + 1) / (len(target) + classes)
    return Decision(tuple((usual if aim == "balanced" else np.sqrt(usual)).tolist()), aim)


def fit_threshold(target: Classes, p: Numbers, aim: Aim, sensitivity: float = 0.0) -> float:
    """Choose the threshold of one probability on validation.

    Args:
        target: (N,) of 0 and 1.
        p: (N,) probability of 1.
        aim: As in `fit_decision`.
        sensitivity: Likewise.

    Returns:
        The threshold, in (0, 1): yes from there on. 0.5 where a side is missing, as nothing can be
        learnt from the other alone.

    Example:
        >>> p = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
        >>> round(fit_threshold((p > 0.5).astype(int), p, "balanced"), 2)
        0.5
    """
    _check(aim)
    target = np.asarray(target)
    if len(np.unique(target)) < 2:
        return 0.5
    z = np.asarray(logit(np.clip(p, CERTAIN, 1 - CERTAIN)), np.float64)
    trust = CURVE_EXAMS / (len(z) + CURVE_EXAMS)
    outcome = trust * _curve(target, z) + (1 - trust) * target
    width = max(float(z.std()) * len(z) ** (-1 / 3), 1e-3)
    grid = np.linspace(z.min() - 3 * width, z.max() + 3 * width, GRID)
    worth, kept = _worth(z, outcome, grid, width, aim)
    worth[(kept < sensitivity) & (grid > grid[0])] = -np.inf
    best = np.flatnonzero(worth >= worth.max() - 1e-9)
    return float(expit(grid[best[np.abs(grid[best]).argmin()]]))


def _curve(target: Classes, z: Numbers) -> Numbers:
    """Give the chance of 1 by a logistic curve of the logits."""
    task, both = Task(("no", "yes")), np.stack([np.zeros_like(z), z], axis=1)
    return fit_calibration(task, both, target, bias=True).apply(task, both)[:, 1]


def _worth(
    z: Numbers, outcome: Numbers, grid: Numbers, width: float, aim: Aim
) -> tuple[Numbers, Numbers]:
    """Say what each threshold of the grid, (G,), earns, and its sensitivity: a smeared step."""
    found, alarms = np.zeros(len(grid)), np.zeros(len(grid))
    for part in np.array_split(np.arange(len(z)), len(z) // 4096 + 1):
        yes = ndtr((z[part, None] - grid) / width)
        found += outcome[part] @ yes
        alarms += (1 - outcome[part]) @ yes
    positives = outcome.sum()
    negatives = len(z) - positives
    sensitivity = np.asarray(found / positives)
    if aim == "f1":
        return divide(2 * found, positives + found + alarms), sensitivity
    right = (found + negatives - alarms) / len(z)
    balanced = (sensitivity + 1 - alarms / negatives) / 2
    share = {"accuracy": 0.0, "between": 0.5, "balanced": 1.0}[aim]
    return np.asarray((1 - share) * right + share * balanced), sensitivity


def _check(aim: str) -> None:
    if aim not in get_args(Aim):
        raise SettingError(f"the aim is one of {', '.join(get_args(Aim))}, not {aim!r}")
