"""The same classifier as a scikit-learn estimator over arrays.

It stands in pipelines, grid searches and `cross_val_predict` as any other, and trains by the same
loop as the command line: members side by side, validated on folds, calibrated on what each member
left out.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.errors import MedclfError
from medclf.learn.begin import expect_budget
from medclf.learn.fit import fit_run
from medclf.learn.recipe import Recipe, parse_recipe
from medclf.learn.run import create_run
from medclf.learn.trained import Held, Trained, load_trained
from medclf.look.augment import Augment
from medclf.prepare.intensity import HUGE


class ImageClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify pictures and volumes.

    Args:
        net: A body of `medclf.net.table`.
        minutes: Budget of a fit where `epochs` is None, wall clock.
        epochs: Passes over the exams, instead of a budget.
        folds: Members, 2 or more, each validated on the part that it leaves out; fewer where a
            class has fewer patients.
        augment: How far chance may change an exam in training; `None` for medclf's own choice.
        batch: Exams in a step.
        rate: Peak of the learning rate.
        random_state: Seed of all chance.

    Shape:
        X is (N, Y, X) or (N, Y, X, 1) for grey pictures, (N, Y, X, 3) for colour, (N, Z, Y, X) for
        volumes.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(40, 12, 12)).astype("float32")
        >>> x[20:, :6] += 2
        >>> model = ImageClassifier(epochs=2, folds=2, random_state=0).fit(x, [0] * 20 + [1] * 20)
        >>> model.predict_proba(x).shape
        (40, 2)
    """

    def __init__(
        self,
        net: str = "sprint",
        minutes: float = 0.5,
        epochs: int | None = None,
        folds: int = 3,
        augment: Augment | None = None,
        batch: int = 32,
        rate: float = 4e-3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.net = net
        self.minutes = minutes
        self.epochs = epochs
        self.folds = folds
        self.augment = augment
        self.batch = batch
        self.rate = rate
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: Sequence[object] | None = None
    ) -> "ImageClassifier":
        """Train.

        Args:
            X: Images, see the class.
            y: One label per image.
            groups: The patient of each image; images of one patient stand in one fold.

        Raises:
            ValueError: arrays do not fit each other, a setting does not fit, or a class has too
                few patients.
        """
        X, y = validate_data(self, X, y, dtype="numeric", ensure_2d=False, allow_nd=True)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"two classes or more wanted, found one class: {self.classes_[0]}")
        if not isinstance(self.folds, int | np.integer) or self.folds < 2:
            raise ValueError(f"2 folds or more wanted, found {self.folds!r}")
        if not isinstance(self.augment, Augment | None):
            raise ValueError(f"an Augment wanted, or None, found {self.augment!r}")
        values = _images(np.asarray(X))
        low, high = float(values.min()), float(values.max())
        if not high - low < HUGE:
            raise ValueError(f"values within float32 wanted, found {low:g} to {high:g}")
        self.range_ = (low, high if high > low else low + 1)
        patients = [str(p) for p in (range(len(labels)) if groups is None else groups)]
        if len(patients) != len(labels):
            raise ValueError(f"one group per image wanted: {len(labels)}, not {len(patients)}")
        try:
            self.trained_ = self._train(self._scaled(values), labels, patients)
        except MedclfError as problem:
            raise ValueError(str(problem)) from problem
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Give calibrated probabilities, (N, K), in the order of `classes_`."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype="numeric", ensure_2d=False, allow_nd=True, reset=False)
        values = _images(np.asarray(X))
        wanted = (self.trained_.recipe.prepare.channels, *self.trained_.recipe.prepare.size)
        if values.shape[1:] != wanted:
            raise ValueError(f"images of (C, *space) {wanted} wanted, found {values.shape[1:]}")
        trained: Trained = self.trained_
        shares, _ = trained.probabilities(Held(self._scaled(values)), np.arange(len(values)))
        return shares

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Give the likeliest class of each image."""
        likeliest = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[likeliest])

    def _scaled(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        low, high = self.range_
        return (values.astype(np.float32) - np.float32(low)) / np.float32(high - low)

    def _train(
        self, values: NDArray[np.float32], labels: NDArray[np.int64], patients: list[str]
    ) -> Trained:
        task = Task(tuple(str(name) for name in self.classes_))
        records = tuple(
            Record(f"{i:09d}", {}, patients[i], int(label), "train")
            for i, label in enumerate(labels)
        )
        cohort = Cohort(records, task, Path("arrays"))
        counts = [
            len({p for p, k in zip(patients, labels, strict=True) if k == c})
            for c in range(len(self.classes_))
        ]
        recipe = self._recipe(values, max(2, min(self.folds, *counts)))
        seconds = None if self.epochs else expect_budget(self.minutes) * 60
        with tempfile.TemporaryDirectory() as folder:
            run = create_run(Path(folder), recipe, cohort, {})
            return load_trained(fit_run(run, cohort, Held(values), seconds))

    def _recipe(self, values: NDArray[np.float32], folds: int) -> Recipe:
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        channels, *size = values.shape[1:]
        fit = {
            "members": folds,
            "folds": folds,
            "epochs": self.epochs or 0,
            "batch": self.batch,
            "rate": self.rate,
            "shift": 0.04,
            "seed": int(seed),
        }
        tables = {
            "prepare": {"size": size, "channels": channels},
            "augment": asdict(self.augment or Augment()),
            "net": {"name": self.net},
            "fit": fit,
            "decide": {"resamples": 100},
        }
        return parse_recipe(tables, "ImageClassifier")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags


def _images(X: NDArray[np.generic]) -> NDArray[np.generic]:
    """Give every image its axis of channels: (N, C, *space).

    Raises:
        ValueError: the array has another number of axes.
    """
    if X.ndim == 3:
        return X[:, None]
    if X.ndim == 4:
        return np.moveaxis(X, -1, 1) if X.shape[-1] in (1, 3) else X[:, None]
    wanted = "(N, Y, X), (N, Y, X, 1 or 3) or (N, Z, Y, X)"
    raise ValueError(f"images {wanted} wanted, found an array of {X.shape}")
