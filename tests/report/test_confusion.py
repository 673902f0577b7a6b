import numpy as np
from sklearn.metrics import confusion_matrix

from medclf.report.confusion import DARKEST, tell_confusion


def test_the_matrix_counts_as_scikit_learn_does(composed):
    judged = composed("exclusive").test
    matrix = tell_confusion(judged)
    wanted = confusion_matrix(judged.labelled.target, judged.decided)
    found = [[int(box.exams) for box in row.cells] for row in matrix.rows]
    assert found == wanted.tolist()
    assert matrix.words.startswith(f"{np.trace(wanted)} of 120 exams")
    assert [row.name for row in matrix.rows] == list(matrix.names) == list(judged.task.classes)


def test_a_shade_is_the_share_of_the_truth(composed):
    judged = composed("binary").test
    matrix = tell_confusion(judged)
    counts = confusion_matrix(judged.labelled.target, judged.decided)
    shares = counts / counts.sum(1, keepdims=True)
    box = matrix.rows[0].cells[1]
    assert box.share == f"{100 * shares[0, 1]:.0f}\N{NO-BREAK SPACE}%"
    assert box.paint == f"background: rgb(var(--alarm) / {DARKEST * shares[0, 1]:.3f})"
    assert "var(--shade)" in matrix.rows[0].cells[0].paint


def test_a_class_without_an_exam_has_a_row_of_dashes(composed, judge):
    p = composed("exclusive").test.predictions
    matrix = tell_confusion(judge(p.select(p.target != 2)))
    assert {(box.exams, box.share, box.paint) for box in matrix.rows[2].cells} == {("0", "–", "")}


def test_of_many_classes_the_commonest_confusions_are_told(composed):
    judged = composed("many").test
    told = tell_confusion(judged)
    wrong = confusion_matrix(judged.labelled.target, judged.decided, labels=range(30))
    np.fill_diagonal(wrong, 0)
    exams = [int(row.exams) for row in told.rows]
    assert exams == sorted(wrong.ravel().tolist(), reverse=True)[: len(exams)]
    names = judged.task.classes
    for row in told.rows:
        assert wrong[names.index(row.truth), names.index(row.said)] == int(row.exams)
    assert f"the others make {wrong.sum() - sum(exams)} exam" in told.caption


def test_coexisting_findings_have_no_matrix(composed):
    assert tell_confusion(composed("coexisting").test) is None
