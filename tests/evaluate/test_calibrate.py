import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from medclf.core.task import Task
from medclf.errors import CohortError, SettingError
from medclf.evaluate.calibrate import (
    Calibration,
    _cost,
    _slope,
    fit_calibration,
    fit_temperature,
    inverse_link,
)
from medclf.evaluate.score import log_loss

TASKS = [
    Task(("no", "yes")),
    Task(("a", "b", "c")),
    Task(("x", "y", "z"), "coexisting"),
    Task(("mild", "moderate", "severe", "fatal"), "ranked"),
]


def draw(task, exams, seed=0, temperature=1.0, bias=0.0):
    """Draw logits that would be true after division by `temperature` and adding `bias`."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.standard_normal((exams, task.outputs))
    if task.kind == "ranked":
        logits = -np.sort(-logits, axis=1)
    p = task.probabilities(logits / temperature + bias)
    if task.kind == "coexisting":
        return logits, (rng.random(p.shape) < p).astype(int)
    return logits, (rng.random((exams, 1)) > p.cumsum(1)).sum(1).clip(0, p.shape[1] - 1)


@pytest.mark.parametrize("task", TASKS, ids=lambda t: f"{t.kind} {len(t.classes)}")
def test_inverse_link_is_the_inverse(task):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(len(task.classes)), 20)
    np.testing.assert_allclose(task.probabilities(inverse_link(task, p)), p, atol=1e-10)
    certain = np.eye(len(task.classes))
    logits = inverse_link(task, certain)
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(task.probabilities(logits), certain, atol=1e-10)


@pytest.mark.parametrize("task", TASKS, ids=lambda t: f"{t.kind} {len(t.classes)}")
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_finds_the_temperature_that_made_the_labels(task, temperature):
    logits, target = draw(task, 5000, temperature=temperature)
    assert fit_temperature(task, logits, target) == pytest.approx(temperature, rel=0.1)


@pytest.mark.parametrize("task", TASKS, ids=lambda t: f"{t.kind} {len(t.classes)}")
def test_finds_the_bias_that_made_the_labels(task):
    bias = np.linspace(1.5, -1.5, task.outputs) if task.outputs > 1 else np.array([1.0])
    logits, target = draw(task, 5000, temperature=2, bias=bias)
    found = fit_calibration(task, logits, target)
    assert found.temperature == pytest.approx(2, rel=0.1)
    np.testing.assert_allclose(np.array(found.bias), bias, atol=0.2)
    before = log_loss(target, task.probabilities(logits))
    assert log_loss(target, found.apply(task, logits)) < before
    shares = found.apply(task, logits).mean(0)
    seen = target.mean(0) if target.ndim == 2 else np.bincount(target) / len(target)
    np.testing.assert_allclose(shares, seen, atol=0.01)


def test_agrees_with_an_optimiser_of_its_own():
    task = TASKS[1]
    logits, target = draw(task, 100, temperature=3)

    def cost(x):
        chosen = log_softmax(logits / x[0], axis=1)[np.arange(100), target]
        return -chosen.sum() + (np.log(x[0]) / 0.5) ** 2 / 2

    wanted = minimize(cost, [1.0], method="Nelder-Mead", options={"xatol": 1e-8}).x[0]
    assert fit_temperature(task, logits, target) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("task", TASKS[:3], ids=lambda t: f"{t.kind} {len(t.classes)}")
def test_the_slope_is_that_of_the_cost(task):
    logits, target = draw(task, 40)
    rng = np.random.default_rng(1)
    x = rng.standard_normal(1 + task.outputs)
    steps = 1e-5 * np.eye(len(x))
    numeric = [
        (_cost(task, logits, target, x + s) - _cost(task, logits, target, x - s)) / 2e-5
        for s in steps
    ]
    np.testing.assert_allclose(_slope(task, logits, target, x), numeric, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("exams", [2, 20, 100])
def test_a_sample_that_is_all_right_does_not_make_boundlessly_sure(exams):
    task = TASKS[0]
    target = np.arange(exams) % 2
    logits = np.stack([-2.0 * target, 2.0 * target], 1) + 1
    found = fit_calibration(task, logits, target)
    assert 0.2 < found.temperature <= 1
    assert np.abs(found.bias).max() < 3


def test_a_sample_that_is_all_wrong_stays_bounded():
    target = np.arange(400) % 2
    logits = np.stack([20.0 * target, 20.0 * (1 - target)], 1)
    assert 5 < fit_temperature(TASKS[0], logits, target) <= 20


def test_exams_without_label_do_not_count():
    logits, target = draw(TASKS[1], 60)
    hidden = np.where(np.arange(60) < 30, -1, target)
    wanted = fit_calibration(TASKS[1], logits[30:], target[30:])
    assert fit_calibration(TASKS[1], logits, hidden) == wanted
    with pytest.raises(CohortError, match="labelled"):
        fit_temperature(TASKS[1], logits, np.full(60, -1))


def test_ensembles_are_calibrated_from_their_mean():
    task = TASKS[0]
    first, target = draw(task, 500)
    mean = (task.probabilities(first) + task.probabilities(first / 3)) / 2
    found = fit_calibration(task, inverse_link(task, mean), target, bias=False)
    assert found.bias == ()
    after = found.apply(task, inverse_link(task, mean))
    assert log_loss(target, after) < log_loss(target, mean)


def test_wrong_numbers_are_refused():
    with pytest.raises(SettingError, match="2 logits"):
        Calibration(1.0, (0.0, 0.0, 0.0)).apply(TASKS[0], np.zeros((1, 2)))
    with pytest.raises(SettingError, match="3 probabilities"):
        inverse_link(TASKS[1], np.full((1, 2), 0.5))
