"""How well a fact foretells the class, worked by hand."""

import pytest

from medclf.curate.appearance import _foretell


@pytest.mark.parametrize(
    ("known", "accuracy", "commonest"),
    [
        ([], 0.0, 1.0),
        ([("x", 0), ("x", 0), ("y", 1), ("y", 1)], 1.0, 0.5),
        # Left out itself, each 0 stands against one 1; the lone y against two of each.
        ([("x", 0), ("x", 0), ("x", 1), ("y", 1)], 0.0, 0.5),
        # Of x, each 0 has two others of its kind against one 1, and the 1 is outvoted.
        ([("x", 0), ("x", 0), ("x", 0), ("x", 1)], 0.75, 0.75),
        # What stands alone is foretold by the commonest of all.
        ([("a", 0), ("b", 0), ("c", 0), ("d", 1)], 0.75, 0.75),
    ],
)
def test_each_exam_is_foretold_by_the_others_of_its_value(known, accuracy, commonest):
    assert _foretell(known) == (accuracy, commonest)
