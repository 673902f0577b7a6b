"""Exams that are asked for some classes only, as those of one data set of several, score alone.

A class that all of them were ruled out of, with a probability of 0, is no class of theirs.
"""

from dataclasses import replace

import numpy as np

from medclf.core.task import Task
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision


def narrow(predictions: Predictions, decision: Decision) -> tuple[Predictions, Decision]:
    """Leave out exclusive classes that no exam has and that every exam was ruled out of.

    Returns:
        The predictions among the classes that are left, and the decision that decides alike.
    """
    task, p = predictions.task, predictions.probabilities
    if task.kind != "exclusive" or not task.sets:
        return predictions, decision
    there = np.bincount(predictions.target[predictions.labelled], minlength=len(task.classes))
    kept = np.flatnonzero((p > 0).any(0) | (there > 0))
    if len(kept) < 2 or len(kept) == len(task.classes):
        return predictions, decision
    place = np.full(len(task.classes) + 1, -1)  # the last stands for no label
    place[kept] = np.arange(len(kept))
    total = p[:, kept].sum(1, keepdims=True)
    narrowed = replace(
        predictions,
        task=Task(tuple(task.classes[k] for k in kept)),
        target=place[predictions.target],
        probabilities=p[:, kept] / np.where(total > 0, total, 1.0),
        spread=predictions.spread[:, kept],
    )
    return narrowed, replace(decision, thresholds=_thresholds(decision, kept.tolist()))


def _thresholds(decision: Decision, kept: list[int]) -> tuple[float, ...]:
    """Keep the thresholds of some classes; of two, the one share that says the same."""
    if not decision.thresholds:
        return ()
    own = tuple(decision.thresholds[k] for k in kept)
    return (own[1] / sum(own),) if len(own) == 2 else own
