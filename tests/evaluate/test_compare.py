from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from medclf.core.task import Task
from medclf.errors import CohortError
from medclf.evaluate.bootstrap import patient_weights
from medclf.evaluate.compare import compare_areas, delong, holm
from medclf.evaluate.interval import t_quantile, wilson
from medclf.evaluate.ranking import all_sides, indicators, macro_auc
from medclf.evaluate.table import Predictions


def entries(target, *scores):
    """Make runs of two classes, one for each score: larger means more likely positive."""
    target, names = np.asarray(target), np.arange(len(target)).astype(str)
    shares = [norm.cdf(np.stack([-np.asarray(s), s], 1)) for s in scores]
    task = Task(("no", "yes"))
    return [Predictions(task, names, names, names, target, p, np.zeros_like(p)) for p in shares]


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
        same, better, _ = compare_areas(entries(target, one, one + 0.8 * target, two), against=2)
        p_null.append(same.p)
        p_better.append(better.p)
        first, second = (norm.cdf(d / np.sqrt(2 * 1.49)) for d in (2.0, 1.2))
        held.append(better.low <= first - second <= better.high)
    assert 0.02 < np.mean(np.array(p_null) < 0.05) < 0.09
    assert np.mean(np.array(p_better) < 0.05) > 0.6
    assert 0.91 < np.mean(held) < 0.98


def test_a_run_compared_with_itself_is_equal():
    score = np.array([0.1, 0.4, 0.3, 0.2])
    found, _ = compare_areas(entries([0, 1, 0, 1], score, score), against=1)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_run_without_fault_is_no_surer_than_its_interval():
    perfect, constant, wrong = compare_areas(
        entries([0, 0, 1, 1], [1.0, 2, 3, 4], np.zeros(4), [4.0, 3, 2, 1]), against=1
    )
    assert (perfect.value, wrong.value) == (0.5, -0.5)
    assert perfect.p == pytest.approx(wrong.p)
    assert perfect.p > 0.05
    assert perfect.low < 0 < perfect.high
    assert constant.p == 1
    target, rng = np.arange(60) % 2, np.random.default_rng(0)
    good = 4.0 * target + rng.random(60)
    some = np.where(np.arange(60) < 4, -good, good)
    (found,) = compare_areas(entries(target, good, some), against=1)[:1]
    variance = delong(target, np.stack([some]))[1][0, 0]
    alone = (1 - wilson(1.0, 30, t_quantile(30))[0]) / t_quantile(30)
    reach = t_quantile(30) * np.hypot(alone, variance**0.5)
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach))


def test_no_test_is_possible_with_one_patient_of_a_class_or_without_a_spread():
    first, second = compare_areas(entries([0, 0, 0, 1], [1.0, 2, 3, 4], [1.0, 4, 3, 2]), against=0)
    assert (first.value, second.value) == (0, pytest.approx(-2 / 3))
    assert np.isnan([second.low, second.high, second.p]).all()
    # Every exam of the second stands half of the other side lower than in the first.
    _, second = compare_areas(entries([0, 0, 1, 1], [1.0, 3, 4, 2], [2.0, 4, 3, 1]), against=0)
    assert second.value == -0.5
    assert np.isnan(second.p)


def test_too_few_patients_are_refused():
    with pytest.raises(CohortError, match="1 have positive exams"):
        delong(np.array([1, 1, 0, 0]), np.zeros((1, 4)), np.array(["a", "a", "b", "c"]))


def test_the_order_of_the_runs_exams_does_not_matter(predicted):
    first = predicted(50, 3)
    second = replace(predicted(50, 3, skill=0.5), target=first.target)
    shuffled = second.select(np.random.default_rng(0).permutation(50))
    wanted = compare_areas([first, second], against=0, resamples=20)
    assert compare_areas([first, shuffled], against=0, resamples=20) == wanted


def test_runs_on_other_exams_are_refused(predicted):
    first = predicted(20)
    renamed = replace(first, exams=np.char.add(first.exams, "x"))
    for second, message in (
        (first.select(np.arange(19)), "exam 19"),
        (renamed, "only one has"),
        (replace(first, target=1 - first.target), "target of 'exam 0'"),
        (replace(first, patients=np.full(20, "a")), "the patient of"),
        (replace(first, task=Task(("a", "b"))), "one task"),
    ):
        with pytest.raises(CohortError, match=message):
            compare_areas([first, second], against=0)
    with pytest.raises(CohortError, match="none has a label"):
        compare_areas([replace(first, target=np.full(20, -1))], against=0)


