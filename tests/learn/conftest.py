"""A cohort of arrays for the tests of training: two classes that differ plainly."""

from pathlib import Path

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.learn.trained import Held


@pytest.fixture
def make_exams():
    def make(count=60, dims=2, kind="exclusive", classes=2):
        rng = np.random.default_rng(0)
        marks = rng.integers(0, 2, (count, classes))
        labels = np.arange(count) % classes
        values = rng.integers(0, 100, (count, 1, *[16] * dims)).astype(np.uint8)
        for i in range(count):
            lit = np.flatnonzero(marks[i]) if kind == "coexisting" else [labels[i]]
            for k in lit:
                values[i, :, 5 * k : 5 * k + 5] += 100
        splits = ["train"] * (count - count // 3) + ["val"] * (count // 6) + ["test"] * (count // 6)
        records = tuple(
            Record(
                f"e{i:03d}",
                {},
                f"p{i // 2}",
                tuple(int(m) for m in marks[i]) if kind == "coexisting" else int(labels[i]),
                split,
                {"age": float(20 + i)},
            )
            for i, split in enumerate(splits)
        )
        names = tuple("abcdef"[:classes])
        return Cohort(records, Task(names, kind), Path("arrays")), Held(values)

    return make
