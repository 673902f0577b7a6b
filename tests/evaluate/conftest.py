"""Predictions of a simulated model whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest

from medclf.core.task import Task
from medclf.evaluate.table import Predictions


def simulate(exams=300, classes=2, kind="exclusive", per_patient=1, seed=0, skill=1.5):
    """Draw labels, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    task = Task(tuple(f"class {k}" for k in range(classes)), kind)
    if kind == "coexisting":
        target = (rng.random((exams, classes)) < 0.3).astype(np.int64)
        p = 1 / (1 + np.exp(-rng.standard_normal((exams, classes)) - skill * target + 1))
    else:
        target = rng.integers(classes, size=exams)
        z = rng.standard_normal((exams, classes))
        z[np.arange(exams), target] += skill
        p = Task(task.classes).probabilities(z)
    facts = {
        "sex": tuple(rng.choice(["F", "M"], exams).tolist()),
        "age_years": tuple(rng.uniform(20, 90, exams).round(1).tolist()),
    }
    return Predictions(
        task,
        np.array([f"exam {i}" for i in range(exams)]),
        np.array([f"patient {i // per_patient}" for i in range(exams)]),
        np.full(exams, "test"),
        target,
        p,
        np.abs(rng.standard_normal((exams, classes))) / 10,
        facts,
    )


@pytest.fixture(scope="session")
def predicted() -> Callable[..., Predictions]:
    return simulate
