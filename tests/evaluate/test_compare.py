from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from medclf.core.task import Task
from medclf.errors import CohortError
from medclf.evaluate.compare import (
    compare_areas,
    delong,
    delong_test,
    holm,
    paired_bootstrap,
)
from medclf.evaluate.threshold import Decision


def slow_delong(target, scores, patients):
    """Obuchowski's covariance, pair by pair, as her paper writes it."""
    positive, negative = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    wins = np.array(
        [
            [[(s[i] > s[j]) + 0.5 * (s[i] == s[j]) for j in negative] for i in positive]
            for s in scores
        ]
    )
    areas, m, n = wins.mean((1, 2)), len(positive), len(negative)
    names = np.unique(patients)
    up, down = np.zeros((2, len(scores), len(names)))
    for c, name in enumerate(names):
        mine, others = patients[positive] == name, patients[negative] == name
        up[:, c] = (wins[:, mine].mean(2) - areas[:, None]).sum(1)
        down[:, c] = (wins[:, :, others].mean(1) - areas[:, None]).sum(1)
    some, rest = len(np.unique(patients[positive])), len(np.unique(patients[negative]))
    s10 = up @ up.T * some / ((some - 1) * m)
    s01 = down @ down.T * rest / ((rest - 1) * n)
    s11 = up @ down.T * len(names) / (len(names) - 1)
    return areas, s10 / m + s01 / n + (s11 + s11.T) / (m * n)


@pytest.mark.parametrize("digits", [1, 6], ids=["ties", "no ties"])
@pytest.mark.parametrize("per_patient", [1, 3])
def test_fast_ranks_give_what_all_pairs_give(digits, per_patient):
    rng = np.random.default_rng(0)
    target = rng.integers(2, size=60)
    scores = np.round(rng.standard_normal((3, 60)) + target, digits)
    patients = np.arange(60) // per_patient
    areas, covariance = delong(target, scores, patients)
    wanted = slow_delong(target, scores, patients)
    np.testing.assert_allclose(areas, wanted[0])
    np.testing.assert_allclose(covariance, wanted[1], rtol=1e-10)
    np.testing.assert_allclose(areas, [roc_auc_score(target, s) for s in scores])


def test_single_exams_have_the_variance_of_delong():
    target = np.array([1, 1, 1, 0, 0, 0, 0])
    score = np.array([0.9, 0.6, 0.3, 0.7, 0.4, 0.2, 0.1])
    # Placements by hand: positives beat 4, 3 and 2 of 4; negatives lie under 1, 2, 3 and 3 of 3.
    areas, covariance = delong(target, score[None])
    assert areas[0] == pytest.approx(9 / 12)
    wanted = np.var([1, 3 / 4, 2 / 4], ddof=1) / 3 + np.var([1 / 3, 2 / 3, 1, 1], ddof=1) / 4
    assert covariance[0, 0] == pytest.approx(wanted)


def test_the_test_of_equal_runs_is_rightly_sized_and_finds_a_true_difference():
    rng = np.random.default_rng(0)
    p_null, p_better, held = [], [], []
    for _ in range(300):
        target = rng.integers(2, size=120)
        common = rng.standard_normal(120)
        one, two = (1.2 * target + common + 0.7 * rng.standard_normal(120) for _ in range(2))
        p_null.append(delong_test(target, one, two).p)
        better = delong_test(target, one + 0.8 * target, two)
        p_better.append(better.p)
        first, second = (norm.cdf(d / np.sqrt(2 * 1.49)) for d in (2.0, 1.2))
        held.append(better.low <= first - second <= better.high)
    assert 0.02 < np.mean(np.array(p_null) < 0.05) < 0.09
    assert np.mean(np.array(p_better) < 0.05) > 0.6
    assert 0.91 < np.mean(held) < 0.98


def test_a_run_compared_with_itself_is_equal():
    target, score = np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.3, 0.2])
    found = delong_test(target, score, score)
    assert (found.value, found.p) == (0, 1)


