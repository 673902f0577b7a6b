import json
from dataclasses import replace

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.errors import CohortError, ReadError
from medclf.evaluate.figures import find_figures
from medclf.evaluate.scores import Scores, score
from medclf.evaluate.table import read_predictions, write_predictions
from medclf.evaluate.threshold import Decision

CASES = [
    (2, "exclusive", Decision((0.4,), "balanced")),
    (4, "ranked", Decision()),
    (3, "coexisting", Decision((0.4, 0.5, 0.6), "f1", coexisting=True)),
]


@pytest.mark.parametrize(("classes", "kind", "decision"), CASES)
def test_json_says_all_and_is_taken_back(predicted, classes, kind, decision):
    made = predicted(200, classes, kind, per_patient=2)
    found = score(made, decision, seed=3, resamples=40)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert Scores.from_json(json.loads(text)) == found
    plain = json.loads(text)
    assert plain["auc"].keys() == {"value", "low", "high"}
    assert (plain["n_exams"], plain["n_patients"], plain["seed"]) == (200, 100, 3)
    assert plain["per_class"].keys() == set(made.task.classes)
    assert plain["per_class"]["class 1"]["auc"]["value"] > 0.5
    assert plain["subgroups"]["sex"]["F"]["accuracy"]["value"] > 0.4
    assert plain["decision"]["thresholds"] == list(decision.thresholds)
    assert ("kappa" in plain) == (kind == "ranked")


def test_figures_are_those_of_the_same_seed(predicted):
    made = predicted(100)
    found = score(made, Decision((0.5,)), seed=7, resamples=30)
    assert found.figures == find_figures(made, Decision((0.5,)), 7, 30).whole


def test_an_auditor_recomputes_the_scores_from_the_file(tmp_path, predicted):
    made = predicted(120, 3)
    write_predictions(tmp_path / "predictions.csv", made)
    again = read_predictions(tmp_path / "predictions.csv", made.task)
    first, second = (score(p, Decision(), resamples=30).to_json() for p in (made, again))
    assert json.dumps(first) == json.dumps(second)


def test_what_cannot_be_told_is_null_and_noted(predicted):
    made = predicted(60, 3)
    made = replace(made, target=np.where(made.target == 2, -1, made.target))
    found = score(made, Decision(), resamples=30)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["per_class"]["class 2"]["auc"] == {"value": None, "low": None, "high": None}
    assert plain["per_class"]["class 2"]["n_exams"] == 0
    assert any("'class 2'" in note for note in plain["notes"])
    assert any("without a label" in note for note in plain["notes"])
    assert json.dumps(Scores.from_json(plain).to_json()) == json.dumps(plain)


def test_the_note_on_a_class_that_is_missing_names_the_means_without_it(predicted):
    made = predicted(60, 3, "coexisting")
    target = made.target.copy()
    target[:, 1:] = (0, 1)
    decision = Decision((0.4, 0.5, 0.6), coexisting=True)
    found = score(replace(made, target=target), decision, resamples=30)
    means = "AUC, average precision, sensitivity and balanced accuracy"
    assert found.notes == (
        f"no exam has the class 'class 1': it is left out of the means of {means}",
        "every exam has the class 'class 2': it is left out of the means of AUC, specificity and "
        "balanced accuracy",
    )
    for name, figures in (("class 1", means.split(" and ")[0]), ("class 2", "AUC, specificity")):
        lacking = {n for n, f in found.per_class[name].figures.items() if np.isnan(f.value)}
        assert lacking == {word.lower().replace(" ", "_") for word in figures.split(", ")}


def test_classes_and_groups_may_bear_any_name(predicted):
    made = replace(predicted(60), task=Task(("value", "auc")))
    made = replace(made, facts={"low": ("value", "high", "note") * 20})
    found = score(made, Decision((0.5,)), resamples=30)
    assert Scores.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_nothing_to_score_and_damage_are_refused(predicted):
    made = predicted(10)
    with pytest.raises(CohortError, match="none has a label"):
        score(replace(made, target=np.full(10, -1)), Decision((0.5,)))
    for damaged in (
        {},
        {"per_class": 3},
        {**score(made, Decision((0.5,)), 0, 9).to_json(), "decision": 1},
    ):
        with pytest.raises(ReadError, match="damaged"):
            Scores.from_json(damaged)
