import json
from dataclasses import astuple, replace

import numpy as np
import pytest

from medclf.errors import CohortError
from medclf.evaluate.compare import compare_areas, holm
from medclf.evaluate.scores import score
from medclf.evaluate.standing import Cost, Result, frontier, rank
from medclf.evaluate.threshold import Decision


def result(predicted, name, skill, latency=1.0, exams=80, kind="exclusive", classes=2):
    found = predicted(exams, classes, kind, skill=skill)
    found = replace(found, target=predicted(exams, classes, kind).target)
    both = kind == "coexisting"
    decision = Decision((0.5,) * classes if both else (), coexisting=both)
    measured = score(found, decision, resamples=40)
    cost = Cost(1000, 2000, 3, 4.0, latency, latency / 2, 500.0)
    return Result(name, "family", found, measured, 0.8, cost)


def test_entries_stand_by_auc_and_are_tested_against_the_best(predicted):
    results = [result(predicted, n, s) for n, s in (("b", 1.0), ("a", 2.5), ("c", 0.3))]
    found = rank(results)
    assert [row.result.name for row in found] == ["a", "b", "c"]
    best, *others = (row.result.predictions for row in found)
    wanted = compare_areas([best, *others], against=0)[1:]
    assert found[0].difference is None
    for row, difference in zip(found[1:], wanted, strict=True):
        assert astuple(row.difference) == pytest.approx(astuple(difference))
    assert [row.p for row in found[1:]] == pytest.approx(holm([d.p for d in wanted]))


@pytest.mark.parametrize("kind", ["ranked", "coexisting"])
def test_more_classes_are_compared_by_bootstrap(predicted, kind):
    results = [result(predicted, n, s, kind=kind, classes=3) for n, s in (("a", 3.0), ("b", 0.5))]
    first, second = rank(results, resamples=60)
    assert (first.result.name, second.result.name) == ("a", "b")
    value = second.figure("auc").value - first.figure("auc").value
    assert second.difference.value == pytest.approx(value)
    assert 0 <= second.difference.p == second.p <= 1


def test_the_frontier_holds_what_nothing_as_fast_surpasses(predicted):
    assert frontier([1, 2, 3, 4], [0.7, 0.9, 0.8, 0.95]) == [0, 1, 3]
    assert frontier([1, 1], [0.7, 0.8]) == [1]
    assert frontier([1, 2], [0.8, 0.8]) == [0]
    assert frontier([1, 2], [float("nan"), 0.8]) == [1]
    slow, fast = result(predicted, "slow", 2.5, 9.0), result(predicted, "fast", 1.0, 1.0)
    lost = result(predicted, "lost", 0.3, 9.5)
    marks = {row.result.name: row.frontier for row in rank([slow, fast, lost])}
    assert marks == {"slow": ("auc", "accuracy"), "fast": ("auc", "accuracy"), "lost": ()}


def test_a_row_is_plain_json(predicted):
    rows = [row.to_json() for row in rank([result(predicted, n, 1.0) for n in "ab"])]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert rows[0]["p"] is None
    assert rows[1]["p"] == 1
    assert rows[0]["weights"] == 1000


def test_where_a_side_is_missing_entries_stand_by_accuracy_without_a_test(predicted):
    results = [result(predicted, n, s) for n, s in (("a", 0.1), ("b", 3.0))]
    only = np.flatnonzero(results[0].predictions.target == 1)
    cut = [
        replace(r, predictions=p, scores=score(p, Decision(), resamples=20))
        for r in results
        for p in [r.predictions.select(only)]
    ]
    found = rank(cut)
    assert [row.result.name for row in found] == ["b", "a"]
    assert [row.p for row in found] == [None, None]
    assert found[0].to_json()["auc"] is None


def test_an_entry_without_a_test_leaves_the_others_theirs(predicted):
    made = replace(predicted(4), target=np.array([0, 0, 1, 1]))
    scores = {"a": [0.1, 0.3, 0.4, 0.2], "apart": [0.2, 0.4, 0.3, 0.1], "b": [0.1, 0.4, 0.3, 0.2]}
    cost = Cost(1000, 2000, 3, 4.0, 1.0, 1.0, 500.0)
    results = [
        Result(name, "family", found, score(found, Decision((0.5,)), resamples=20), 0.8, cost)
        for name, p in scores.items()
        for found in [replace(made, probabilities=np.stack([1 - np.array(p), p], 1))]
    ]
    rows = {row.result.name: row for row in rank(results)}
    assert rows["apart"].difference is None
    assert rows["apart"].p is None
    assert rows["b"].p == rows["b"].difference.p


def test_other_exams_are_refused(predicted):
    one, other = result(predicted, "a", 1.0), result(predicted, "b", 1.0)
    other = replace(other, predictions=other.predictions.select(np.arange(79)))
    with pytest.raises(CohortError, match="same exams"):
        rank([one, other])
    relabelled = replace(one.predictions, target=1 - one.predictions.target)
    with pytest.raises(CohortError, match="the target of 'exam 0' differs"):
        rank([one, replace(other, predictions=relabelled)])
    assert rank([]) == ()
