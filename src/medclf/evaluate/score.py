"""Scores as functions of arrays: how right, and how well the probabilities tell the chances.

Scores of decisions are read off a table of counts, (K, K) true by decided; scores of probabilities
are means over exams. Weights say how often each exam counts, and may have a second axis, (N, B):
then B answers come at once, which is how thousands of bootstrap samples are scored in seconds.

Source: Cohen. Weighted kappa. Psychological Bulletin 1968. Brier. Verification of forecasts
expressed in terms of probability. Monthly Weather Review 1950. Guo, Pleiss, Sun, Weinberger. On
Calibration of Modern Neural Networks. ICML 2017, equation 3.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Numbers = NDArray[np.float64]
Classes = NDArray[np.int64]

BINS = 15


def confusion(
    target: Classes, decided: Classes, classes: int, weights: Numbers | None = None
) -> Numbers:
    """Count how often each class was taken for each.

    Args:
        target: (N,) true class numbers.
        decided: (N,) class numbers decided on.
        classes: K.
        weights: (N, ...) how often each exam counts; once, by default.

    Returns:
        (K, K, ...) true by decided.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    weights = np.ones(len(target)) if weights is None else weights
    cells = sum_groups(np.asarray(target) * classes + decided, classes**2, weights)
    return cells.reshape(classes, classes, *weights.shape[1:])


def accuracy(table: Numbers) -> Numbers:
    """Divide what is right by all: (K, K, ...) -> (...)."""
    return divide(np.trace(table), table.sum((0, 1)))


def sensitivity(table: Numbers) -> Numbers:
    """Find the share of each class that is decided rightly, its recall: (K, K, ...) -> (K, ...)."""
    return divide(_right(table), table.sum(1))


def specificity(table: Numbers) -> Numbers:
    """Find the share of all other exams that is not taken for each class: -> (K, ...)."""
    others = table.sum((0, 1)) - table.sum(1)
    wrongly = table.sum(0) - _right(table)
    return divide(others - wrongly, others)


def precision(table: Numbers) -> Numbers:
    """Find the share of right ones among those that are taken for each class: -> (K, ...)."""
    return divide(_right(table), table.sum(0))


def f1(table: Numbers) -> Numbers:
    """Find the harmonic mean of precision and sensitivity of each class: -> (K, ...).

    It is nan for a class that is neither there nor ever decided on.
    """
    return divide(2 * _right(table), table.sum(0) + table.sum(1))


def balanced_accuracy(table: Numbers) -> Numbers:
    """Average the sensitivities of the classes that are there: (K, K, ...) -> (...)."""
    return mean_present(sensitivity(table))


def kappa(table: Numbers) -> Numbers:
    """Weigh disagreement by the squared distance of grades, against that of chance.

    Returns:
        (...) 1 for full agreement, 0 for that of chance; nan where only one grade occurs.
    """
    grade = np.arange(len(table))
    cost = np.square(grade[:, None] - grade).astype(np.float64)
    chance = np.einsum("i...,j...->ij...", table.sum(1), table.sum(0))
    found = np.einsum("ij,ij...->...", cost, table)
    return 1 - divide(found * table.sum((0, 1)), np.einsum("ij,ij...->...", cost, chance))


def log_losses(target: Classes, probabilities: Numbers) -> Numbers:
    """Find each exam's loss, -log of the probability of what is true, in nats.

    Where findings coexist it is the mean over them. Probabilities are held above 2.2e-16, as
    scikit-learn does, so that a false certainty costs 36 and not infinity.

    Shape:
        target (N,) or (N, K), probabilities (N, K) -> (N,)
    """
    tiny = np.finfo(np.float64).eps
    p = np.clip(probabilities, tiny, 1 - tiny)
    if target.ndim == 1:
        return np.asarray(-np.log(p[np.arange(len(p)), target]))
    return np.asarray(-np.log(np.where(target == 1, p, 1 - p)).mean(1))


