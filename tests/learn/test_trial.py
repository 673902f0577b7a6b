from dataclasses import replace

import numpy as np
import pytest
import torch

from medclf.learn.committee import at_once
from medclf.learn.deal import deal_parts, make_target
from medclf.learn.exams import measure_values, standardised
from medclf.learn.fit import fit_run
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.settle import Pace
from medclf.learn.trial import hold_trials, try_mirror
from medclf.prepare.exam import Prepare

PACE = Pace(step=0.01, judge=1e-4, steps=10)


def recipe(**fit):
    settings = {"members": 2, "epochs": 3, "batch": 16, **fit}
    net = Net("sprint", {"width": 16})
    decide = Decide(resamples=50)
    return Recipe(Prepare(size=(16, 16), channels=1), net=net, fit=Fit(**settings), decide=decide)


@pytest.fixture
def hold(make_exams):
    """Hold the trials of a recipe."""
    cohort, held = make_exams(80)

    def hold(settings, seconds, trial=hold_trials, pace=PACE):
        parts = deal_parts(cohort, settings)[: at_once(settings, torch.device("cpu"))]
        values = measure_values(held, parts[0].training)
        target = make_target(cohort.records, cohort.task)
        exams = standardised(held, target, values, torch.device("cpu"))
        return trial(settings, cohort.task, exams, parts, pace, seconds)

    return hold


def test_a_rate_at_which_nothing_is_learnt_is_not_chosen(hold):
    verdict = hold(recipe(rate=1e-9, rates=(1e-9, 3e-3)), 100)
    assert (verdict.recipe.fit.rate, verdict.recipe.fit.rates) == (3e-3, ())
    assert verdict.recipe.fit.epochs == 3  # The trial's own stay its own.
    assert "tried for 15 epochs: validation loss" in verdict.reasons["fit.rate"]
    assert set(verdict.reasons) == {"fit.rate"}


def test_a_rate_that_diverges_is_not_chosen(hold):
    verdict = hold(recipe(rates=(1e30, 3e-3), rate=1e30), 100)
    assert verdict.recipe.fit.rate == 3e-3
    assert "inf at 1e+30" in verdict.reasons["fit.rate"]


def test_without_time_the_rate_stays_and_nothing_is_mirrored(hold):
    verdict = hold(recipe(rate=2e-3, rates=(1e-9, 3e-3), mirror="try"), 1)
    assert (verdict.recipe.fit.rate, verdict.recipe.fit.rates) == (2e-3, ())
    assert verdict.recipe.augment.mirror == ()
    assert "fewer than 100 steps of each fit" in verdict.reasons["fit.rate"]
    assert "no time" in verdict.reasons["augment.mirror"]


def test_a_trial_of_too_few_steps_is_none(hold):
    verdict = hold(recipe(rate=2e-3, rates=(1e-9, 3e-3)), 100, pace=replace(PACE, steps=3))
    assert verdict.recipe.fit.rate == 2e-3
    assert "fewer than 100 steps of each fit" in verdict.reasons["fit.rate"]


def test_a_pass_that_is_too_long_is_cut_for_the_trial_of_rates(hold, monkeypatch):
    monkeypatch.setattr("medclf.learn.trial.FEWEST_STEPS", 2)
    verdict = hold(recipe(rates=(1e-9, 3e-3)), 1, pace=replace(PACE, steps=100))
    assert "tried for 5 steps" in verdict.reasons["fit.rate"]


def test_mirror_images_are_allowed_where_they_help_everywhere(hold, monkeypatch):
    losses = iter([[0.5, 0.6], [0.4, 0.5]])
    monkeypatch.setattr("medclf.learn.trial._losses", lambda *_: np.array(next(losses)))
    verdict = hold(recipe(mirror="try"), 100, try_mirror)
    assert verdict.recipe.augment.mirror == (1,)
    losses = iter([[0.5, 0.6], [0.4, 0.7]])
    verdict = hold(recipe(mirror="try"), 100, try_mirror)
    assert verdict.recipe.augment.mirror == ()
    assert "only where all gain" in verdict.reasons["augment.mirror"]


def test_a_run_tries_its_rates_and_keeps_what_it_found(tmp_path, make_exams, monkeypatch):
    monkeypatch.setattr("medclf.learn.trial.FEWEST_STEPS", 2)  # The exams are few.
    cohort, held = make_exams(80)
    run = create_run(tmp_path / "run", recipe(rates=(1e-9, 3e-3)), cohort, {"reasons": {}})
    run = fit_run(run, cohort, held, seconds=60)
    assert (run.recipe.fit.rate, run.recipe.fit.settled) == (3e-3, True)
    assert "fit.rate" in run.facts["reasons"]


def test_a_recipe_that_bounds_its_steps_is_tried_within_them(hold, monkeypatch):
    tried = []
    monkeypatch.setattr(
        "medclf.learn.trial._losses", lambda way, *_: tried.append(way.fit) or np.zeros(2)
    )
    pace = Pace(step=0.05, judge=0.0, steps=20)
    verdict = hold(recipe(mirror="try", steps=20, rates=(1e-3, 3e-3)), 100, pace=pace)
    assert {(fit.epochs, fit.steps) for fit in tried} == {(6, 20)}
    assert "tried for 6 epochs" in verdict.reasons["augment.mirror"]
    assert "tried for 6 epochs" in verdict.reasons["fit.rate"]


def test_a_trial_weighs_classes_as_the_training_does(hold, monkeypatch):
    weighed = []

    def train(members, *_):
        weighed.extend(member.method.lesson.class_weights for member in members)
        for member in members:
            member.log.append({"val_loss": 1.0})

    monkeypatch.setattr("medclf.learn.trial.train_committee", train)
    hold(recipe(mirror="try", balance="loss"), 100)
    assert weighed
    assert all(weighed)
