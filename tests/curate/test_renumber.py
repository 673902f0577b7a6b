from pathlib import Path

import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate.renumber import renumber
from medclf.errors import CohortError


def cohort(task: Task, *labels) -> Cohort:
    records = (Record(f"e{i}", {}, f"p{i}", label) for i, label in enumerate(labels))
    return Cohort(tuple(records), task, Path("other.csv"))


def labels(found: Cohort) -> list:
    return [record.label for record in found.records]


def test_names_decide_and_not_numbers():
    run = Task(("normal", "benign", "malignant"))
    found = renumber(cohort(Task(("malignant", "normal")), 0, 1, None, 1), run)
    assert labels(found) == [2, 0, None, 0]
    assert found.task == run


def test_findings_keep_their_marks():
    run = Task(("cyst", "mass", "nodule"), "coexisting")
    found = renumber(
        cohort(Task(("nodule", "cyst"), "coexisting"), (1, 0), (0, 0), (1, 1), None), run
    )
    assert labels(found) == [(0, 0, 1), (0, 0, 0), (1, 0, 1), None]


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (Task(("no", "maybe")), "other.csv: exclusive classes no, yes wanted, found exclusive"),
        (Task(("no", "yes"), "ranked"), "found ranked classes no, yes"),
    ],
)
def test_other_classes_are_refused(task, told):
    with pytest.raises(CohortError, match=told):
        renumber(cohort(task, 0, 1), Task(("no", "yes")))
