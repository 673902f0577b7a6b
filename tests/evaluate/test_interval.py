from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score

from medclf.core.task import Task
from medclf.evaluate.figures import find_figures
from medclf.evaluate.interval import (
    Figure,
    area,
    average,
    calibration,
    clustered_error,
    loss,
    overlap,
    proportion,
    share,
    symmetric_share,
    t_quantile,
    wilson,
)
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision


@pytest.mark.parametrize(("hits", "exams"), [(0, 5), (3, 10), (47, 50), (50, 50), (999, 1000)])
def test_wilson_is_that_of_scipy(hits, exams):
    wanted = binomtest(hits, exams).proportion_ci(method="wilson")
    assert wilson(hits / exams, exams) == pytest.approx((wanted.low, wanted.high))
    found = proportion(np.arange(exams) < hits, np.arange(exams))
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_f1_is_bounded_by_what_is_found_of_all_that_is_there_or_said():
    found = overlap(np.arange(10) < 7, np.arange(10))  # 7 found, 2 missed, 1 said wrongly.
    assert found.value == pytest.approx(2 * 7 / (2 * 7 + 3))
    share = binomtest(7, 10).proportion_ci(method="wilson")
    wanted = [2 * bound / (1 + bound) for bound in (share.low, share.high)]
    assert [found.low, found.high] == pytest.approx(wanted)


def test_copies_of_an_exam_add_nothing():
    rng = np.random.default_rng(0)
    hits = rng.random(80) < 0.7
    once = proportion(hits, np.arange(80))
    thrice = proportion(np.repeat(hits, 3), np.repeat(np.arange(80), 3))
    assert thrice.value == once.value
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.05)
    perfect = proportion(np.ones(30), np.repeat(np.arange(10), 3))
    assert perfect.low < wilson(1, 10)[0]


def test_clustered_error_of_single_exams_is_the_usual_one():
    values = np.random.default_rng(0).standard_normal(40)
    assert clustered_error(values, np.arange(40)) == pytest.approx(values.std(ddof=1) / 40**0.5)
    assert clustered_error(values, np.zeros(40)) == np.inf


def test_a_perfect_score_has_an_interval():
    found = share(1.0, np.ones(100), patients=25)
    assert 0.8 < found.low < wilson(1, 25)[0]
    assert found.high == 1
    kappa = symmetric_share(1.0, np.ones(100), patients=25)
    assert kappa.low == pytest.approx(2 * found.low - 1)
    assert kappa.high == 1


def test_bounds_enclose_the_value_and_stay_in_range():
    rng = np.random.default_rng(0)
    for value in (0.01, 0.5, 0.99):
        found = share(value, np.clip(value + 0.05 * rng.standard_normal(200), 0, 1), 30)
        assert 0 <= found.low < value < found.high <= 1


def test_an_area_is_no_surer_than_its_exams_allow():
    replicates = np.random.default_rng(0).normal(0.99, 0.001, 500)
    found = area(0.99, replicates, 15)
    assert (found.low, found.high) == pytest.approx(wilson(0.99, 90))
    wide = np.random.default_rng(0).normal(0.9, 0.1, 500)
    found, exams = area(0.9, wide, 15), 0.9 * 0.1 / wide.var(ddof=1)
    assert (found.low, found.high) == pytest.approx(wilson(0.9, exams))
    found = share(0.99, replicates, 1000, most=100)
    assert (found.low, found.high) == pytest.approx(wilson(0.99, 100, t_quantile(1000)))


@pytest.mark.parametrize("per_patient", [1, 4])
def test_an_area_of_few_positive_patients_is_worth_few_exams(per_patient):
    """One pair of 5,000 is inverted, and yet five patients cannot show an area above .99."""
    target = np.repeat(np.arange(1005) < 5, per_patient).astype(int)
    whose = np.repeat(np.arange(1005), per_patient).astype(str)
    p = np.where(target == 1, 0.9, 0.1)
    p[0], p[-1] = 0.5, 0.6
    names, zeros = np.arange(len(p)).astype(str), np.zeros((len(p), 2))
    chances = np.stack([1 - p, p], 1)
    made = Predictions(Task(("no", "yes")), names, whose, names, target, chances, zeros)
    for rarer in (made, replace(made, target=1 - target, probabilities=chances[:, ::-1])):
        found = find_figures(rarer, Decision((0.5,)), resamples=40).whole["auc"]
        assert 0.9997 < found.value < 1
        assert (found.low, found.high) == pytest.approx(wilson(found.value, 30))


def test_one_patient_alone_shows_no_spread():
    replicates = np.random.default_rng(0).normal(0.9, 0.01, 500)
    found = share(0.9, replicates, patients=1)
    assert (found.low, found.high) == pytest.approx(wilson(0.9, 1, t_quantile(1)))
    found = area(0.9, replicates, patients=1)
    assert (found.low, found.high) == pytest.approx(wilson(0.9, 1))


def test_nothing_known_is_nan():
    for found in (
        proportion(np.array([]), np.array([])),
        share(np.nan, np.array([0.5]), 3),
        area(np.nan, np.array([0.5]), 3),
        loss(np.array([]), np.array([])),
        average([Figure(np.nan)], np.zeros((1, 3))),
        calibration(np.nan, np.array([0.1]), 3, 0.1),
    ):
        assert np.isnan([found.value, found.low, found.high]).all()
    alone = loss(np.array([0.3, 0.4]), np.array([1, 1]))
    assert (alone.low, alone.high) == (0, np.inf)


