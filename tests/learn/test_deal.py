from dataclasses import replace

from medclf.learn.fit import fit_run
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.settle import Pace, settle
from medclf.learn.trained import Held, load_trained
from medclf.prepare.exam import Prepare


def test_a_long_budget_gives_more_members_than_two_for_each_fold():
    fit = Fit(members=4, folds=4, batch=32, shift=0.04)
    assert settle(fit, Pace(0.01, 0.0005, 21), 600, 2, 200, 400, 5).members == 12


def test_a_run_whose_members_grow_beyond_that_has_all_of_them(tmp_path, make_exams, monkeypatch):
    monkeypatch.setattr(
        "medclf.learn.fit.settle", lambda fit, *_: replace(fit, members=5, epochs=1, shift=0.0)
    )
    settings = Recipe(
        Prepare(size=(16, 16), channels=1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(members=2, folds=2, epochs=0, batch=16),
        decide=Decide(resamples=50),
    )
    cohort, held = make_exams()
    run = fit_run(create_run(tmp_path / "run", settings, cohort, {}), cohort, held)
    assert len(load_trained(run).members) == run.recipe.fit.members == 5
    assert len(load_trained(run).predict(["new"], Held(held.values[:1]))[0]) == 1
    assert run.facts["later_seconds"] > 0
