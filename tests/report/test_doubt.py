"""Doubtful labels as the page tells them: counted, named, and shown."""

import numpy as np

from medclf.core.task import Task
from medclf.evaluate.table import Predictions
from medclf.report.contents import Doubts
from medclf.report.doubt import find_doubts, tell_doubts
from medclf.report.page import render_report


def predictions(task: Task, target: list, p: list) -> Predictions:
    exams = np.array([f"exam {i}" for i in range(len(p))])
    splits, spread = np.full(len(p), "val"), np.zeros((len(p), len(task.classes)))
    return Predictions(task, exams, exams, splits, np.array(target), np.array(p), spread)


def test_a_doubted_label_is_named_with_what_it_seems():
    p = [0.1, 0.2, 0.9, 0.3, 0.8, 0.7, 0.6, 0.5]
    both = [[1 - q, q] for q in p]
    found = find_doubts(predictions(Task(("no", "yes")), [0, 0, 0, 1, 1, 1, 1, -1], both), most=1)
    assert (found.labels, found.doubted, len(found.cases)) == (7, 2, 1)
    (case,) = found.cases
    assert (case.exam, case.truth, case.said, case.probability) == ("exam 2", "no", "yes", 0.9)


def test_where_findings_coexist_each_is_a_label():
    task = Task(("mass", "nodule"), "coexisting")
    target = [[1, 0], [1, 0], [0, 1], [0, 1], [1, 1]]
    p = [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.05]]
    found = find_doubts(predictions(task, target, p))
    assert (found.labels, found.doubted) == (10, 1)
    assert (found.cases[0].truth, found.cases[0].said) == ("nodule", "no nodule")


def test_nothing_is_told_where_no_label_is_doubted():
    assert tell_doubts(None) is None
    assert tell_doubts(Doubts(20, 0, ())) is None


def test_the_page_shows_them_apart_from_what_was_decided_wrongly(composed):
    page = render_report(composed("binary"))
    assert "Labels to look at again" in page
    assert "that were not learnt from" in page
    assert "labelled <strong>" in page
