from medclf.report.classes import COLUMNS, MANY_CLASSES, tell_classes
from medclf.report.words import number, span


def test_each_class_has_its_figures(composed):
    judged = composed("exclusive").test
    classes = tell_classes(judged)
    assert classes.rest is None
    rows = classes.table.groups[0].rows
    assert [row.name for row in rows] == list(judged.task.classes)
    for row in rows:
        found = judged.scores.per_class[row.name]
        assert row.drawn.text == number(found.figures["auc"].value)
        assert [cell.text for cell in row.cells] == [
            str(found.exams),
            *(number(found.figures[column].value) for column in COLUMNS),
        ]
        assert row.cells[1].note == span(found.figures["sensitivity"])


def test_of_many_classes_the_weakest_come_first_and_none_is_lost(composed):
    classes = tell_classes(composed("many").test)
    weak, others = (t.groups[0].rows for t in (classes.table, classes.rest))
    assert (len(weak), len(others)) == (MANY_CLASSES, 30 - MANY_CLASSES)
    areas = [float(row.drawn.text) for row in (*weak, *others)]
    assert areas == sorted(areas)
    assert (classes.matrix, bool(classes.confused)) == (None, True)
