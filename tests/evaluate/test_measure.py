from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from medclf.errors import CohortError, SettingError
from medclf.evaluate.measure import Measure
from medclf.evaluate.threshold import Decision

FINDINGS = Decision((0.4, 0.5, 0.6), coexisting=True)
CASES = [
    (2, "exclusive", Decision((0.4,))),
    (2, "ranked", Decision((0.4,))),
    (4, "exclusive", Decision()),
    (4, "ranked", Decision((0.2, 0.3, 0.3, 0.2))),
    (3, "coexisting", FINDINGS),
]


def test_two_classes_score_as_in_scikit_learn(predicted):
    made = predicted(200)
    y, p = made.target, made.probabilities[:, 1]
    d = (p >= 0.4).astype(int)
    wanted = {
        "auc": metrics.roc_auc_score(y, p),
        "average_precision": metrics.average_precision_score(y, p),
        "accuracy": metrics.accuracy_score(y, d),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, d),
        "f1": metrics.f1_score(y, d),
        "sensitivity": metrics.recall_score(y, d),
        "specificity": metrics.recall_score(y, d, pos_label=0),
        "precision": metrics.precision_score(y, d),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(y, p),
    }
    found = Measure(made, Decision((0.4,)))().whole
    assert {name: float(found[name]) for name in wanted} == pytest.approx(wanted)
    assert found.keys() == {*wanted, "ece"}


def test_several_classes_score_as_in_scikit_learn(predicted):
    made = predicted(200, 4, "ranked")
    y, p = made.target, made.probabilities
    d = p.argmax(1)
    wanted = {
        "auc": metrics.roc_auc_score(y, p, multi_class="ovr"),
        "average_precision": metrics.average_precision_score(y, p),
        "accuracy": metrics.accuracy_score(y, d),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, d),
        "f1": metrics.f1_score(y, d, average="macro"),
        "kappa": metrics.cohen_kappa_score(y, d, weights="quadratic"),
        "log_loss": metrics.log_loss(y, p),
        "brier": np.square(p - np.eye(4)[y]).sum(1).mean(),
    }
    found = Measure(made, Decision())().whole
    assert {name: float(found[name]) for name in wanted} == pytest.approx(wanted)
    assert "kappa" not in Measure(predicted(200, 4), Decision())().whole


def test_findings_score_as_in_scikit_learn(predicted):
    made = predicted(200, 3, "coexisting")
    y, p = made.target, made.probabilities
    d = (p >= FINDINGS.thresholds).astype(int)
    wanted = {
        "auc": metrics.roc_auc_score(y, p, average="macro"),
        "average_precision": metrics.average_precision_score(y, p, average="macro"),
        "accuracy": np.mean(y == d),
        "f1": metrics.f1_score(y, d, average="macro"),
        "sensitivity": metrics.recall_score(y, d, average="macro"),
        "precision": metrics.precision_score(y, d, average="macro"),
        "balanced_accuracy": np.mean(
            [metrics.balanced_accuracy_score(y[:, k], d[:, k]) for k in range(3)]
        ),
        "log_loss": np.mean([metrics.log_loss(y[:, k], p[:, k]) for k in range(3)]),
        "brier": np.mean([metrics.brier_score_loss(y[:, k], p[:, k]) for k in range(3)]),
    }
    found = Measure(made, FINDINGS)().whole
    assert {name: float(found[name]) for name in wanted} == pytest.approx(wanted)


@pytest.mark.parametrize("side", [0, 1])
def test_a_finding_of_one_side_is_left_out_of_balanced_accuracy(predicted, side):
    made = predicted(200, 3, "coexisting")
    y = made.target.copy()
    y[:, 2] = side
    d = (made.probabilities >= FINDINGS.thresholds).astype(int)
    found = Measure(replace(made, target=y), FINDINGS)().whole
    wanted = np.mean([metrics.balanced_accuracy_score(y[:, k], d[:, k]) for k in range(2)])
    assert float(found["balanced_accuracy"]) == pytest.approx(wanted)
    one_sided, both_sided = ("sensitivity", "specificity")[:: 1 - 2 * side]
    some = [metrics.recall_score(y[:, k], d[:, k], pos_label=1 - side) for k in range(2)]
    every = [metrics.recall_score(y[:, k], d[:, k], pos_label=side) for k in range(3)]
    assert float(found[one_sided]) == pytest.approx(np.mean(some))
    assert float(found[both_sided]) == pytest.approx(np.mean(every))
    assert float(found["accuracy"]) == pytest.approx(np.mean(y == d))


@pytest.mark.parametrize(("classes", "kind", "decision"), CASES)
def test_weights_count_exams_again(predicted, classes, kind, decision):
    made = predicted(80, classes, kind)
    weights = np.random.default_rng(0).integers(0, 3, (80, 4))
    found = Measure(made, decision)(weights.astype(float))
    for b in range(4):
        rows = np.repeat(np.arange(80), weights[:, b])
        names = np.arange(len(rows)).astype(str)
        again = replace(
            made,
            exams=names,
            patients=names,
            splits=names,
            target=made.target[rows],
            probabilities=made.probabilities[rows],
            spread=made.spread[rows],
            facts={},
        )
        wanted = Measure(again, decision)()
        for name, value in wanted.whole.items():
            np.testing.assert_allclose(found.whole[name][b], value, atol=1e-12, err_msg=name)
        for name, values in wanted.each.items():
            np.testing.assert_allclose(found.each[name][:, b], values, atol=1e-12, err_msg=name)


def test_exams_without_label_do_not_count(predicted):
    made = predicted(60)
    hidden = replace(made, target=np.where(np.arange(60) < 30, -1, made.target))
    some = Measure(hidden, Decision((0.5,)))().whole
    wanted = Measure(made.select(np.arange(60) >= 30), Decision((0.5,)))().whole
    assert some == wanted
    with pytest.raises(CohortError, match="none has a label"):
        Measure(replace(made, target=np.full(60, -1)), Decision((0.5,)))


def test_a_decision_of_another_kind_is_refused(predicted):
    with pytest.raises(SettingError, match="coexisting"):
        Measure(predicted(20, 3, "coexisting"), Decision())
