from pathlib import Path

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.evaluate.tabulate import tabulate
from medclf.report.count import summarise_facts


def test_exams_are_joined_with_their_facts_and_patients_become_numbers():
    records = tuple(
        Record(f"e{i}", {}, f"Doe{i // 2}", i % 2, split, {"age": 40.0 + i})
        for i, split in enumerate(("train", "val", "test", "test"))
    )
    cohort = Cohort(records, Task(("no", "yes")), Path("exams"))
    shares = np.array([[0.2, 0.8], [0.7, 0.3]])
    found = tabulate(cohort, np.array([3, 1]), shares, np.zeros((2, 2)))
    assert found.exams.tolist() == ["e3", "e1"]
    assert found.patients.tolist() == ["patient-00002", "patient-00001"]
    assert found.splits.tolist() == ["test", "val"]
    assert found.target.tolist() == [1, 1]
    assert found.facts == {"age": (43.0, 41.0)}


def test_what_may_name_a_person_is_left_out():
    records = tuple(
        Record(f"e{i}", {}, f"{i}", i % 2, "test", {"sex": "FM"[i % 2], "name": f"Doe {i}"})
        for i in range(30)
    )
    cohort = Cohort(records, Task(("no", "yes")), Path("exams"))
    found = tabulate(cohort, np.arange(30), np.full((30, 2), 0.5), np.zeros((30, 2)))
    assert list(found.facts) == ["sex"]


def test_what_tells_who_a_patient_is_is_left_out_whatever_its_type():
    """Hospital numbers, a site's own numbers, names of few and of patients seen twice."""
    records = tuple(
        Record(
            f"e{i}",
            {},
            f"{i // 2}",
            i % 2,
            "test",
            {
                "age": 40.0 + i // 2 % 25,
                "mrn": 70001234.0 + i // 2,
                "fall": 4500121.0 + i,
                "subject": float(i // 2),
                "called": f"Doe {i // 2}",
                "site_id": f"s{i // 2 % 9}",
                "volume_ml": 10.25 + i // 2,
                "birth_date": 1950.0 + i % 7,
            },
        )
        for i in range(240)
    )
    ours = {"age", "site_id", "volume_ml"}
    for some, kept in ((240, ours), (20, {"age", "volume_ml", "subject"})):
        cohort = Cohort(records[:some], Task(("no", "yes")), Path("exams"))
        found = tabulate(cohort, np.arange(some), np.full((some, 2), 0.5), np.zeros((some, 2)))
        assert set(found.facts) == kept
        told = dict(summarise_facts(cohort.records))
        assert told["mrn"] == f"{some // 2} different values"
        assert told["age"].startswith("median")