def test_holm_by_hand():
    # Sorted: .005 x 4, .01 x 3, .03 x 2, .04 x 1, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_areas_of_two_classes_are_compared_by_delong(predicted):
    runs = [replace(predicted(80, skill=s), target=predicted(80).target) for s in (0.5, 1.5, 2.5)]
    found = compare_areas([runs[0], runs[1].select(np.arange(80)[::-1]), runs[2]], against=2)
    areas, covariance = delong(runs[0].target, np.stack([r.probabilities[:, 1] for r in runs]))
    rarer = min(runs[0].target.sum(), (1 - runs[0].target).sum())
    for i, difference in enumerate(found[:2]):
        se = (covariance[i, i] + covariance[2, 2] - 2 * covariance[i, 2]) ** 0.5
        value = areas[i] - areas[2]
        assert (difference.value, difference.low) == pytest.approx(
            (value, value - t_quantile(rarer) * se)
        )
        assert difference.p == pytest.approx(2 * student.sf(abs(value) / se, rarer - 1))
    assert (found[2].value, found[2].p) == (0, 1)


@pytest.mark.parametrize("kind", ["exclusive", "ranked", "coexisting"])
def test_areas_of_more_classes_are_compared_by_the_paired_bootstrap(predicted, kind):
    runs = [predicted(60, 3, kind, per_patient=2, skill=s) for s in (0.5, 2.0)]
    runs = [replace(run, target=runs[0].target) for run in runs]
    first, second = compare_areas(runs, against=1, seed=3, resamples=60)
    target, patients = runs[0].target, runs[0].patients
    sides = all_sides(runs[0].task, indicators(target, 3))
    (weights,) = patient_weights(patients, sides, 60, seed=3)
    one, two = (macro_auc(target, run.probabilities, weights) for run in runs)
    rarest = min(len(np.unique(patients[side])) for side in sides.T)
    reach = t_quantile(rarest) * (one - two).std(ddof=1)
    value = macro_auc(target, runs[0].probabilities) - macro_auc(target, runs[1].probabilities)
    assert (first.value, first.low, first.high) == pytest.approx(
        (value, value - reach, value + reach)
    )
    assert (second.value, second.p) == (0, 1)


def test_the_bootstrap_agrees_with_delong(predicted):
    """Two classes that need not exclude each other have the same area twice."""
    first = predicted(200, seed=1)
    noise = 0.3 * np.random.default_rng(0).standard_normal(200)
    p = np.clip(first.probabilities[:, 1] + noise, 0, 1)
    runs = [first, replace(first, probabilities=np.stack([1 - p, p], 1))]
    wanted, _ = compare_areas(runs, against=1)
    task = Task(first.task.classes, "coexisting")
    both = [replace(r, task=task, target=np.stack([1 - r.target, r.target], 1)) for r in runs]
    found, _ = compare_areas(both, against=1, resamples=1000)
    assert found.value == pytest.approx(wanted.value)
    assert found.low == pytest.approx(wanted.low, abs=0.01)
    assert found.p == pytest.approx(wanted.p, abs=0.02)


def test_patients_go_by_whose_exams_belong_together_not_by_their_numbers():
    rng = np.random.default_rng(0)
    target = rng.integers(2, size=40)
    one, other = entries(target, *rng.standard_normal((2, 40)))
    whose = np.arange(40) // 2
    one = replace(one, patients=np.char.add("p", whose.astype(str)))
    renamed = replace(other, patients=np.char.add("q", (whose + 7).astype(str)))
    alike = compare_areas([one, replace(other, patients=one.patients)], 0)
    assert compare_areas([one, renamed], 0) == alike
    joined = replace(other, patients=np.where(whose == 4, "p3", one.patients))
    for pair in ([one, joined], [joined, one]):
        with pytest.raises(CohortError, match="the patient of '6' differs"):
            compare_areas(pair, 0)
