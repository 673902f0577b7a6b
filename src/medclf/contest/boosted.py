"""Gradient-boosted trees over features: the classical judge that a network has to surpass.

Where findings coexist each has its own trees. How many rounds of boosting are good is seen on
validation, round by round; the trees are then grown again with that number.

Source: Friedman. Greedy function approximation: a gradient boosting machine. Annals of Statistics
2001; scikit-learn's histogram form, after Ke et al. LightGBM. NeurIPS 2017.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from medclf.core.task import Task
from medclf.evaluate.score import Classes, Numbers, log_losses

Features = NDArray[np.float32]

RATE = 0.1
FEWEST_EXAMS = 20  # in a leaf, where there are enough
MOST_TREES = 2000  # of a model, as each class has its own in each round
SURE = 1e-6  # what a class that was never seen keeps


@dataclass(frozen=True)
class Trees:
    """How trees are grown.

    Args:
        leaves: Of a tree, at most.
        rounds: Of boosting.
        balanced: Whether rare classes weigh more.
        seed: All chance comes from it.
    """

    leaves: int = 15
    rounds: int = 200
    balanced: bool = False
    seed: int = 0


def fit_rounds(task: Task, trees: Trees) -> Trees:
    """Bound the rounds where classes are so many that growing them would take too long.

    Example:
        >>> fit_rounds(Task(tuple(map(str, range(40)))), Trees(rounds=200)).rounds
        50
    """
    return replace(trees, rounds=min(trees.rounds, max(1, MOST_TREES // len(task.classes))))


class Boosted:
    """Trees grown for a task of any kind.

    Args:
        task: What is decided.
        trees: How they grow.
        features: (N, F) of the exams that are learnt from.
        target: (N,) class numbers, or (N, K) of 0 and 1 where findings coexist.
    """

    def __init__(self, task: Task, trees: Trees, features: Features, target: Classes) -> None:
        self.both, self.trees = task.kind == "coexisting", trees
        columns = list(target.T) if self.both else [target]
        classes = 2 if self.both else len(task.classes)
        self.models = [_Model(trees, classes, features, column) for column in columns]

    def probabilities(self, features: Features) -> Numbers:
        """Judge exams: (N, F) -> (N, K)."""
        return self._join([model.probabilities(features) for model in self.models])

    def best_rounds(self, features: Features, target: Classes) -> tuple[int, float]:
        """Find after how many rounds exams are judged best, and the log loss there."""
        stages = zip(*(model.stages(features) for model in self.models), strict=True)
        losses = [float(log_losses(target, self._join(list(each))).mean()) for each in stages]
        best = int(np.argmin(losses))
        return best + 1, losses[best]

    def _join(self, tables: list[Numbers]) -> Numbers:
        return np.stack([p[:, 1] for p in tables], axis=1) if self.both else tables[0]


class _Model:
    """Trees that tell some classes apart; what they never saw is next to impossible."""

    def __init__(self, trees: Trees, classes: int, features: Features, target: Classes) -> None:
        self.classes, self.rounds, self.seen = classes, trees.rounds, np.unique(target)
        self.model: Any = None
        if len(self.seen) > 1:
            self.model = HistGradientBoostingClassifier(
                learning_rate=RATE,
                max_iter=trees.rounds,
                max_leaf_nodes=trees.leaves,
                min_samples_leaf=min(FEWEST_EXAMS, 1 + len(target) // FEWEST_EXAMS),
                early_stopping=False,
                class_weight="balanced" if trees.balanced else None,
                random_state=trees.seed,
            ).fit(features, target)

    def probabilities(self, features: Features) -> Numbers:
        """Judge exams: (N, F) -> (N, classes)."""
        if self.model is None:
            return self._spread(np.ones((len(features), 1)))
        return self._spread(self.model.predict_proba(features))

    def stages(self, features: Features) -> Iterator[Numbers]:
        """Judge exams after each round."""
        if self.model is None:
            yield from (self.probabilities(features) for _ in range(self.rounds))
        else:
            yield from map(self._spread, self.model.staged_predict_proba(features))

    def _spread(self, given: Numbers) -> Numbers:
        """Give every class its column: (N, seen) -> (N, classes)."""
        table = np.full((len(given), self.classes), SURE)
        table[:, self.seen] += given
        return np.asarray(table / table.sum(1, keepdims=True))
