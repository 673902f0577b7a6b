"""A run that learns a code first, and then fits its head."""

import json

import pytest
import torch

from medclf.learn.fit import fit_run
from medclf.learn.member import load_tensors
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Method, Net
from medclf.learn.trained import Held, load_trained
from medclf.learn.transfer import Transfer
from medclf.prepare.exam import Prepare


def recipe(epochs, head="tree"):
    return Recipe(
        Prepare(size=(16, 16), channels=1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(members=2, folds=2, epochs=epochs, batch=16),
        decide=Decide(resamples=50),
        transfer=Transfer("code", head),
        method=Method("code_then_tree", {"code": 8}),
    )


def test_it_comes_to_its_scores_and_its_trees_are_told(tmp_path, make_exams):
    cohort, held = make_exams(90)
    run = fit_run(create_run(tmp_path / "run", recipe(16), cohort, {}), cohort, held)
    assert json.loads((run.folder / "scores.json").read_text())["auc"]["value"] > 0.85
    told = (run.folder / "tree.txt").read_text()
    assert told.startswith("Network 1\nfeature ")
    assert "Network 2" in told
    *learning, head = [row for row in run.log() if row["member"] == 0]
    assert [row["epoch"] for row in learning] == list(range(1, 17))
    assert learning[-1]["val_loss"] < 0.8 * learning[0]["val_loss"]
    assert not any("val_auc" in row for row in learning)
    assert "val_auc" in head
    assert load_trained(run).predict(["new"], Held(held.values[:1]))[0][0].decided


@pytest.mark.parametrize("rows", [3, 5])  # within the code, and between two heads
def test_a_run_interrupted_goes_on_to_the_same_trees(tmp_path, make_exams, rows):
    cohort, held = make_exams(40)
    whole = fit_run(create_run(tmp_path / "whole", recipe(2), cohort, {}), cohort, held)
    run, seen = create_run(tmp_path / "cut", recipe(2), cohort, {}), []

    def interrupt(progress):
        seen.append(progress)
        if len(seen) == rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_run(run, cohort, held, tell=interrupt)
    run = fit_run(run, cohort, held)
    first, second = (load_tensors(one.weights)[0] for one in (whole, run))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    same = [(one.folder / "tree.txt").read_text() for one in (whole, run)]
    assert same[0] == same[1]
