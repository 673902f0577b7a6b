"""Several judges of the same exams become one: by their mean, by weights, or by stacking.

Weights are at least 0, sum to 1, and are the likeliest of a mixture: each step of the expectation
maximisation gives a judge the mean share of its part in what came true. Stacking puts a logistic
curve through the logits of all judges. Which way is taken is decided on validation: each is fitted
to four fifths of the patients, calibrated, and judged by log loss on the fifth that is left out, in
turn; of ways that differ by less than chance, by patient, the simplest is taken.

Source: Dempster, Laird, Rubin. Maximum Likelihood from Incomplete Data. JRSS B 1977 (mixtures);
Wolpert. Stacked Generalization. Neural Networks 5, 1992; Breiman, Friedman, Olshen, Stone.
Classification and Regression Trees. 1984, section 3.4.3 (one standard error).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.evaluate.calibrate import fit_calibration, inverse_link
from medclf.evaluate.interval import clustered_error
from medclf.evaluate.score import Classes, Numbers, log_losses
from medclf.evaluate.table import Predictions

Way = Literal["mean", "weights", "stacking"]
WAYS: tuple[Way, ...] = get_args(Way)

FOLDS = 5
ROUNDS = 500
STRENGTH = 0.1  # of stacking: the inverse of how strongly its lines are held back
NEVER = -30.0  # the logit of a class that no exam shows
SMALLEST = 1e-12
FARTHEST = 10.0  # a surer logit says no more to the lines


@dataclass(frozen=True)
class Combination:
    """How the answers of several judges become one.

    Args:
        way: "mean", "weights" or "stacking".
        weights: Of each judge in the mean; what is stacked has none.
        lines: Of stacking: for each logit a weight for each logit of each judge, and a bias last.
    """

    way: Way
    weights: tuple[float, ...] = ()
    lines: tuple[tuple[float, ...], ...] = ()

    def apply(self, task: Task, shares: Numbers) -> Numbers:
        """Combine probabilities: (judges, N, K) -> (N, K).

        An exclusive class that every judge ruled out, with 0, stays so.
        """
        if self.way != "stacking":
            return np.asarray(np.einsum("j,jnk->nk", self.weights, shares))
        lines = np.array(self.lines)
        given = task.probabilities(_logits(task, shares) @ lines[:, :-1].T + lines[:, -1])
        if task.kind != "exclusive":
            return given
        given = np.where((shares > 0).any(0), given, 0.0)
        return np.asarray(given / given.sum(1, keepdims=True))

    def spread(self, shares: Numbers, spreads: Numbers) -> Numbers:
        """Tell how far judges and their own views differ: (judges, N, K), twice -> (N, K)."""
        weights = self.weights or (1 / len(shares),) * len(shares)
        mean = np.einsum("j,jnk->nk", weights, shares)
        square = np.einsum("j,jnk->nk", weights, spreads**2 + (shares - mean) ** 2)
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))


def fit_combination(way: Way, task: Task, target: Classes, shares: Numbers) -> Combination:
    """Fit one way of combining to exams.

    Args:
        way: Which.
        task: The classes.
        target: (N,) class numbers or (N, K) of 0 and 1.
        shares: (judges, N, K) probabilities by judges that did not learn from these exams.

    Raises:
        SettingError: the way is unknown.
    """
    judges = len(shares)
    if way == "mean":
        return Combination(way, (1 / judges,) * judges)
    if way == "weights":
        return Combination(way, tuple(_weights(_came_true(target, shares)).tolist()))
    if way != "stacking":
        raise SettingError(f"judges are joined by {', '.join(WAYS)}, not by {way!r}")
    lines = _lines(task, target, _logits(task, shares))
    return Combination(way, lines=tuple(tuple(line) for line in lines.tolist()))


def choose_way(found: Predictions, shares: Numbers, seed: int) -> tuple[Way, Mapping[Way, float]]:
    """Choose how judges are joined, by what is left out of each fit.

    Args:
        found: Validation exams, with their labels and patients.
        shares: (judges, N, K).
        seed: Deals patients into folds.

    Returns:
        The way, and the log loss of each on exams that it was not fitted to; "mean" and no loss
        where all exams are of one patient.
    """
    people, whose = np.unique(found.patients, return_inverse=True)
    if len(people) < 2:
        return "mean", {}
    fold = np.random.default_rng(seed).permutation(len(people))[whose] % min(FOLDS, len(people))
    losses = {way: np.zeros(len(found)) for way in WAYS}
    for way, number in ((way, number) for way in WAYS for number in np.unique(fold)):
        away, rest = fold == number, fold != number
        task, target = found.task, found.target
        fitted = fit_combination(way, task, target[rest], shares[:, rest])
        learnt = inverse_link(task, fitted.apply(task, shares[:, rest]))
        sure = fit_calibration(task, learnt, target[rest], bias=False)
        given = sure.mend(task, fitted.apply(task, shares[:, away]))
        losses[way][away] = log_losses(target[away], given)
    means = {way: float(each.mean()) for way, each in losses.items()}
    best = min(WAYS, key=means.__getitem__)
    for way in WAYS:  # the simplest first
        worse = losses[way] - losses[best]
        if worse.mean() <= clustered_error(worse, found.patients):
            return way, means
    return best, means


def _came_true(target: Classes, shares: Numbers) -> Numbers:
    """Give how likely each judge held what came true: (answers, judges)."""
    if target.ndim == 1:
        return shares[:, np.arange(len(target)), target].T
    held = np.where(target > 0, shares, 1 - shares)
    return held.reshape(len(shares), -1).T


def _weights(held: Numbers) -> Numbers:
    """Find the likeliest shares of a mixture: (answers, judges) -> (judges,)."""
    held = np.maximum(held, SMALLEST)
    weights = np.full(held.shape[1], 1 / held.shape[1])
    for _ in range(ROUNDS):
        parts = weights * held
        weights = (parts / parts.sum(1, keepdims=True)).mean(0)
    return np.asarray(weights / weights.sum())


def _logits(task: Task, shares: Numbers) -> Numbers:
    """Put the logits of all judges side by side: (judges, N, K) -> (N, judges * outputs)."""
    logits = inverse_link(task, shares)
    if task.kind == "exclusive":
        logits = logits - logits.mean(-1, keepdims=True)
    return np.concatenate(list(np.clip(logits, -FARTHEST, FARTHEST)), axis=1)


def _lines(task: Task, target: Classes, x: Numbers) -> Numbers:
    """Fit a line for each logit: (N, F) -> (outputs, F + 1).

    A finding, or a step between grades, looks at what the judges say of itself alone.
    """
    outputs = task.outputs
    if task.kind == "exclusive":
        return _curve(x, target, outputs)
    lines = np.zeros((outputs, x.shape[1] + 1))
    for k in range(outputs):
        own = np.arange(k, x.shape[1], outputs)
        yes = target[:, k] if target.ndim == 2 else (target > k).astype(np.int64)
        no, line = _curve(x[:, own], yes, 2)
        lines[k, [*own, -1]] = line - no
    return lines


def _curve(x: Numbers, answer: Classes, classes: int) -> NDArray[np.float64]:
    """Fit a logistic curve: (N, F), (N,) -> (classes, F + 1), the bias last."""
    from sklearn.linear_model import LogisticRegression

    lines = np.zeros((classes, x.shape[1] + 1))
    lines[:, -1] = NEVER
    seen = np.unique(answer)
    if len(seen) == 1:
        lines[seen[0], -1] = 0.0
        return lines
    model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(x, answer)
    fitted = np.column_stack([model.coef_, model.intercept_])
    lines[seen] = np.concatenate([-fitted, fitted]) / 2 if len(seen) == 2 else fitted
    return lines
