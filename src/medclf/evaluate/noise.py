"""Labels that may be wrong, by confident learning: where a network that never saw them disagrees.

A network is sure of some classes more than of others. It is confident of a class where it gives it
more than, on average, it gives the exams so labelled. An exam that is labelled otherwise, of which
it is confident, lies off the diagonal of the confident joint, and is to be looked at again.
It takes probabilities of exams that were not learnt from; from others it finds nothing.

Source: Northcutt, Jiang, Chuang. Confident Learning: Estimating Uncertainty in Dataset Labels.
JAIR 2021, equations 1 and 2, and section 3.2.
"""

from dataclasses import dataclass

import numpy as np

from medclf.evaluate.score import Classes, Numbers
from medclf.evaluate.table import Predictions

NEAR = 1e-6
UNREACHED = 2.0


@dataclass(frozen=True)
class Doubt:
    """A label to be looked at again.

    Args:
        row: Number of the exam.
        finding: Number of the class in doubt where findings coexist; else -1.
        given: Class of the label; where findings coexist 0 or 1.
        guess: What it seems to be instead, likewise.
        probability: Of the guess.
        margin: How much more likely the label is than the likeliest other: below 0.
    """

    row: int
    finding: int
    given: int
    guess: int
    probability: float
    margin: float


def doubt_labels(predictions: Predictions) -> tuple[Doubt, ...]:
    """Find the labels that may be wrong, the most doubtful first.

    Args:
        predictions: Of exams that were not learnt from; those without a label are passed over.
    """
    rows, p = np.flatnonzero(predictions.labelled), predictions.probabilities
    target = predictions.target
    if target.ndim == 1:
        found = _doubts(rows, -1, target[rows], p[rows])
    else:
        found = [
            doubt
            for k in range(p.shape[1])
            for doubt in _doubts(
                rows, k, target[rows, k], np.stack([1 - p[:, k], p[:, k]], 1)[rows]
            )
        ]
    return tuple(sorted(found, key=lambda doubt: (doubt.margin, doubt.row)))


def _confident_guess(target: Classes, p: Numbers) -> Classes:
    """Tell of which class the network is confident, -1 where of none: (N,).

    Where it is confident of several it is the likeliest of all.
    """
    usual = [
        max(float(p[target == k, k].mean()), NEAR) if (target == k).any() else UNREACHED
        for k in range(p.shape[1])
    ]
    sure = p >= np.array(usual) - NEAR
    guess = np.where(sure.sum(1) > 1, p.argmax(1), sure.argmax(1))
    return np.where(sure.any(1), guess, -1)


def _doubts(rows: Classes, finding: int, target: Classes, p: Numbers) -> list[Doubt]:
    if not len(rows):
        return []
    guess, own = _confident_guess(target, p), np.arange(len(target))
    given = p[own, target]
    others = p.copy()
    others[own, target] = -np.inf
    margin = given - others.max(1)
    return [
        Doubt(
            int(rows[i]), finding, int(target[i]), int(guess[i]), float(p[i, guess[i]]), margin[i]
        )
        for i in np.flatnonzero((guess >= 0) & (guess != target) & (margin < 0))
    ]