def test_average_of_independent_and_of_equal_classes():
    one = Figure(0.8, 0.7, 0.88)
    rng = np.random.default_rng(0)
    apart = average([one] * 4, rng.standard_normal((4, 20_000)))
    assert apart.low == pytest.approx(0.8 - 0.1 / 2, abs=0.002)
    assert apart.high == pytest.approx(0.8 + 0.08 / 2, abs=0.002)
    alike = average([one] * 4, np.tile(rng.standard_normal(100), (4, 1)))
    assert (alike.value, alike.low, alike.high) == pytest.approx((0.8, 0.7, 0.88))
    partly = average([one, Figure(np.nan)], np.array([[0.8, 0.9], [np.nan, np.nan]]))
    assert (partly.low, partly.high) == pytest.approx((0.7, 0.88))


def test_calibration_error_gives_way_to_chance():
    replicates = np.random.default_rng(0).normal(0.05, 0.005, 500)
    found = calibration(0.05, replicates, 100, chance=0.03)
    reach = t_quantile(100) * replicates.std(ddof=1)
    assert found.low == pytest.approx(0.05 - 0.03 - reach)
    assert found.high == pytest.approx(0.05 + reach)
    assert calibration(0.02, replicates, 100, chance=0.01).low == 0


def draw(rng, patients, per_patient, share=0.4, area=0.85):
    """Exams of patients, half of whose score's variance is their own, and true values."""
    whose = np.repeat(np.arange(patients), rng.integers(1, per_patient + 1, patients))
    target = (rng.random(patients) < share)[whose].astype(int)
    own = rng.standard_normal(patients)[whose]
    noise = np.sqrt(0.5) * (own + rng.standard_normal(len(whose)))
    gap = np.sqrt(2) * norm.ppf(area)
    p = norm.cdf(noise + gap * (target - 0.5))
    right = norm.cdf(gap / 2)
    truth = {"auc": area, "accuracy": right, "sensitivity": right, "specificity": right}
    names = np.arange(len(whose)).astype(str)
    empty, p = np.full(len(whose), ""), np.stack([1 - p, p], 1)
    task = Task(("no", "yes"))
    return Predictions(task, names, whose.astype(str), empty, target, p, 0 * p), truth


def test_ninety_five_in_a_hundred_intervals_hold_the_truth():
    plans = [(50, 1, 300), (50, 4, 300), (150, 1, 200), (150, 4, 200), (600, 1, 60), (600, 4, 60)]
    rng, held = np.random.default_rng(0), {}
    for patients, per_patient, studies in plans:
        for seed in range(studies):
            predictions, truth = draw(rng, patients, per_patient)
            found = find_figures(predictions, Decision((0.5,)), seed, resamples=150).whole
            for name, true in truth.items():
                inside = found[name].low <= true <= found[name].high
                held.setdefault((name, patients, per_patient), []).append(inside)
    for plan, times in held.items():
        slack = 3 * np.sqrt(0.05 * 0.95 / len(times))
        assert 0.95 - slack < np.mean(times) < 0.95 + slack, plan
    for name in ("auc", "accuracy", "sensitivity", "specificity"):
        times = np.concatenate([t for plan, t in held.items() if plan[0] == name])
        assert 0.93 < np.mean(times) < 0.97, name


def test_areas_of_few_positive_patients_are_covered():
    rng, held = np.random.default_rng(0), []
    for seed in range(150):
        predictions, truth = draw(rng, 205, 1, share=5 / 205, area=0.95)
        found = find_figures(predictions, Decision((0.5,)), seed, resamples=100).whole["auc"]
        if np.isfinite(found.value):
            held.append(found.low <= truth["auc"] <= found.high)
    assert np.mean(held) > 0.95


def test_the_area_of_a_sample_is_inside_its_interval():
    predictions, _ = draw(np.random.default_rng(0), 100, 3)
    found = find_figures(predictions, Decision((0.5,)), resamples=200).whole["auc"]
    wanted = roc_auc_score(predictions.target, predictions.probabilities[:, 1])
    assert found.value == pytest.approx(wanted)
    assert found.low < wanted < found.high


def test_losses_with_one_long_tail_are_bounded_further_up_than_down():
    """The bounds are where Hall's transformation of Student's statistic meets its quantiles."""
    rng = np.random.default_rng(3)
    losses, patients = rng.exponential(0.3, 60) ** 2, np.arange(60)
    found = loss(losses, patients)
    assert found.high - found.value > 1.5 * (found.value - found.low) > 0
    error, gap = losses.std(ddof=1) / 60**0.5, losses - losses.mean()
    skewness = np.mean(gap**3) / np.mean(gap**2) ** 1.5
    for truth, quantile in ((found.low, t_quantile(60)), (found.high, -t_quantile(60))):
        t = (found.value - truth) / error
        cubic = t + skewness * t**2 / 3 / 60**0.5 + skewness**2 * t**3 / 27 / 60
        assert cubic + skewness / 6 / 60**0.5 == pytest.approx(quantile)


def test_losses_without_skewness_have_students_interval():
    losses, patients = np.tile([0.2, 0.4], 20), np.arange(40)
    found, reach = loss(losses, patients), t_quantile(40) * np.std(losses, ddof=1) / 40**0.5
    assert (found.low, found.high) == pytest.approx((0.3 - reach, 0.3 + reach))
    assert loss(losses / 100, patients).low > 0
    same = loss(np.full(5, 0.2), np.arange(5))
    assert (same.low, same.high) == pytest.approx((0.2, 0.2))
