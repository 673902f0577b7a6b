import numpy as np
import pytest

from medclf.core.task import Task
from medclf.report.count import Counts
from medclf.report.data import lay_out, table_counts, tell_data
from medclf.report.picture import Picture


def pictures(number, rows, columns):
    return [Picture(np.zeros((rows, columns), np.uint8), str(i)) for i in range(number)]


def test_patients_are_told_where_they_differ_from_exams():
    task = Task(("no", "yes"))
    table = table_counts((Counts("train", (30, 10), (20, 9), 40, 25),), task)
    space = "\N{NO-BREAK SPACE}"
    assert table.headings == ("Training: exams", "patients")
    assert [row.cells for row in table.rows] == [
        (f"30 (75{space}%)", "20"),
        (f"10 (25{space}%)", "9"),
        ("40", "25"),
    ]
    alone = table_counts((Counts("test", (30, 10), (30, 10), 40, 40),), task)
    assert alone.headings == ("Test",)
    assert "each is of a patient of its own" in alone.caption


@pytest.mark.parametrize(
    ("rows", "columns", "ratio", "broad"),
    [(28, 28, "1.000", False), (150, 200, "1.333", False), (28, 88, "3.143", True)],
)
def test_places_have_the_shape_of_the_pictures(rows, columns, ratio, broad):
    sheet = lay_out(pictures(3, rows, columns))
    assert (sheet.ratio, sheet.broad) == (ratio, broad)


def test_small_pictures_stay_crisp_and_many_large_ones_become_smaller():
    assert all(p.crisp and p.width == 28 for p in lay_out(pictures(2, 28, 28)).pictures)
    few, many = (lay_out(pictures(n, 600, 600)).pictures[0] for n in (4, 40))
    assert (few.crisp, many.crisp) == (False, False)
    assert few.width > many.width


def test_the_classes_are_told_with_the_positive_one(composed):
    assert tell_data(composed("binary")).classes == (
        "healthy, nodule (just one is right; nodule is the positive one)"
    )
    assert tell_data(composed("ranked")).classes.endswith("(in this order)")
    assert "and 18 more (just one is right)" in tell_data(composed("many")).classes
    assert tell_data(composed("binary")).size == "240 exams of 120 patients"