def test_too_few_patients_are_refused():
    with pytest.raises(CohortError, match="1 have positive exams"):
        delong(np.array([1, 1, 0, 0]), np.zeros((1, 4)), np.array(["a", "a", "b", "c"]))


def test_bootstrap_agrees_with_delong(predicted):
    first, second = predicted(200, seed=1), predicted(200, seed=1)
    rng = np.random.default_rng(0)
    p = np.clip(second.probabilities[:, 1] + 0.3 * rng.standard_normal(200), 0, 1)
    second = replace(second, probabilities=np.stack([1 - p, p], 1))
    found = paired_bootstrap(first, second, (Decision((0.5,)), Decision((0.5,))), resamples=1000)
    wanted = delong_test(first.target, first.probabilities[:, 1], p)
    assert found["auc"].value == pytest.approx(wanted.value)
    assert found["auc"].low == pytest.approx(wanted.low, abs=0.01)
    assert found["auc"].high == pytest.approx(wanted.high, abs=0.01)
    assert found["auc"].p == pytest.approx(wanted.p, abs=0.02)
    assert {"accuracy", "f1", "log_loss", "ece"} < found.keys()


def test_the_order_of_the_second_run_does_not_matter(predicted):
    first, second = predicted(50, 3), predicted(50, 3, skill=0.5)
    second = replace(second, target=first.target)
    decisions = (Decision(), Decision())
    shuffled = second.select(np.random.default_rng(0).permutation(50))
    wanted = paired_bootstrap(first, second, decisions, resamples=20)
    assert paired_bootstrap(first, shuffled, decisions, resamples=20) == wanted
    same = paired_bootstrap(first, first, decisions, resamples=20)
    assert all((d.value, d.p) == (0, 1) for d in same.values())


def test_runs_on_other_exams_are_refused(predicted):
    first, decisions = predicted(20), (Decision((0.5,)), Decision((0.5,)))
    renamed = replace(first, exams=np.char.add(first.exams, "x"))
    for second, message in (
        (first.select(np.arange(19)), "exam 19"),
        (renamed, "only one has"),
        (replace(first, target=1 - first.target), "target of 'exam 0'"),
        (replace(first, patients=np.full(20, "a")), "patients"),
        (replace(first, task=Task(("a", "b"))), "one task"),
    ):
        with pytest.raises(CohortError, match=message):
            paired_bootstrap(first, second, decisions)


def test_holm_by_hand():
    # Sorted: .005 x 4, .01 x 3, .03 x 2, .04 x 1, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_areas_of_two_classes_are_compared_by_delong(predicted):
    runs = [replace(predicted(80, skill=s), target=predicted(80).target) for s in (0.5, 1.5, 2.5)]
    found = compare_areas([runs[0], runs[1].select(np.arange(80)[::-1]), runs[2]], against=2)
    for run, difference in zip(runs, found, strict=True):
        scores = (run.probabilities[:, 1], runs[2].probabilities[:, 1])
        assert difference == delong_test(runs[0].target, *scores)
    assert (found[2].value, found[2].p) == (0, 1)


@pytest.mark.parametrize("kind", ["exclusive", "ranked", "coexisting"])
def test_areas_of_more_classes_are_compared_by_the_paired_bootstrap(predicted, kind):
    runs = [predicted(60, 3, kind, per_patient=2, skill=s) for s in (0.5, 2.0)]
    runs = [replace(run, target=runs[0].target) for run in runs]
    first, second = compare_areas(runs, against=1, seed=3, resamples=60)
    decision = Decision((0.5,) * 3 if kind == "coexisting" else (), coexisting=kind == "coexisting")
    wanted = paired_bootstrap(*runs, (decision, decision), seed=3, resamples=60)["auc"]
    assert (first.value, first.low, first.p) == pytest.approx((wanted.value, wanted.low, wanted.p))
    assert (second.value, second.p) == (0, 1)
