"""The classical entries: features that nobody learns by gradient descent, and boosted trees.

PCA describes an image by its most common patterns, HOG by its edges. Either goes to gradient
boosting; how many patterns, leaves and rounds is chosen on validation, within the budget.

Source: Turk, Pentland. Eigenfaces for Recognition. Journal of Cognitive Neuroscience 1991 (PCA);
see `hog` and `boosted` for the others.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from medclf.contest.boosted import Boosted, Features, Trees
from medclf.contest.hog import describe_edges
from medclf.core.task import Task
from medclf.evaluate.score import Classes, Numbers

Values = NDArray[np.generic]

FAMILY = "Classical"
CLASSICAL = {"pca": "PCA and gradient boosting", "hog": "HOG and gradient boosting"}
PATTERNS = (48, 16, 128)
LEAVES = (15, 5)
MOST_VALUES = 4096  # of an image that PCA looks at; larger images are averaged in blocks


@dataclass(frozen=True)
class Setting:
    """What is chosen on validation.

    Args:
        trees: How trees grow.
        patterns: Principal components; 0 where there are none.
    """

    trees: Trees
    patterns: int = 0

    def __str__(self) -> str:
        shown = f"{self.patterns} components, " if self.patterns else ""
        return f"{shown}{self.trees.rounds} rounds, {self.trees.leaves} leaves"


class Classical:
    """A classical judge that has learnt.

    Args:
        name: "pca" or "hog".
        task: What is decided.
        setting: How.
        features: (N, F) of the exams learnt from, as `describe` gives them.
        target: Their labels.
    """

    def __init__(
        self, name: str, task: Task, setting: Setting, features: Features, target: Classes
    ) -> None:
        self.name, self.pca = name, None
        if setting.patterns:
            most = min(features.shape) - 1
            patterns = max(1, min(setting.patterns, most))
            self.pca = PCA(patterns, svd_solver="randomized", random_state=setting.trees.seed)
            self.pca.fit(features)
        self.boosted = Boosted(task, setting.trees, self._reduce(features), target)

    def judge(self, features: Features) -> Numbers:
        """Judge described exams: (N, F) -> (N, K)."""
        return self.boosted.probabilities(self._reduce(features))

    def best_rounds(self, features: Features, target: Classes) -> tuple[int, float]:
        """Find after how many rounds exams are judged best, and the log loss there."""
        return self.boosted.best_rounds(self._reduce(features), target)

    def _reduce(self, features: Features) -> Features:
        return features if self.pca is None else np.asarray(self.pca.transform(features))


def describe(name: str, values: Values) -> Features:
    """Describe prepared images by numbers: (N, C, *space) -> (N, F)."""
    return describe_edges(values) if name == "hog" else _pixels(values)


def choose_setting(
    name: str,
    task: Task,
    start: Trees,
    training: tuple[Features, Classes],
    validation: tuple[Features, Classes],
    in_time: Callable[[], bool],
) -> Setting:
    """Try settings and keep the one with the least log loss on validation.

    Args:
        name: "pca" or "hog".
        task: What is decided.
        start: Trees as they grow if nothing is changed; `rounds` are the most that are tried.
        training: Features and labels learnt from.
        validation: Features and labels chosen by.
        in_time: Whether there is time for a further one; the first is always tried.
    """
    tried: list[tuple[float, int, Setting]] = []
    for leaves, patterns in product(LEAVES, PATTERNS if name == "pca" else (0,)):
        if tried and not in_time():
            break
        setting = Setting(replace(start, leaves=leaves), patterns)
        rounds, loss = Classical(name, task, setting, *training).best_rounds(*validation)
        best = replace(setting, trees=replace(setting.trees, rounds=rounds))
        tried.append((loss, len(tried), best))
    return min(tried)[-1]


def deadline_after(seconds: float) -> Callable[[], bool]:
    """Make a question that is answered by yes until so many seconds have gone."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def _pixels(values: Values) -> Features:
    """Flatten images, averaged in blocks where they are large."""
    dims, samples = values.ndim - 2, int(np.prod(values.shape[1:]))
    block = max(1, int(np.ceil((samples / MOST_VALUES) ** (1 / dims))))
    found = values.astype(np.float32)
    for axis, extent in enumerate(values.shape[2:], start=2):
        starts = np.arange(0, extent, block)
        found = np.add.reduceat(found, starts, axis=axis)
        shape = [-1 if a == axis else 1 for a in range(values.ndim)]
        found /= np.diff(starts, append=extent).astype(np.float32).reshape(shape)
    return found.reshape(len(values), -1)
