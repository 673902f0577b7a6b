"""Figures: every score of a sample with its 95 % interval.

Proportions and means of losses get theirs in closed form, all else from one bootstrap by patient
that scores everything on the same samples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.evaluate.bootstrap import held_by, patient_weights
from medclf.evaluate.interval import (
    Figure,
    area,
    average,
    calibration,
    loss,
    overlap,
    proportion,
    share,
    symmetric_share,
)
from medclf.evaluate.measure import AVERAGED, EACH, Measure
from medclf.evaluate.ranking import indicators
from medclf.evaluate.score import Numbers, chance_error
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

RESAMPLES = 2000


@dataclass(frozen=True)
class Figures:
    """Scores by name: of the whole sample, and of each class in turn."""

    whole: dict[str, Figure]
    each: dict[str, tuple[Figure, ...]]


def find_figures(
    predictions: Predictions, decision: Decision, seed: int = 0, resamples: int = RESAMPLES
) -> Figures:
    """Score predictions; see `Measure` for what each name means.

    Args:
        predictions: Exams without a label are left out.
        decision: How probabilities become classes.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.

    Raises:
        CohortError: no exam has a label.
    """
    measure = Measure(predictions, decision)
    patients = measure.predictions.patients
    drawn = [measure(w) for w in patient_weights(patients, measure.strata, resamples, seed)]
    whole = {name: np.concatenate([d.whole[name] for d in drawn]) for name in drawn[0].whole}
    each = {name: np.concatenate([d.each[name] for d in drawn], axis=1) for name in EACH}
    by_class = _by_class(measure, each)
    return Figures(_whole(measure, by_class, whole, each), by_class)


def _by_class(measure: Measure, drawn: dict[str, Numbers]) -> dict[str, tuple[Figure, ...]]:
    patients = measure.predictions.patients
    _, whose = np.unique(patients, return_inverse=True)
    sides, said = measure.sides, indicators(measure.decided, measure.classes)
    with_it, without = held_by(whose, sides).sum(0), held_by(whose, ~sides).sum(0)
    rarer = np.minimum(with_it, without)
    found, each = measure().each, range(measure.classes)

    either = (sides | said).T

    def parts(of: NDArray[np.bool_], right: NDArray[np.bool_]) -> tuple[Figure, ...]:
        return tuple(proportion(right[of[:, k], k], patients[of[:, k]]) for k in each)

    def bounded(name: str, k: int) -> Figure:
        bound = area if name == "auc" else share
        return bound(float(found[name][k]), drawn[name][k], int(rarer[k]))

    ranked = ("auc", "average_precision")
    return {name: tuple(bounded(name, k) for k in each) for name in ranked} | {
        "f1": tuple(overlap((sides & said)[of, k], patients[of]) for k, of in enumerate(either)),
        "sensitivity": parts(sides, said),
        "specificity": parts(~sides, ~said),
        "precision": parts(said, sides),
    }


def _whole(
    measure: Measure,
    by_class: dict[str, tuple[Figure, ...]],
    whole: dict[str, Numbers],
    each: dict[str, Numbers],
) -> dict[str, Figure]:
    found, patients = measure().whole, measure.predictions.patients
    people, whose = np.unique(patients, return_inverse=True)
    figures = {"accuracy": proportion(measure.hits, patients)}
    figures["balanced_accuracy"] = _balanced(measure, by_class, each)
    for name in EACH if measure.both or measure.binary else AVERAGED:
        classes = by_class[name]
        figures[name] = classes[1] if measure.binary else average(classes, each[name])
    if "kappa" in found:
        rarest = int(min(n for n in held_by(whose, measure.sides).sum(0) if n))
        figures["kappa"] = symmetric_share(float(found["kappa"]), whole["kappa"], rarest)
    figures |= {name: loss(losses, patients) for name, losses in measure.losses.items()}
    chance = float(np.mean([chance_error(said) for said, _ in measure.said_and_seen()]))
    figures["ece"] = calibration(float(found["ece"]), whole["ece"], len(people), chance)
    return figures


def _balanced(
    measure: Measure, by_class: dict[str, tuple[Figure, ...]], each: dict[str, Numbers]
) -> Figure:
    """Average the sensitivities; of findings, the mean of sensitivity and specificity.

    A finding that lacks one of the two has no such mean, and is left out.
    """
    yes, drawn = by_class["sensitivity"], each["sensitivity"]
    if not measure.both:
        return average(yes, drawn)
    both = np.stack([drawn, each["specificity"]])
    pairs = zip(yes, by_class["specificity"], strict=True)
    means = [
        average(pair, both[:, k])
        if all(np.isfinite(figure.value) for figure in pair)
        else Figure(np.nan)
        for k, pair in enumerate(pairs)
    ]
    return average(means, both.mean(0))
