import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medclf.core.task import Task
from medclf.learn.committee import build_method
from medclf.learn.fit import fit_run
from medclf.learn.frozen import Known, _fit_head, _lines, _see_alike, embed, questions
from medclf.learn.member import load_tensors, seeded
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.settings import Method as Way
from medclf.learn.trained import Held, load_trained
from medclf.learn.transfer import Transfer
from medclf.net.forest import Forest
from medclf.prepare.exam import Prepare


def recipe(head, dims=2):
    return Recipe(
        Prepare(size=(16,) * dims, channels=1),
        net=Net("sprint", {"width": 16}),
        transfer=Transfer(learn="head", head=head),
        fit=Fit(members=2, folds=2, epochs=1, batch=16),
        decide=Decide(resamples=50),
    )


@pytest.mark.parametrize("head", ["logistic", "svm", "forest"])
@pytest.mark.parametrize("kind", ["exclusive", "coexisting", "ranked"])
def test_every_head_learns_every_kind_of_task(tmp_path, make_exams, head, kind):
    cohort, held = make_exams(120, kind=kind, classes=3)
    run = fit_run(create_run(tmp_path / "run", recipe(head), cohort, {}), cohort, held)
    scores = json.loads((run.folder / "scores.json").read_text())
    assert scores["auc"]["value"] > 0.85
    once, _ = load_trained(run).predict(["new"], Held(held.values[:1]))
    again, _ = load_trained(run).predict(["new"], Held(held.values[:1]))
    assert once == again
    assert sum(once[0].probabilities) == pytest.approx(1) or kind == "coexisting"


def test_the_body_stays_as_it_was(tmp_path, make_exams):
    cohort, held = make_exams(60)
    settings = recipe("logistic")
    one = fit_run(create_run(tmp_path / "one", settings, cohort, {}), cohort, held)
    other = replace(settings, transfer=Transfer(learn="head", head="svm"))
    two = fit_run(create_run(tmp_path / "two", other, cohort, {}), cohort, held)
    first, second = (load_tensors(run.weights)[0] for run in (one, two))
    for name in first:
        assert torch.equal(first[name], second[name]) == (".linear." not in name), name


@pytest.mark.parametrize("classes", [2, 3])
def test_lines_are_those_of_scikit_learn(classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(5, 3, (90, 4)), np.arange(90) % classes
    x[:, 0] += 2 * y
    task = Task(tuple("abc"[:classes]))
    weight, bias = _lines(task, "logistic", 0.1, x, y[:, None])
    truth = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(task.probabilities(x @ weight.T + bias), truth, atol=1e-4)


def test_questions_follow_the_task():
    target = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    assert questions(Task(tuple("abc")), target).tolist() == [[0], [2], [1]]
    assert questions(Task(tuple("abc"), "ranked"), target).tolist() == [[0, 0], [1, 1], [1, 0]]
    both = np.array([[1, 0], [1, 1]], np.float32)
    assert questions(Task(("a", "b"), "coexisting"), both).tolist() == [[1, 0], [1, 1]]


def test_features_are_worked_out_once_for_bodies_in_common(tmp_path, make_exams, monkeypatch):
    cohort, held = make_exams(60)
    seen = []
    monkeypatch.setattr(
        "medclf.learn.frozen.embed", lambda *values: seen.append(1) or embed(*values)
    )
    run = create_run(tmp_path / "apart", recipe("logistic"), cohort, {})
    fit_run(run, cohort, held)
    assert len(seen) == 2  # drawn by chance, each member another
    monkeypatch.setattr("medclf.learn.committee.seeded", lambda *parts: seeded(0))
    run = create_run(tmp_path / "common", recipe("logistic"), cohort, {})
    fit_run(run, cohort, held)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("name", "alike"), [("whole_image", True), ("filters_then_sequence", False)]
)
def test_features_are_those_of_another_member_only_where_nothing_before_the_head_differs(
    name, alike
):
    settings = replace(recipe("logistic"), method=Way(name), transfer=Transfer())
    task, cpu = Task(("a", "b")), torch.device("cpu")
    one, other = (build_method(settings, task, number, cpu) for number in (0, 1))
    assert not _see_alike(one, other)
    other.network.body.load_state_dict(one.network.body.state_dict())
    assert _see_alike(one, other) == alike


@pytest.mark.parametrize("head", ["logistic", "svm"])
@pytest.mark.parametrize("seen", [(0, 2), (1, 2, 3), (2,)])
def test_a_class_without_a_training_exam_is_hardly_ever_said(head, seen):
    rng, task = np.random.default_rng(0), Task(tuple("abcd"))
    y = np.array(seen)[np.arange(60) % len(seen)]
    x = rng.normal(size=(60, 5))
    x[:, 0] += 4 * y
    weight, bias = _lines(task, head, 0.1, x, y[:, None])
    shares = task.probabilities(x @ weight.T + bias)
    assert shares.shape == (60, 4)
    assert (shares.argmax(1) == y).mean() > 0.8
    assert shares[:, np.setdiff1d(range(4), seen)].max() < 0.01


def test_a_tree_is_asked_where_it_lies(monkeypatch):
    forest = Forest(2, exclusive=True, trees=1)
    asked = []
    monkeypatch.setattr(Forest, "forward", lambda _, x: asked.append(x) or torch.zeros(len(x), 2))
    network = SimpleNamespace(forest=forest.to("meta"))
    method = SimpleNamespace(network=network, task=Task(("a", "b")))
    member = SimpleNamespace(method=method, fit=Fit(), number=0)
    monkeypatch.setattr("medclf.learn.frozen.plant_tree", lambda *told: told[-1]())
    known = Known(np.zeros((4, 3)), np.eye(2, dtype=np.float32)[[0, 1, 0, 1]])
    _fit_head(member, "tree", known, known)
    assert (asked[0].device.type, asked[0].dtype) == ("meta", torch.float32)
