"""Classes that are not asked of some exams have no say in their scores."""

import numpy as np

from medclf.core.task import Task
from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.narrow import narrow
from medclf.evaluate.scores import score
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

TASK = Task(
    ("normal", "mass", "mole", "nevus", "scar"),
    sets=(("breast", ("normal", "mass")), ("skin", ("mole", "nevus", "scar"))),
)


def table(count=120):
    """Make exams of which every second is of the skin, and always of its classes."""
    rng = np.random.default_rng(0)
    skin = np.arange(count) % 2 == 1
    target = np.where(skin, 2 + rng.integers(0, 3, count), rng.integers(0, 2, count))
    possible = np.where(skin[:, None], np.arange(5) > 1, np.arange(5) < 2)
    p = (rng.random((count, 5)) + np.eye(5)[target]) * possible
    names = np.array([f"e{i:03d}" for i in range(count)])
    splits, facts = (
        np.full(count, "test"),
        {"dataset": tuple("skin" if s else "breast" for s in skin)},
    )
    p /= p.sum(1, keepdims=True)
    return Predictions(TASK, names, names, splits, target, p, np.zeros((count, 5)), facts), skin


def test_each_data_set_is_scored_among_its_own_classes():
    found, skin = table()
    decision = Decision((0.3, 0.2, 0.1, 0.2, 0.2), "balanced")
    scores = score(found, decision, resamples=20)
    breast, other = scores.subgroups["dataset"]
    assert (breast.name, other.name) == ("breast", "skin")
    assert set(breast.figures) > {"auc", "sensitivity"}
    assert set(other.figures) == {"auc", "accuracy", "balanced_accuracy"}
    right = decision.decide(found.probabilities) == found.target
    assert breast.figures["accuracy"].value == right[~skin].mean()
    assert other.figures["accuracy"].value == right[skin].mean()
    assert any("several data sets" in note for note in scores.notes)


def test_two_thresholds_become_one_that_decides_alike():
    found, skin = table()
    decision = Decision((0.3, 0.2, 0.1, 0.2, 0.2), "balanced")
    some = found.select(~skin)
    narrowed, own = narrow(some, decision)
    assert narrowed.task.classes == ("normal", "mass")
    assert np.array_equal(own.decide(narrowed.probabilities), decision.decide(some.probabilities))


def test_all_classes_stay_where_all_are_asked():
    found, _ = table()
    assert narrow(found, Decision())[0] is found


def test_what_was_ruled_out_stays_so_when_calibrated():
    found, _ = table()
    given = Calibration(5.0, (1.0, 0.0, 0.0, 2.0, 0.0)).mend(TASK, found.probabilities)
    assert np.array_equal(given == 0, found.probabilities == 0)
    assert np.allclose(given.sum(1), 1)
