"""Judges become one: weights find the good ones, and what cannot be told apart stays a mean."""

from dataclasses import replace

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.evaluate.combine import WAYS, Combination, choose_way, fit_combination
from medclf.evaluate.score import log_losses
from medclf.evaluate.table import Predictions

TASKS = {
    "binary": Task(("no", "yes")),
    "exclusive": Task(("a", "b", "c")),
    "coexisting": Task(("x", "y", "z"), "coexisting"),
    "ranked": Task(("mild", "moderate", "severe"), "ranked"),
}


def judged(task, noise, count=240):
    """Make exams, and judges whose logits are true but for noise of these deviations."""
    rng = np.random.default_rng(0)
    both = task.kind == "coexisting"
    classes = len(task.classes)
    target = rng.integers(0, 2, (count, classes)) if both else rng.integers(0, classes, count)
    if both:
        truth = 2.0 * target - 1
    elif task.kind == "ranked":
        truth = 2.0 * (target[:, None] > np.arange(classes - 1)) - 1
    else:
        truth = 2.0 * np.eye(classes)[target]
    shares = np.stack([task.probabilities(truth + rng.normal(0, n, truth.shape)) for n in noise])
    names = np.array([f"e{i:04d}" for i in range(count)])
    patients = np.array([f"p{i // 2}" for i in range(count)])
    splits, zeros = np.full(count, "val"), np.zeros(shares.shape[1:])
    return Predictions(task, names, patients, splits, target, shares[0], zeros), shares


@pytest.mark.parametrize("kind", TASKS)
def test_every_way_gives_probabilities_of_every_kind_of_task(kind):
    task = TASKS[kind]
    found, shares = judged(task, (0.5, 1.0, 3.0))
    worst = max(float(log_losses(found.target, each).mean()) for each in shares)
    for way in WAYS:
        joined = fit_combination(way, task, found.target, shares)
        given = joined.apply(task, shares)
        assert ((given >= 0) & (given <= 1)).all()
        assert task.kind == "coexisting" or np.allclose(given.sum(1), 1)
        assert float(log_losses(found.target, given).mean()) < worst
        assert (joined.spread(shares, 0 * shares) >= 0).all()


def test_weights_are_shares_and_favour_the_better_judge():
    task = TASKS["binary"]
    found, shares = judged(task, (0.3, 4.0, 4.0))
    weights = np.array(fit_combination("weights", task, found.target, shares).weights)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights[0] > 0.8

    def loss(first):
        mixed = Combination("weights", (first, (1 - first) / 2, (1 - first) / 2))
        return log_losses(found.target, mixed.apply(task, shares)).mean()

    best = min(np.linspace(0, 1, 101), key=loss)
    assert loss(weights[0]) <= loss(best) + 1e-3


def test_what_chance_may_have_made_stays_a_mean():
    found, shares = judged(TASKS["binary"], (1.0, 1.0))
    way, losses = choose_way(found, shares[[0, 0]], 0)
    assert way == "mean"
    assert set(losses) == set(WAYS)
    found, shares = judged(TASKS["binary"], (0.3, 6.0, 6.0))
    assert choose_way(found, shares, 0)[0] != "mean"


def repeated(found, shares, times):
    """Show each exam so many times, as those of one patient."""
    each = np.repeat(np.arange(len(found)), times)
    names = np.arange(len(each)).astype(str)
    same = {n: getattr(found, n)[each] for n in ("splits", "target", "probabilities", "spread")}
    return replace(found, exams=names, patients=found.exams[each], **same), shares[:, each]


def test_ten_exams_of_a_patient_are_no_surer_lead_than_one():
    found, shares = repeated(*judged(TASKS["binary"], (0.8, 1.5), 24), 10)
    way, losses = choose_way(found, shares, 0)
    assert min(losses, key=losses.get) == "stacking"
    assert way == "weights"


def test_one_patient_leaves_the_mean():
    found, shares = repeated(*judged(TASKS["binary"], (0.3, 6.0), 1), 3)
    assert choose_way(found, shares, 0) == ("mean", {})


def test_what_all_rule_out_and_what_no_exam_shows():
    task = TASKS["exclusive"]
    found, shares = judged(task, (0.5, 0.5))
    shares = shares * [1, 1, 0] / (shares * [1, 1, 0]).sum(-1, keepdims=True)
    target = found.target % 2
    for way in WAYS:
        assert not fit_combination(way, task, target, shares).apply(task, shares)[:, 2].any()
    with pytest.raises(SettingError, match="by mean, weights, stacking, not by 'vote'"):
        fit_combination("vote", task, target, shares)
