from dataclasses import replace

import numpy as np
import pytest
import torch

from medclf.errors import SettingError
from medclf.learn.committee import begin_member
from medclf.learn.deal import deal_parts, make_target
from medclf.learn.exams import measure_values, standardised
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Net
from medclf.learn.settle import PROBED, Pace, settle, time_steps
from medclf.prepare.exam import Prepare


def test_settling_fills_the_budget_with_epochs_then_members():
    pace = Pace(step=0.01, judge=0.0001, steps=10)
    fit = Fit(members=5, folds=5, batch=32)
    short = settle(fit, pace, 10, 2, 100, 1000)
    long = settle(fit, pace, 1000, 2, 100, 1000)
    tiny = settle(fit, pace, 0.4, 2, 100, 1000)
    assert short.epochs < long.epochs
    assert long.members > 5
    assert tiny.members == 2  # as many as train at once
    assert (tiny.epochs, tiny.steps) == (4, 6)
    rounds = -(-short.members // 2)
    assert rounds * short.epochs * (0.1 + 0.01) <= 10
    greedy = settle(replace(fit, enough=500_000), pace, 1000, 2, 100, 1000, fixed=True)
    assert greedy.epochs > settle(fit, pace, 1000, 2, 100, 1000, fixed=True).epochs


def test_few_members_that_learnt_are_worth_more_than_many_that_did_not():
    pace = Pace(step=0.1, judge=0.0001, steps=9)
    many = settle(Fit(members=4, folds=4, batch=32), pace, 40, 2, 100, 500)
    few = settle(Fit(members=4, folds=4, batch=32), pace, 20, 2, 100, 500)
    assert many.members == 4
    assert many.epochs * pace.steps >= 150
    assert few.members == 2
    assert few.epochs * pace.steps >= 150


def test_judging_takes_no_more_than_its_share_of_a_short_budget():
    pace = Pace(step=0.01, judge=0.0005, steps=800)
    fit = Fit(members=4, shift=0.04)
    rich = settle(fit, pace, 600, 2, 9000, 19_000, copies=5)
    poor = settle(fit, pace, 60, 2, 9000, 19_000, copies=5)
    poorest = settle(fit, pace, 18, 2, 9000, 19_000, copies=5)
    assert (rich.members, rich.shift) == (4, 0.04)
    assert (poor.members, poor.shift) == (2, 0.0)
    assert (poorest.members, poorest.shift) == (1, 0.0)
    assert settle(fit, pace, 18, 2, 9000, 19_000, copies=5, fixed=True).members == 4


def test_settling_may_keep_the_members_and_cuts_a_pass_that_is_too_long():
    pace = Pace(step=0.01, judge=0.0001, steps=10)
    fit = Fit(members=5, folds=5, batch=32)
    for seconds in (0.2, 10, 1000):
        assert settle(fit, pace, seconds, 2, 100, 1000, fixed=True).members == 5
    slow = Pace(step=1.0, judge=0.01, steps=100)
    cut = settle(Fit(), slow, 40, 1, 100, 500)
    assert (cut.epochs, cut.steps) == (4, 7)  # a quarter of 40 - 500 / 100, less 1 for validation
    dear = settle(Fit(), slow, 40, 1, 500, 500)
    assert (dear.epochs, dear.steps) == (1, 24)  # validation takes 5: two eighths of what is left
    several = settle(Fit(), slow, 200, 1, 100, 500)
    assert (several.epochs, several.steps) == (4, 36)  # a quarter of 195, less 1 for validation
    for seconds in (-100, -4, 1):
        starved = settle(Fit(), slow, seconds, 1, 100, 500)
        assert (starved.epochs, starved.steps) == (1, 1)
    whole = settle(Fit(), slow, 420, 1, 100, 500)
    assert (whole.epochs, whole.steps) == (4, 0)


def test_a_budget_that_holds_hardly_a_step_is_refused():
    slow = Pace(step=20.0, judge=1.0, steps=37)
    assert settle(Fit(), slow, 90, 1, 10, 10).steps > 0
    told = "at least 4 steps wanted, but one of 32 exams takes 20 s here, and 70 s"
    with pytest.raises(SettingError, match=told):
        settle(Fit(batch=32), slow, 70, 1, 10, 10)


def test_a_few_exams_tell_the_pace_of_a_slow_network(make_exams, monkeypatch):
    """So a network that the budget cannot train is refused long before its first whole step."""
    net = Net("sprint", {"width": 16})
    recipe = Recipe(Prepare(size=(16, 16), channels=1), net=net, fit=Fit(batch=32))
    cohort, held = make_exams()
    values = measure_values(held, np.arange(len(held.values)))
    target = make_target(cohort.records, cohort.task)
    exams = standardised(held, target, values, torch.device("cpu"))
    tried = []

    def run(member, exams, several, left):
        tried.append(len(several))

    def seconds(work):
        work()
        return 1.0

    monkeypatch.setattr("medclf.learn.settle.run_epoch", run)
    monkeypatch.setattr("medclf.learn.settle._seconds", seconds)
    part = deal_parts(cohort, recipe)[0]
    member = begin_member(recipe, cohort.task, exams, part, 0)
    assert time_steps([member], exams, [part], 1).step == 32 / PROBED
    assert set(tried) == {PROBED}
