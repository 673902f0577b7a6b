import numpy as np
import pytest

from medclf.evaluate import bootstrap
from medclf.evaluate.bootstrap import held_by, patient_weights, strata


def test_exams_of_a_patient_stay_together():
    patients = np.array(["b", "a", "b", "c", "a"])
    (weights,) = patient_weights(patients, np.ones((5, 1), bool), 500, seed=0)
    assert weights.shape == (5, 500)
    np.testing.assert_array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(weights[1], weights[4])
    people = weights[[0, 1, 3]]
    np.testing.assert_array_equal(people.sum(0), np.full(500, 3))
    # Each patient is drawn binomially: 2 draws, each with chance 1/3, and counts 3/2 times.
    np.testing.assert_allclose(people.mean(1), 1, atol=0.15)
    np.testing.assert_allclose(people.var(1), 1, atol=0.15)


@pytest.mark.parametrize("people", [2, 3, 8])
def test_a_mean_of_few_spreads_as_its_standard_error(people):
    values = np.random.default_rng(0).standard_normal(people)
    weights = next(patient_weights(np.arange(people), np.ones((people, 1), bool), 4000, seed=0))
    means = values @ weights / weights.sum(0)
    assert means.std() == pytest.approx(values.std(ddof=1) / people**0.5, rel=0.05)


def test_no_sample_lacks_a_tiny_class():
    rng = np.random.default_rng(0)
    target = np.append(rng.integers(2, size=200), [2, 3, 3])
    sides = target[:, None] == np.arange(4)
    weights = np.hstack(list(patient_weights(np.arange(203), sides, 1000, seed=1)))
    assert (weights[200] == 1).all()
    assert (weights[201:].sum(0) == 2).all()
    np.testing.assert_allclose(weights.sum(0), 203)
    assert weights[:200][target[:200] == 0].sum(0).std() > 1


def test_strata_part_the_patients():
    whose = np.array([0, 0, 1, 2, 3, *range(4, 30)])
    sides = np.zeros((len(whose), 3), bool)
    sides[[0, 2], 1] = True
    sides[[1, 3, 4], 2] = True
    sides[5:, 0] = True
    groups = strata(whose, sides)
    assert [np.flatnonzero(g).tolist() for g in groups] == [[0, 1], [2, 3], list(range(4, 30))]
    np.testing.assert_array_equal(np.sum(groups, 0), 1)


def test_who_holds_a_class():
    sides = np.array([[True, False], [False, True], [True, False]])
    assert held_by(np.array([0, 0, 1]), sides).tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize("at_once", [1, 700, 10_000_000])
def test_batches_are_of_bounded_memory_and_make_up_all(monkeypatch, at_once):
    monkeypatch.setattr(bootstrap, "NUMBERS_AT_ONCE", at_once)
    batches = list(patient_weights(np.arange(100), np.ones((100, 1), bool), 50, seed=0))
    assert sum(b.shape[1] for b in batches) == 50
    assert max(b.size for b in batches) <= max(100, at_once)


def test_same_seed_same_samples():
    first, second, other = (
        next(patient_weights(np.arange(30), np.ones((30, 1), bool), 5, seed)) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()
