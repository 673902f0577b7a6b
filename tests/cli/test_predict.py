"""The table of predictions tells what views did, where that can be read."""

from medclf.cli.predict import _table
from medclf.core.prediction import Contribution, Prediction

CLASSES = ("no", "yes")


def test_a_row_tells_of_each_view_the_class_decided_on():
    moved = Contribution("near", moved=(-0.2, 0.2)), Contribution("far", moved=(0.1, -0.1))
    alone = Contribution("axial", alone=(0.75, 0.25)), Contribution("z", alone=(0.5, 0.5))
    found = [
        Prediction("a", (0.6, 0.4), (0, 0), ("yes",), (), moved),
        Prediction("b", (0.6, 0.4), (0, 0), (), (), alone),
        Prediction("c", (0.6, 0.4), (0, 0), ("no",)),
        Prediction("d", (0.6, 0.4), (0, 0), ("no",), (), alone * 5),
    ]
    rows = [line.split(",")[6] for line in _table(found, CLASSES).splitlines()]
    assert rows == ["views", "near +0.200; far -0.100", "axial 0.750; z 0.500", "", ""]
    assert ",views," not in _table(found[2:], CLASSES)
