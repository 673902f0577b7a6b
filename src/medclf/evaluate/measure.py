"""All scores of one set of predictions, for any weights of its exams.

What does not hang on the weights (the order of exams by each probability, the losses, the bins) is
worked out once; a bootstrap then costs a few sums per sample. The same code with all weights 1
gives the score itself, so that a score and its interval never speak of two things.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.errors import CohortError, SettingError
from medclf.evaluate.ranking import Ranking, all_sides, indicators
from medclf.evaluate.score import (
    Numbers,
    accuracy,
    balanced_accuracy,
    brier_losses,
    calibration_error,
    confusion,
    f1,
    kappa,
    log_losses,
    mean,
    mean_present,
    precision,
    sensitivity,
    specificity,
)
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

AVERAGED = ("auc", "average_precision", "f1")
EACH = (*AVERAGED, "sensitivity", "specificity", "precision")


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores under weights (N, ...): `whole` of shape (...) each, `each` (K, ...) by class."""

    whole: dict[str, Numbers]
    each: dict[str, Numbers]


class Measure:
    """Score predictions under weights.

    With two exclusive classes, `auc`, `average_precision`, `f1`, `sensitivity`, `specificity` and
    `precision` are those of the second, positive one. With more, the first three are means over the
    classes, leaving out any that the sample lacks; with coexisting findings all six are. The
    `accuracy` of findings is the share of right answers among all; their `balanced_accuracy` is the
    mean of sensitivity and specificity, averaged over the findings that have both. `kappa` is of
    ranked classes only.

    Args:
        predictions: Exams without a label are left out.
        decision: How probabilities become classes.

    Raises:
        CohortError: no exam has a label.
        SettingError: the decision is of another kind of task.
    """

    def __init__(self, predictions: Predictions, decision: Decision) -> None:
        if not predictions.labelled.any():
            raise CohortError("scores need labelled exams, and none has a label")
        self.predictions = predictions = predictions.select(predictions.labelled)
        self.task, self.target = predictions.task, predictions.target
        self.classes = len(self.task.classes)
        self.both = self.task.kind == "coexisting"
        self.binary = self.classes == 2 and not self.both
        p = predictions.probabilities
        self.decided = decision.decide(p)
        if self.decided.shape != self.target.shape:
            raise SettingError(f"the decision must be made for {self.task.kind} classes")
        self.sides = indicators(self.target, self.classes)
        self.rankings = [Ranking(self.sides[:, k], p[:, k]) for k in range(self.classes)]
        self.losses = {
            "log_loss": log_losses(self.target, p),
            "brier": brier_losses(self.target, p),
        }

    @property
    def hits(self) -> Numbers:
        """Whether each exam is decided rightly, or the share of its findings that are: (N,)."""
        right = np.asarray(self.decided == self.target, np.float64)
        return right.mean(1) if self.both else right

    @property
    def strata(self) -> NDArray[np.bool_]:
        """What every bootstrap sample must hold: each class, each finding and its absence."""
        return all_sides(self.task, self.sides)

    def __call__(self, weights: Numbers | None = None) -> Measured:
        """Find all scores under weights (N, ...), by default once each exam."""
        weights = np.ones(len(self.target)) if weights is None else weights
        areas = [ranking.areas(weights) for ranking in self.rankings]
        each = dict(zip(EACH[:2], (np.stack(a) for a in zip(*areas, strict=True)), strict=True))
        whole = self._findings(weights, each) if self.both else self._exclusive(weights, each)
        if self.binary:
            whole |= {name: each[name][1] for name in EACH}
        else:
            whole |= {name: mean_present(each[name]) for name in (EACH if self.both else AVERAGED)}
        whole |= {name: mean(losses, weights) for name, losses in self.losses.items()}
        whole["ece"] = self._calibration(weights)
        return Measured(whole, each)

    def _exclusive(self, weights: Numbers, each: dict[str, Numbers]) -> dict[str, Numbers]:
        table = confusion(self.target, self.decided, self.classes, weights)
        each |= _by_class(table)
        whole = {"accuracy": accuracy(table), "balanced_accuracy": balanced_accuracy(table)}
        if self.task.kind == "ranked":
            whole["kappa"] = kappa(table)
        return whole

    def _findings(self, weights: Numbers, each: dict[str, Numbers]) -> dict[str, Numbers]:
        columns = zip(self.target.T, self.decided.T, strict=True)
        tables = np.stack([confusion(true, said, 2, weights) for true, said in columns], axis=2)
        each |= {name: found[1] for name, found in _by_class(tables).items()}
        balanced = (each["sensitivity"] + each["specificity"]) / 2
        return {
            "accuracy": mean_present(accuracy(tables)),
            "balanced_accuracy": mean_present(balanced),
        }

    def _calibration(self, weights: Numbers) -> Numbers:
        pairs = self.said_and_seen()
        return mean_present(np.stack([calibration_error(p, y, weights) for p, y in pairs]))

    def said_and_seen(self) -> list[tuple[Numbers, NDArray[np.bool_]]]:
        """Pair the probabilities that calibration is judged by with what came true: (N,) each.

        One pair, of the positive class or of the likeliest; where findings coexist one for each.
        """
        p = self.predictions.probabilities
        if self.both or self.binary:
            columns = range(self.classes) if self.both else (1,)
            return [(p[:, k], self.sides[:, k]) for k in columns]
        return [(p.max(1), p.argmax(1) == self.target)]


def _by_class(table: Numbers) -> dict[str, Numbers]:
    return {
        "sensitivity": sensitivity(table),
        "specificity": specificity(table),
        "precision": precision(table),
        "f1": f1(table),
    }
