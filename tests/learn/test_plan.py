from pathlib import Path
from types import SimpleNamespace

import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.learn.plan import _balance, _size


def size_for(shape, learnt, minutes, smallest=None):
    found = SimpleNamespace(
        dims=len(shape), shape_median=shape, shape_min=smallest or shape, shape_max=shape
    )
    return _size(found, learnt, minutes)


@pytest.mark.parametrize(
    ("shape", "learnt", "minutes", "wanted"),
    [
        ((28, 28), 5000, 0.1, (28, 28)),  # small pictures of one size are kept
        ((224, 224), 5232, 10, (136, 136)),  # Kermany's, in ten minutes
        ((1000, 500), 400, 30, (224, 112)),  # proportions are kept
        ((2000, 2000), 10**6, 1, (28, 28)),  # no less than what a network can use
        ((128, 128, 128), 300, 2, (24, 24, 24)),
        ((91, 109, 91), 8, 2, (48, 56, 48)),  # few exams are seen less often
    ],
)
def test_sizes_are_what_the_budget_allows(shape, learnt, minutes, wanted):
    assert size_for(shape, learnt, minutes)[0] == wanted


def test_more_minutes_never_shrink_an_image():
    edges = [size_for((512, 512), 3000, m, (300, 512))[0][0] for m in (0.2, 0.5, 1, 2, 5, 20)]
    assert edges == sorted(edges)
    assert edges[0] < edges[-1] == 224


@pytest.mark.parametrize(
    ("kind", "rare", "balance", "told"),
    [
        ("exclusive", 5, "none", "near enough to equal"),
        ("exclusive", 1, "loss", "rare ones weigh more"),
        ("ranked", 1, "none", "unequal classes (9 a, 1 b): weighed only where they exclude"),
        ("coexisting", 1, "none", "unequal classes (9 a, 1 b): weighed only where they exclude"),
    ],
)
def test_rare_classes_are_told_whether_they_weigh_more_or_not(kind, rare, balance, told):
    labels = [k for k, many in ((0, 10 - rare), (1, rare)) for _ in range(many)]
    marks = [(1 - k, k) if kind == "coexisting" else k for k in labels]
    records = tuple(Record(str(n), {}, str(n), mark, "train") for n, mark in enumerate(marks))
    found = _balance(Cohort(records, Task(("a", "b"), kind), Path("exams.csv")))
    assert found[0] == balance
    assert told in found[1]


@pytest.mark.parametrize(
    ("shape", "minutes", "told"),
    [
        ((28, 28), 1, "all images are 28 x 28: kept"),
        ((200, 200), 0.2, "median 200 x 200, shrunk to what 0.2 minutes allow for 3000 exams"),
        ((200, 200), 1, "median 200 x 200, shrunk to what 1 minute allows for 3000 exams"),
        ((512, 512), 60, "median 512 x 512, shrunk to the largest for pictures"),
        ((200, 200), 60, "median 200 x 200"),
    ],
)
def test_the_reason_says_what_was_done(shape, minutes, told):
    assert size_for(shape, 3000, minutes)[1] == told
