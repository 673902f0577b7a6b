import numpy as np
import pytest
from sklearn import metrics

from medclf.evaluate.score import (
    accuracy,
    balanced_accuracy,
    brier,
    calibration_error,
    chance_error,
    confusion,
    f1,
    kappa,
    log_loss,
    mean_present,
    precision,
    sensitivity,
    specificity,
)


@pytest.fixture(params=[(2, 0), (3, 1), (9, 2)], ids=["2 classes", "3 classes", "9 classes"])
def drawn(request):
    classes, seed = request.param
    rng = np.random.default_rng(seed)
    target = rng.integers(classes, size=200)
    p = rng.dirichlet(np.ones(classes), 200)
    p[np.arange(200), target] += 0.2
    return target, p / p.sum(1, keepdims=True)


def test_decisions_score_as_in_scikit_learn(drawn):
    target, p = drawn
    decided, classes = p.argmax(1), p.shape[1]
    table = confusion(target, decided, classes)
    np.testing.assert_array_equal(table, metrics.confusion_matrix(target, decided))
    assert accuracy(table) == pytest.approx(metrics.accuracy_score(target, decided))
    wanted = metrics.balanced_accuracy_score(target, decided)
    assert balanced_accuracy(table) == pytest.approx(wanted)
    assert f1(table) == pytest.approx(metrics.f1_score(target, decided, average=None))
    assert sensitivity(table) == pytest.approx(metrics.recall_score(target, decided, average=None))
    wanted = metrics.precision_score(target, decided, average=None)
    assert precision(table) == pytest.approx(wanted)
    wanted = metrics.cohen_kappa_score(target, decided, weights="quadratic")
    assert kappa(table) == pytest.approx(wanted)
    for k in range(classes):
        others = metrics.recall_score(target == k, decided == k, pos_label=False)
        assert specificity(table)[k] == pytest.approx(others)


def test_probabilities_score_as_in_scikit_learn(drawn):
    target, p = drawn
    assert log_loss(target, p) == pytest.approx(metrics.log_loss(target, p))
    if p.shape[1] == 2:
        assert brier(target, p) == pytest.approx(metrics.brier_score_loss(target, p[:, 1]))
    else:
        truth = np.eye(p.shape[1])[target]
        assert brier(target, p) == pytest.approx(((p - truth) ** 2).sum(1).mean())


def test_false_certainty_costs_what_scikit_learn_says():
    target, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert log_loss(target, p) == pytest.approx(metrics.log_loss(target, p))


def test_findings_are_averaged():
    rng = np.random.default_rng(0)
    target, p = rng.integers(2, size=(50, 3)), rng.random((50, 3))
    each = [metrics.log_loss(t, q) for t, q in zip(target.T, p.T, strict=True)]
    assert log_loss(target, p) == pytest.approx(np.mean(each))
    each = [metrics.brier_score_loss(t, q) for t, q in zip(target.T, p.T, strict=True)]
    assert brier(target, p) == pytest.approx(np.mean(each))


def test_weights_count_exams_again(drawn):
    target, p = drawn
    rng = np.random.default_rng(5)
    weights = rng.integers(0, 4, (len(target), 3))
    decided, classes = p.argmax(1), p.shape[1]
    tables = confusion(target, decided, classes, weights.astype(float))
    losses = log_loss(target, p, weights.astype(float))
    errors = calibration_error(p.max(1), decided == target, weights.astype(float))
    for b in range(3):
        again = np.repeat(np.arange(len(target)), weights[:, b])
        table = confusion(target[again], decided[again], classes)
        np.testing.assert_array_equal(tables[..., b], table)
        for score in (accuracy, balanced_accuracy, f1, kappa, precision, specificity):
            np.testing.assert_allclose(score(tables)[..., b], score(table))
        assert losses[b] == pytest.approx(float(log_loss(target[again], p[again])))
        wanted = calibration_error(p[again].max(1), decided[again] == target[again])
        assert errors[b] == pytest.approx(float(wanted))


def test_a_class_that_is_missing_is_left_out():
    table = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    np.testing.assert_allclose(sensitivity(table), [0.5, 1, np.nan])
    assert balanced_accuracy(table) == pytest.approx(0.75)
    np.testing.assert_allclose(f1(table), [2 / 3, 2 / 3, np.nan])
    assert np.isnan(kappa(confusion(np.array([1, 1]), np.array([1, 1]), 3)))
    assert np.isnan(mean_present(np.full((3, 2), np.nan))).all()


def test_calibration_error_by_hand():
    chance = np.array([0.02, 0.04, 0.95, 1.0])
    outcome = np.array([0, 1, 1, 1])
    # Two bins, each of two exams: |0.5 - 0.03| and |1 - 0.975|.
    assert calibration_error(chance, outcome) == pytest.approx((0.47 + 0.025) / 2)


def test_chance_error_is_the_error_of_true_probabilities():
    rng = np.random.default_rng(0)
    chance = rng.random(400)
    found = [float(calibration_error(chance, rng.random(400) < chance)) for _ in range(300)]
    assert chance_error(chance) == pytest.approx(np.mean(found), rel=0.03)
