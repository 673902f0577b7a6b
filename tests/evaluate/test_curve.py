import numpy as np
import pytest
from sklearn import metrics

from medclf.errors import CohortError
from medclf.evaluate.curve import confusion_matrix, precision_curve, reliability, roc_curve
from medclf.evaluate.interval import proportion
from medclf.evaluate.score import calibration_error


@pytest.fixture(params=[1, 4], ids=["ties", "no ties"])
def drawn(request):
    rng = np.random.default_rng(0)
    target = rng.random(200) < 0.3
    return target, np.round(rng.random(200) + 0.4 * target, request.param)


def test_roc_passes_through_the_corners_of_scikit_learn(drawn):
    found = roc_curve(*drawn)
    alarms, hits, thresholds = metrics.roc_curve(*drawn, drop_intermediate=False)
    rows = np.searchsorted(-thresholds, -found.threshold)
    np.testing.assert_allclose(found.false_positive, alarms[rows])
    np.testing.assert_allclose(found.true_positive, hits[rows])
    right, up = np.diff(found.false_positive), np.diff(found.true_positive)
    assert (np.abs(right[1:] * up[:-1] - right[:-1] * up[1:]) > 1e-9).all()
    area = metrics.auc(found.false_positive, found.true_positive)
    assert area == pytest.approx(metrics.roc_auc_score(*drawn))


def test_precision_curve_passes_through_the_points_of_scikit_learn(drawn):
    found = precision_curve(*drawn)
    precision, recall, thresholds = metrics.precision_recall_curve(*drawn)
    rows = np.searchsorted(thresholds, found.threshold)
    np.testing.assert_allclose(found.precision, precision[rows])
    np.testing.assert_allclose(found.recall, recall[rows])
    steps = np.diff(np.append(0, found.recall))
    wanted = metrics.average_precision_score(*drawn)
    assert (steps * found.precision).sum() == pytest.approx(wanted)


def test_one_side_alone_is_refused():
    for target in (np.zeros(4), np.ones(4)):
        with pytest.raises(CohortError, match="one side is missing"):
            roc_curve(target, np.arange(4.0))
    with pytest.raises(CohortError, match="positive"):
        precision_curve(np.zeros(4), np.arange(4.0))


def test_a_perfect_and_a_constant_score():
    perfect = roc_curve(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]))
    assert perfect.false_positive.tolist() == [0, 0, 1]
    assert perfect.true_positive.tolist() == [0, 1, 1]
    constant = roc_curve(np.array([0, 1, 1]), np.full(3, 0.5))
    assert constant.false_positive.tolist() == [0, 1]
    assert constant.true_positive.tolist() == [0, 1]


def test_reliability_bins_make_up_the_calibration_error():
    rng = np.random.default_rng(0)
    chance = rng.random(500) ** 3
    outcome = rng.random(500) < chance
    found = reliability(chance, outcome, np.arange(500))
    assert found.exams.sum() == 500
    gap = np.nansum(found.exams * np.abs(found.said - found.seen)) / 500
    assert gap == pytest.approx(float(calibration_error(chance, outcome)))
    known = found.exams > 0
    assert (found.low[known] <= found.seen[known]).all()
    assert (found.seen[known] <= found.high[known]).all()
    empty = reliability(np.array([0.5]), np.array([1]), np.zeros(1))
    assert np.isnan(empty.seen[0])
    assert np.isnan(empty.low[0])


def test_reliability_counts_the_exams_of_one_patient_together():
    outcome, chance = np.repeat([0, 1], 50), np.full(100, 0.5)
    apart = reliability(chance, outcome, np.arange(100), 1)
    found = reliability(chance, outcome, np.arange(100) // 10, 1)
    wanted = proportion(outcome, np.arange(100) // 10)
    assert (found.seen[0], found.low[0], found.high[0]) == (0.5, wanted.low, wanted.high)
    assert found.high[0] - found.low[0] > 2 * (apart.high[0] - apart.low[0])


def test_confusion_matrix_shares():
    found = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), ("a", "b", "c"))
    assert found.counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(found.shares[:2], [[0.5, 0.5, 0], [0, 1, 0]])
    assert np.isnan(found.shares[2]).all()