def brier_losses(target: Classes, probabilities: Numbers) -> Numbers:
    """Find each exam's squared distance of the probabilities from the truth.

    Two exclusive classes: that of the positive class alone, from 0 to 1. More: the sum over the
    classes, from 0 to 2. Coexisting findings: the mean over them.

    Shape:
        target (N,) or (N, K), probabilities (N, K) -> (N,)
    """
    if target.ndim == 2:
        return np.asarray(np.square(probabilities - target).mean(1))
    truth = target[:, None] == np.arange(probabilities.shape[1])
    squares = np.square(probabilities - truth)
    return np.asarray(squares[:, 1] if squares.shape[1] == 2 else squares.sum(1))


def log_loss(target: Classes, probabilities: Numbers, weights: Numbers | None = None) -> Numbers:
    """Average `log_losses`; weights (N, ...) -> (...)."""
    return mean(log_losses(target, probabilities), weights)


def brier(target: Classes, probabilities: Numbers, weights: Numbers | None = None) -> Numbers:
    """Average `brier_losses`; weights (N, ...) -> (...)."""
    return mean(brier_losses(target, probabilities), weights)


def calibration_error(
    chance: Numbers, outcome: NDArray[np.generic], weights: Numbers | None = None
) -> Numbers:
    """Find the expected calibration error (ECE) over 15 bins of equal width.

    Args:
        chance: (N,) what was said: of two classes the probability of the positive one, of more
            classes that of the likeliest.
        outcome: (N,) whether it came true: the exam is positive, or the likeliest class is right.
        weights: (N, ...).

    Returns:
        (...) the mean distance between said and seen, bins weighed by their exams. It is never
        below 0, hence too large on the average in small samples.
    """
    weights = np.ones(len(chance)) if weights is None else weights
    bins = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    gap = sum_groups(bins, BINS, weights, np.asarray(outcome, np.float64) - chance)
    return divide(np.abs(gap).sum(0), weights.sum(0))


def chance_error(chance: Numbers) -> float:
    """Find the calibration error that chance alone makes, were every probability (N,) true.

    Each bin's gap is then nearly normal with mean 0, and its mean size sqrt(2 / pi) of its SD.
    """
    bins = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    spread = np.sqrt(np.bincount(bins, chance * (1 - chance), BINS))
    return float(np.sqrt(2 / np.pi) * spread.sum() / len(chance))


def sum_groups(
    group: Classes, groups: int, weights: Numbers, values: Numbers | None = None
) -> Numbers:
    """Sum weights, or weighted values, by group: (N,), (N, ...) -> (groups, ...)."""
    values = np.ones(len(group)) if values is None else np.asarray(values, np.float64)
    adder = csr_array((values, (group, np.arange(len(group)))), shape=(groups, len(group)))
    return np.asarray(adder @ weights)


def mean(values: Numbers, weights: Numbers | None = None) -> Numbers:
    """Average values (N,) under weights (N, ...), with nan where no exam counts."""
    weights = np.ones(len(values)) if weights is None else weights
    return divide(np.asarray(values @ weights), weights.sum(0))


def mean_present(values: Numbers) -> Numbers:
    """Average over the first axis, leaving out nan; nan where nothing is left."""
    there = np.isfinite(values)
    return divide(np.where(there, values, 0).sum(0), there.sum(0))


def divide(above: Numbers, below: NDArray[np.generic]) -> Numbers:
    """Divide, with nan where there is nothing to divide by."""
    empty = np.full(np.broadcast_shapes(np.shape(above), np.shape(below)), np.nan)
    return np.asarray(np.divide(above, below, out=empty, where=np.asarray(below) > 0))


def _right(table: Numbers) -> Numbers:
    """The diagonal, with classes first: (K, K, ...) -> (K, ...)."""
    return np.asarray(np.einsum("ii...->i...", table))
