from dataclasses import replace

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.evaluate.figures import find_figures
from medclf.evaluate.measure import Measure
from medclf.evaluate.threshold import Decision

CASES = [
    (2, "exclusive", Decision((0.4,))),
    (4, "exclusive", Decision()),
    (4, "ranked", Decision()),
    (3, "coexisting", Decision((0.4, 0.5, 0.6), coexisting=True)),
    (1, "coexisting", Decision((0.4,), coexisting=True)),
]


@pytest.mark.parametrize("per_patient", [1, 3])
@pytest.mark.parametrize(("classes", "kind", "decision"), CASES)
def test_values_are_those_measured_and_lie_within(predicted, classes, kind, decision, per_patient):
    made = predicted(150, classes, kind, per_patient)
    found, wanted = find_figures(made, decision, resamples=100), Measure(made, decision)()
    assert found.whole.keys() == wanted.whole.keys()
    assert found.each.keys() == wanted.each.keys()
    for name, figure in found.whole.items():
        assert figure.value == pytest.approx(float(wanted.whole[name])), name
        assert figure.low < figure.value < figure.high, name
    for name, figures in found.each.items():
        assert [f.value for f in figures] == pytest.approx(wanted.each[name].tolist()), name


def test_same_seed_same_figures(predicted):
    made = predicted(100)
    first, second, other = (find_figures(made, Decision((0.5,)), seed, 100) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_a_missing_class_is_nan_and_left_out_of_means(predicted):
    made = predicted(100, 3)
    made = made.select(made.target < 2)
    found = find_figures(made, Decision(), resamples=50)
    assert np.isnan(found.each["auc"][2].value)
    assert np.isnan(found.each["sensitivity"][2].low)
    assert found.whole["auc"].value == pytest.approx(
        np.mean([f.value for f in found.each["auc"][:2]])
    )
    one = find_figures(made.select(made.target == 0), Decision(), resamples=50)
    assert np.isnan(one.whole["auc"].value)
    assert np.isfinite(one.whole["accuracy"].low)


@pytest.mark.parametrize("side", [0, 1])
def test_a_finding_of_one_side_leaves_balanced_accuracy_as_if_it_were_not_there(predicted, side):
    made = predicted(150, 3, "coexisting")
    target = made.target.copy()
    target[:, 2] = side
    decision = Decision((0.4, 0.5, 0.6), coexisting=True)
    made = replace(made, target=target)
    found = find_figures(made, decision, resamples=50).whole["balanced_accuracy"]
    task = Task(made.task.classes[:2], "coexisting")
    kept = {"target": target[:, :2], "spread": made.spread[:, :2]}
    fewer = replace(made, task=task, probabilities=made.probabilities[:, :2], **kept)
    wanted = find_figures(fewer, replace(decision, thresholds=(0.4, 0.5)), resamples=50).whole
    assert found.value == pytest.approx(wanted["balanced_accuracy"].value)
    assert found.low == pytest.approx(wanted["balanced_accuracy"].low, abs=0.01)
    assert found.high == pytest.approx(wanted["balanced_accuracy"].high, abs=0.01)
    wanted = Measure(made, decision)().whole
    assert found.value == pytest.approx(float(wanted["balanced_accuracy"]))


def test_one_exam_and_a_perfect_model_do_not_fail(predicted):
    one = find_figures(predicted(1), Decision((0.5,)), resamples=20).whole
    assert one["accuracy"].high - one["accuracy"].low > 0.5
    made = predicted(60)
    sure = replace(made, probabilities=np.eye(2)[made.target])
    perfect = find_figures(sure, Decision((0.5,)), resamples=50).whole
    for name in ("auc", "accuracy", "balanced_accuracy", "f1", "sensitivity", "average_precision"):
        assert perfect[name].value == 1
        assert perfect[name].high == 1
        assert 0.75 < perfect[name].low < 0.96, name
