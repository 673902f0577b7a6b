"""Areas under curves: how well a score puts the positive exams above the negative ones.

The area under the ROC curve is the share of pairs, one positive and one negative exam, in which
the positive one scores higher, a tie counting half. Only the places of negatives among positives
matter: each exam is put once into a bin between the distinct scores of the positives; after that,
any weights are judged by summing bins, with no further sorting.

Source: Hanley, McNeil. The meaning and use of the area under a receiver operating characteristic
curve. Radiology 1982. Average precision without interpolation as in scikit-learn.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from medclf.core.task import Task
from medclf.evaluate.score import Classes, Numbers, divide, mean_present


class Ranking:
    """The order of exams by one score, ready to be judged under many weights.

    Args:
        positive: (N,) which exams are positive.
        score: (N,) larger means more likely positive.

    Example:
        >>> Ranking(np.array([False, True, True]), np.array([0.2, 0.2, 0.9])).areas()[0].item()
        0.75
    """

    def __init__(self, positive: NDArray[np.generic], score: Numbers) -> None:
        positive = np.asarray(positive, np.bool_)
        levels = np.unique(score[positive])
        self.levels = len(levels)
        place = np.searchsorted(levels, score)
        tied = np.append(levels, np.nan)[place] == score
        # Rows: negatives under each level and above the highest; negatives on it; positives on it.
        row = place + tied * (self.levels + 1) + positive * self.levels
        ones = np.ones(len(score))
        shape = (3 * self.levels + 1, len(score))
        self.bins = csr_array((ones, (row, np.arange(len(score)))), shape=shape)

    def areas(self, weights: Numbers | None = None) -> tuple[Numbers, Numbers]:
        """Find the area under the ROC curve and the average precision.

        Args:
            weights: (N, ...) how often each exam counts; once, by default.

        Returns:
            Two of shape (...): nan where positives are missing; the first also where negatives are.
        """
        weights = np.ones(self.bins.shape[1]) if weights is None else weights
        sums = np.asarray(self.bins @ weights)
        under, tied, found = np.split(sums, [self.levels + 1, 2 * self.levels + 1])
        positives, negatives = found.sum(0), under.sum(0) + tied.sum(0)
        below = np.cumsum(under[:-1] + tied, axis=0) - tied
        won = (found * (below + tied / 2)).sum(0)
        hits = positives - np.cumsum(found, axis=0) + found
        said = hits + negatives - below
        share = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
        return divide(won, positives * negatives), divide((found * share).sum(0), positives)


def auc(target: NDArray[np.generic], score: Numbers, weights: Numbers | None = None) -> Numbers:
    """Find the area under the ROC curve of one score; nan where a side is missing.

    Shape:
        target (N,) of 0 and 1, score (N,), weights (N, ...) -> (...)
    """
    return Ranking(np.asarray(target) == 1, score).areas(weights)[0]


def average_precision(
    target: NDArray[np.generic], score: Numbers, weights: Numbers | None = None
) -> Numbers:
    """Average the precision over the positives, from the highest score down.

    Shape:
        target (N,) of 0 and 1, score (N,), weights (N, ...) -> (...)
    """
    return Ranking(np.asarray(target) == 1, score).areas(weights)[1]


def macro_auc(target: Classes, probabilities: Numbers, weights: Numbers | None = None) -> Numbers:
    """Average the areas of each class against the rest, or of each finding.

    A class that is missing, or that all exams have, is left out; nan where none is left.

    Shape:
        target (N,) or (N, K), probabilities (N, K), weights (N, ...) -> (...)
    """
    sides = indicators(target, probabilities.shape[1])
    return mean_present(
        np.stack([auc(sides[:, k], probabilities[:, k], weights) for k in range(sides.shape[1])])
    )


def indicators(target: Classes, classes: int) -> NDArray[np.bool_]:
    """Say of each exam and class whether it is true: (N,) or (N, K) -> (N, K)."""
    return np.asarray(target == 1 if target.ndim == 2 else target[:, None] == np.arange(classes))


def all_sides(task: Task, sides: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add to `indicators` the other side of each finding, which a sample must hold too.

    Returns:
        (N, K), or (N, 2 K) where findings coexist: each, then the absence of each.
    """
    return np.hstack([sides, ~sides]) if task.kind == "coexisting" else sides
