from pathlib import Path

import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.report.count import Counts, count_splits, summarise_facts


def record(name, patient, label, split="train", **facts):
    return Record(name, {}, patient, label, split, facts)


def test_exams_and_patients_are_counted_by_class_and_split():
    records = (
        record("a", "p1", 0),
        record("b", "p1", 1),
        record("c", "p2", 1),
        record("d", "p2", 1),
        record("e", "p3", None),
        record("f", "p4", 0, "test"),
    )
    found = count_splits(Cohort(records, Task(("no", "yes")), Path("x")))
    assert found == (Counts("train", (1, 3), (1, 2), 5, 3), Counts("test", (1, 0), (1, 0), 1, 1))


def test_coexisting_findings_count_in_each():
    records = (record("a", "p1", (1, 1)), record("b", "p2", (0, 0)), record("c", "p2", (0, 1), ""))
    found = count_splits(Cohort(records, Task(("x", "y"), "coexisting"), Path("x")))
    assert found == (Counts("train", (1, 1), (1, 1), 2, 2), Counts("", (0, 1), (0, 1), 1, 1))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((40.0, 60.0, 50.0, None), "median 50, from 40 to 60, 1 missing"),
        ((float("nan"), 3.0), "median 3, from 3 to 3, 1 missing"),
        (("F", "F", "F", "M"), "F 75 %, M 25 %"),
        ((None, None), "always missing"),
        (tuple("aabcdefg"), "a 25 %, b 12 %, c 12 %, d 12 %, e 12 %, 2 more"),
        ((1.0, "x"), "1.0 50 %, x 50 %"),
        ((*(f"n{i}" for i in range(1200)), None), "1,200 different values, 1 missing"),
        (tuple(f"{i % 13} {'of a note ' * 9}" for i in range(99)), "13 different values"),
    ],
)
def test_facts_are_summed_up_in_a_line(values, words):
    records = [record(str(i), "", 0, age=v) for i, v in enumerate(values)]
    ((name, found),) = summarise_facts(records)
    assert name == "age"
    assert found.replace("\N{NO-BREAK SPACE}", " ") == words


def test_a_fact_that_some_exams_lack_is_missing_there():
    records = [record("a", "", 0, age=1.0), record("b", "", 0)]
    assert summarise_facts(records) == (("age", "median 1, from 1 to 1, 1 missing"),)
