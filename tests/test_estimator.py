"""scikit-learn's own checks, as far as they apply to images, and its tools around our estimator."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from medclf import ImageClassifier


class RowsAsImages(ImageClassifier):
    """Takes scikit-learn's tables of numbers, each row an image one sample high."""

    def fit(self, X, y, groups=None):
        return super().fit(self._as_images(X, reset=True), y, groups)

    def predict_proba(self, X):
        check_is_fitted(self)
        return super().predict_proba(self._as_images(X, reset=False))

    def _as_images(self, X, reset):
        return validate_data(self, X, reset=reset)[:, None, :]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


@parametrize_with_checks([RowsAsImages(epochs=5, folds=2, batch=16, random_state=0)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits(return_X_y=True)
    chosen = labels < 3
    return images[chosen].reshape(-1, 8, 8).astype(np.float32), labels[chosen]


def test_digits_are_told_apart_by_their_names(digits):
    images, labels = digits[0], np.array(["zero", "one", "two"])[digits[1]]
    model = ImageClassifier(epochs=8, folds=2, random_state=0).fit(images[:400], labels[:400])
    assert list(model.classes_) == ["one", "two", "zero"]
    assert model.score(images[400:], labels[400:]) > 0.9
    assert model.predict_proba(images[400:]).sum(1) == pytest.approx(1)


def test_it_works_inside_cross_val_predict_and_calibration(digits):
    images, labels = digits[0][:150], digits[1][:150]
    model = ImageClassifier(epochs=3, folds=2, random_state=0)
    patients = np.arange(len(labels)) // 2
    shares = cross_val_predict(
        model, images, labels, cv=GroupKFold(2), groups=patients, method="predict_proba"
    )
    assert shares.shape == (150, 3)
    calibrated = CalibratedClassifierCV(clone(model), cv=2).fit(images, labels)
    assert calibrated.predict_proba(images).shape == (150, 3)


def test_colour_and_volumes():
    rng = np.random.default_rng(0)
    for shape in ((12, 12, 3), (12, 12, 1), (12, 12, 12)):
        images = rng.normal(size=(20, *shape)).astype(np.float32)
        model = ImageClassifier(epochs=1, folds=2, random_state=0).fit(images, [0, 1] * 10)
        assert model.predict_proba(images).shape == (20, 2)
        prepare = model.trained_.recipe.prepare
        assert (prepare.channels, *prepare.size) == (
            (shape[2], 12, 12) if shape[2] < 4 else (1, *shape)
        )


def test_images_of_another_size_are_refused(digits):
    images, labels = digits[0][:60], digits[1][:60]
    model = ImageClassifier(epochs=1, folds=2, random_state=0).fit(images, labels)
    with pytest.raises(ValueError, match="wanted, found"):
        model.predict(images[:, :6])


@pytest.mark.parametrize(
    ("settings", "groups", "told"),
    [
        ({"minutes": 0.0}, None, "a budget of some minutes wanted, found 0"),
        ({"minutes": float("inf")}, None, "a budget of some minutes wanted, found inf"),
        ({"minutes": None}, None, "a budget of some minutes wanted, found None"),
        ({"folds": 1}, None, "2 folds or more wanted, found 1"),
        ({"epochs": 1.5}, None, "fit.epochs must be int, not 1.5"),
        ({"epochs": 1, "batch": "8"}, None, "fit.batch must be int, not '8'"),
        ({"epochs": 1, "net": None}, None, "net.name must be str, not None"),
        ({"epochs": 1, "augment": "none"}, None, "an Augment wanted, or None, found 'none'"),
        ({"epochs": 1}, [1, 2], "one group per image wanted: 20, not 2"),
        ({"epochs": 1}, [1] * 20, "class one has 1 patient"),
    ],
)
def test_what_cannot_be_fitted_is_refused(settings, groups, told):
    images, labels = np.random.default_rng(0).normal(size=(20, 8, 8)), ["one", "two"] * 10
    with pytest.raises(ValueError, match=told):
        ImageClassifier(random_state=0, **settings).fit(images, labels, groups)


def test_values_beyond_float32_are_refused():
    images = np.random.default_rng(0).normal(size=(20, 8, 8)) * 1e300
    with pytest.raises(ValueError, match="values within float32 wanted"):
        ImageClassifier(epochs=1).fit(images, [0, 1] * 10)


def test_settings_may_be_numbers_of_numpy():
    images, labels = np.random.default_rng(0).normal(size=(20, 8, 8)), [0, 1] * 10
    grid = {"batch": np.array([4, 8]), "rate": np.logspace(-3, -2, 2)}
    model = ImageClassifier(epochs=np.int64(1), folds=np.int64(2), random_state=0)
    found = GridSearchCV(model, grid, cv=2, error_score="raise").fit(images, labels)
    assert found.best_estimator_.trained_.recipe.fit.batch in (4, 8)
