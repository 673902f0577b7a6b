import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from medclf.errors import CohortError
from medclf.evaluate.table import read_predictions
from medclf.learn.committee import at_once, class_weights
from medclf.learn.deal import deal_parts
from medclf.learn.fit import fit_run
from medclf.learn.keep import Keeper
from medclf.learn.member import Member, load_tensors
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.settle import time_steps
from medclf.learn.trained import Held, load_trained
from medclf.prepare.exam import Prepare


def recipe(dims=2, **fit):
    settings = {"members": 2, "epochs": 3, "batch": 16, "shift": 0.06, **fit}
    return Recipe(
        Prepare(size=(16,) * dims, channels=1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(**settings),
        decide=Decide(resamples=50),
    )


def weights(run):
    return load_tensors(run.weights)[0]


@pytest.mark.parametrize("kind", ["exclusive", "coexisting", "ranked"])
@pytest.mark.parametrize("dims", [2, 3])
def test_every_kind_of_task_comes_to_its_scores(tmp_path, make_exams, dims, kind):
    cohort, held = make_exams(dims=dims, kind=kind, classes=3)
    run = create_run(tmp_path / "run", recipe(dims), cohort, {})
    run = fit_run(run, cohort, held)
    scores = json.loads((run.folder / "scores.json").read_text())
    assert scores["n_exams"] == 10
    assert 0 <= scores["auc"]["low"] <= scores["auc"]["value"] <= scores["auc"]["high"] <= 1
    found = read_predictions(run.folder / "predictions.csv", run.task)
    assert set(found.splits) == {"val", "test"}
    assert not (run.folder / "checkpoint").exists()
    (answer,), _ = load_trained(run).predict(["new"], Held(held.values[:1]))
    assert len(answer.probabilities) == 3


def test_what_is_plain_is_learnt(tmp_path, make_exams):
    cohort, held = make_exams(120)
    run = create_run(tmp_path / "run", recipe(epochs=10, folds=3, members=3), cohort, {})
    run = fit_run(run, cohort, held)
    scores = json.loads((run.folder / "scores.json").read_text())
    assert scores["auc"]["value"] > 0.95


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_run_interrupted_and_resumed_ends_with_the_same_weights(tmp_path, make_exams, dropout):
    cohort, held = make_exams()
    settings = recipe(folds=3, members=3, epochs=4)
    settings = replace(settings, net=replace(settings.net, dropout=dropout))
    whole = fit_run(create_run(tmp_path / "whole", settings, cohort, {}), cohort, held)
    run = create_run(tmp_path / "cut", settings, cohort, {})

    def interrupt(progress):
        if progress.done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_run(run, cohort, held, tell=interrupt)
    assert len(list((run.folder / "checkpoint").iterdir())) >= 2
    run = fit_run(run, cohort, held)
    assert weights(whole).keys() == weights(run).keys()
    assert all(torch.equal(t, weights(run)[name]) for name, t in weights(whole).items())
    epochs = [(row["member"], row["epoch"]) for row in run.log()]
    assert sorted(epochs) == [(m, e) for m in range(3) for e in range(1, 5)]
    same = [(p / "predictions.csv").read_text() for p in (whole.folder, run.folder)]
    assert same[0] == same[1]


def test_members_side_by_side_learn_as_they_do_alone(tmp_path, make_exams, monkeypatch):
    cohort, held = make_exams()
    both = fit_run(create_run(tmp_path / "both", recipe(), cohort, {}), cohort, held)
    monkeypatch.setattr("medclf.learn.fit.at_once", lambda recipe, device: 1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = fit_run(create_run(tmp_path / "alone", recipe(), cohort, {}), cohort, held)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(t, weights(alone)[name]) for name, t in weights(both).items())


@pytest.mark.parametrize(
    ("net", "together"),
    [
        (Net("resnet18"), True),
        (Net("resnet18", {"drop_path": 0.1}), False),
        (Net("resnet18", dropout=0.1), False),
        (Net("vgg11", pool="dense"), False),
        (Net("nin"), False),
        (Net("nin", {"inner_dropout": 0.0}), True),
    ],
)
def test_members_that_drop_by_chance_learn_one_by_one(net, together, monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    assert at_once(replace(recipe(), net=net), torch.device("cpu")) == 1 + together


def test_no_member_validates_on_what_it_learnt_from(make_exams):
    cohort, _ = make_exams()
    patients = np.array([record.patient for record in cohort.records])
    splits = np.array([record.split for record in cohort.records])
    parts = deal_parts(cohort, recipe(folds=4, members=4))
    for part in parts:
        assert not set(patients[part.training]) & set(patients[part.validation])
        assert "test" not in splits[np.concatenate([part.training, part.validation])]
    everyone = np.unique(np.concatenate([part.validation for part in parts]))
    assert set(everyone) == set(np.flatnonzero(splits != "test"))


def test_nothing_to_validate_on_is_refused(make_exams):
    cohort, _ = make_exams()
    training = tuple(replace(r, split="train") for r in cohort.records)
    with pytest.raises(CohortError, match="60 and 0"):
        deal_parts(replace(cohort, records=training), recipe())


def test_a_budget_is_settled_by_the_pace_of_a_few_steps(tmp_path, make_exams, monkeypatch):
    def time_slow_steps(*told):
        return replace(time_steps(*told), step=1.5, judge=0.0)

    monkeypatch.setattr("medclf.learn.fit.time_steps", time_slow_steps)
    monkeypatch.setattr("medclf.learn.fit.at_once", lambda recipe, device: 2)
    cohort, held = make_exams()
    run = create_run(tmp_path / "run", recipe(epochs=0, mirror="try"), cohort, {})
    run = fit_run(run, cohort, held, seconds=120)
    # 108.8 s are for training, less what was spent already; an epoch takes 2 steps, or 3 s.
    assert run.recipe.fit.epochs == 30
    assert run.facts["reasons"]["fit.epochs"] == "settled: a step took 1500 ms, an epoch has 2"
    assert run.recipe.fit.mirror == "no"
    assert "tried for 2 epochs" in run.facts["reasons"]["augment.mirror"]


def test_no_epoch_begins_for_which_the_budget_has_no_time_left(tmp_path, make_exams, monkeypatch):
    cohort, held = make_exams()
    run = create_run(tmp_path / "run", recipe(epochs=6), cohort, {})
    clock = SimpleNamespace(monotonic=lambda: 0.0 if len(run.log()) < 4 else np.inf)
    monkeypatch.setattr("medclf.learn.keep.time", clock)
    monkeypatch.setattr("medclf.learn.fit.at_once", lambda recipe, device: 1)
    run = fit_run(run, cohort, held, seconds=1000)
    assert [(row["member"], row["epoch"]) for row in run.log()] == [(0, n) for n in range(1, 5)]
    assert run.recipe.fit.members == 1
    assert run.done


def test_an_epoch_is_in_time_if_one_as_long_as_the_last_fits(tmp_path, monkeypatch):
    keeper = Keeper(tmp_path, [], deadline=100.0, tell=None)
    monkeypatch.setattr("medclf.learn.keep.time", SimpleNamespace(monotonic=lambda: 97.0))
    assert [keeper.in_time(seconds) for seconds in (0.0, 2.9, 3.0)] == [True, True, False]
    assert Keeper(tmp_path, [], deadline=None, tell=None).in_time(1e9)


@pytest.mark.parametrize(("epochs", "kept"), [(2, 2), (3, 4)])
def test_members_that_the_budget_left_half_trained_are_left_out(
    tmp_path, make_exams, monkeypatch, epochs, kept
):
    cohort, held = make_exams()
    keep = Keeper.__call__

    def end_the_last_two(keeper: Keeper, member: Member) -> bool:
        return keep(keeper, member) and (member.number < 2 or member.epoch < epochs)

    monkeypatch.setattr(Keeper, "__call__", end_the_last_two)
    run = create_run(tmp_path / "run", recipe(members=4, folds=4, epochs=6), cohort, {})
    run = fit_run(run, cohort, held)
    assert run.recipe.fit.members == len(load_trained(run).members) == kept
    assert {name.partition(".")[0] for name in weights(run)} == {str(n) for n in range(kept)}
    told = run.facts["reasons"].get("fit.members", "")
    assert told == ("the budget ended before 2 more were half trained" if kept == 2 else "")
    every = create_run(tmp_path / "every", recipe(members=4, folds=4, epochs=6), cohort, {})
    assert fit_run(every, cohort, held, fixed=True).recipe.fit.members == 4


def test_a_budget_below_one_pass_cuts_the_pass(tmp_path, make_exams):
    cohort, held = make_exams()
    run = create_run(tmp_path / "run", recipe(members=3, folds=3, epochs=0), cohort, {})
    run = fit_run(run, cohort, held, seconds=1e-3, fixed=True)
    assert run.recipe.fit.steps == 1
    assert "shorter than a few passes" in run.facts["reasons"]["fit.steps"]
    notes = json.loads((run.folder / "scores.json").read_text())["notes"]
    assert "The budget allowed 1 of 150 steps at least: give more minutes." in notes


def test_the_test_split_does_not_touch_what_is_learnt(tmp_path, make_exams):
    cohort, held = make_exams()
    one = fit_run(create_run(tmp_path / "one", recipe(), cohort, {}), cohort, held)
    for i, record in enumerate(cohort.records):
        if record.split == "test":
            held.values[i] = 0
    other = fit_run(create_run(tmp_path / "other", recipe(), cohort, {}), cohort, held)
    assert all(torch.equal(t, weights(other)[name]) for name, t in weights(one).items())
    assert one.facts["calibration"] == other.facts["calibration"]
    assert one.facts["decision"] == other.facts["decision"]


def test_class_weights_even_out_and_average_to_one(make_exams):
    cohort, _ = make_exams(classes=3)
    target = torch.eye(3)[torch.tensor([0] * 60 + [1] * 30 + [2] * 10)]
    weights = torch.tensor(class_weights(target, cohort.task))
    assert (target @ weights).mean() == pytest.approx(1)
    assert weights.tolist() == pytest.approx([100 / 180, 100 / 90, 100 / 30])
