from dataclasses import replace

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.evaluate.scores import score
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision
from medclf.report.judged import Judged
from medclf.report.mistake import find_mistakes, tell_mistakes
from medclf.report.picture import Picture


def judged(task, target, p, decision):
    names = np.array([f"exam {i}" for i in range(len(p))])
    splits, spread = np.full(len(p), "test"), np.zeros_like(p)
    predictions = Predictions(task, names, names, splits, np.array(target), p, spread)
    return Judged(predictions, score(predictions, decision, resamples=5), decision)


def test_the_surest_mistake_comes_first():
    p = np.array([0.9, 0.2, 0.6, 0.95, 0.45])
    target = [0, 0, 0, 1, 1]
    case = judged(Task(("no", "yes")), target, np.stack([1 - p, p], 1), Decision((0.5,)))
    found = find_mistakes(case)
    assert [(m.exam, m.truth, m.said) for m in found] == [
        ("exam 0", "no", "yes"),
        ("exam 2", "no", "yes"),
        ("exam 4", "yes", "no"),
    ]
    assert [m.probability for m in found] == pytest.approx([0.9, 0.6, 0.55])
    assert len(find_mistakes(case, 1)) == 1


def test_the_threshold_decides_what_is_wrong():
    p = np.array([0.3, 0.25, 0.9])
    both = np.stack([1 - p, p], 1)
    found = find_mistakes(judged(Task(("no", "yes")), [0, 1, 1], both, Decision((0.2,))))
    assert [(m.exam, m.said) for m in found] == [("exam 0", "yes")]
    assert found[0].probability == pytest.approx(0.3)


def test_an_exam_with_several_findings_counts_by_its_worst():
    task = Task(("mass", "nodule"), "coexisting")
    p = np.array([[0.9, 0.05], [0.2, 0.3], [0.1, 0.7]])
    found = find_mistakes(
        judged(task, [[0, 1], [0, 0], [0, 0]], p, Decision((0.5, 0.5), coexisting=True))
    )
    assert [(m.exam, m.truth, m.said) for m in found] == [
        ("exam 0", "nodule", "no nodule"),
        ("exam 2", "no nodule", "nodule"),
    ]
    assert [m.probability for m in found] == pytest.approx([0.95, 0.7])


def test_exams_without_a_label_and_right_ones_are_no_mistakes():
    p = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert find_mistakes(judged(Task(("no", "yes")), [0, -1], p, Decision((0.5,)))) == ()
    assert tell_mistakes(()) is None


def test_each_mistake_keeps_its_own_picture():
    p = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    found = find_mistakes(judged(Task(("no", "yes")), [0, 0, 0], p, Decision((0.5,))))
    shown = [
        replace(m, picture=Picture(np.zeros((4, 4), np.uint8), m.exam) if i != 1 else None)
        for i, m in enumerate(found)
    ]
    cases = tell_mistakes(shown).cases
    assert [case.image and case.image.caption for case in cases] == ["exam 0", None, "exam 2"]
