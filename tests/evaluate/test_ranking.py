import numpy as np
import pytest
from sklearn import metrics

from medclf.evaluate.ranking import Ranking, auc, average_precision, indicators, macro_auc


@pytest.mark.parametrize("levels", [2, 5, 10_000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_areas_are_those_of_scikit_learn(levels, seed):
    rng = np.random.default_rng(seed)
    target = rng.random(300) < 0.3
    score = np.round(rng.random(300) + 0.3 * target, int(np.log10(levels)))
    assert auc(target, score) == pytest.approx(metrics.roc_auc_score(target, score))
    wanted = metrics.average_precision_score(target, score)
    assert average_precision(target, score) == pytest.approx(wanted)


def test_weighted_areas_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    target = rng.random(200) < 0.4
    score = np.round(rng.random(200) + 0.3 * target, 1)
    weights = rng.integers(0, 4, (200, 5)).astype(float)
    areas, precisions = Ranking(target, score).areas(weights)
    for b in range(5):
        w = weights[:, b]
        wanted = metrics.roc_auc_score(target, score, sample_weight=w)
        assert areas[b] == pytest.approx(wanted)
        wanted = metrics.average_precision_score(target, score, sample_weight=w)
        assert precisions[b] == pytest.approx(wanted)


def test_worked_by_hand():
    # Pairs won: .8 beats .1 and .4; .4 beats .1 and ties with .4: 3.5 of 4.
    target, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.4, 0.8])
    assert auc(target, score) == pytest.approx(3.5 / 4)
    assert average_precision(target, score) == pytest.approx((1 + 2 / 3) / 2)
    assert auc(target, -score) == pytest.approx(0.5 / 4)
    assert auc(target, np.zeros(4)) == pytest.approx(0.5)


def test_macro_is_one_against_rest():
    rng = np.random.default_rng(0)
    target, p = rng.integers(4, size=300), rng.dirichlet(np.ones(4), 300)
    wanted = metrics.roc_auc_score(target, p, multi_class="ovr", average="macro")
    assert macro_auc(target, p) == pytest.approx(wanted)
    findings = rng.integers(2, size=(300, 4))
    wanted = metrics.roc_auc_score(findings, p, average="macro")
    assert macro_auc(findings, p) == pytest.approx(wanted)


def test_a_missing_class_is_left_out_and_none_left_is_nan():
    rng = np.random.default_rng(0)
    target, p = rng.integers(2, size=50), rng.dirichlet(np.ones(3), 50)
    two = np.mean([metrics.roc_auc_score(target == k, p[:, k]) for k in (0, 1)])
    assert macro_auc(target, p) == pytest.approx(two)
    assert np.isnan(macro_auc(np.zeros(50, int), p))
    assert np.isnan(auc(np.zeros(5), np.arange(5.0)))
    assert np.isnan(auc(np.ones(5), np.arange(5.0)))
    assert np.isnan(average_precision(np.zeros(5), np.arange(5.0)))


def test_a_sample_without_positives_is_nan_beside_samples_with():
    weights = np.array([[1.0, 1.0], [0.0, 1.0]])
    areas, precisions = Ranking(np.array([False, True]), np.array([0.1, 0.2])).areas(weights)
    np.testing.assert_array_equal(areas, [np.nan, 1])
    np.testing.assert_array_equal(precisions, [np.nan, 1])


def test_indicators():
    wanted = [[True, False], [False, True]]
    assert indicators(np.array([0, 1]), 2).tolist() == wanted
    assert indicators(np.array([[1, 0], [0, 1]]), 2).tolist() == wanted
