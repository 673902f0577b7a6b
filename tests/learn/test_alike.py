"""Exams that look the same stay in one part of a run, also where it goes on after a kill."""

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.cohort import AS_FOUND
from medclf.learn import alike
from medclf.learn.ready import make_ready, make_ready_again
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Fit, Net
from medclf.prepare.exam import Prepare


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    """Thirty pictures, each again with other light and a border cut off."""
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "cache"))
    rng, records = np.random.default_rng(0), []
    for number in range(30):
        coarse = rng.integers(0, 120, (8, 8))
        values = np.kron(coarse, np.ones((8, 8))).astype(np.uint8)
        for name, shown in {"a": values, "b": values[1:-1, 2:-1] + 40}.items():
            path = tmp_path / f"{number:02}{name}.npy"
            np.save(path, shown)
            records.append(Record(path.stem, {"image": Source(path)}, path.stem, number % 2))
    return Cohort(tuple(records), Task(("no", "yes")), tmp_path)


def recipe(folds: int = 0) -> Recipe:
    return Recipe(
        Prepare((32, 32), 1), net=Net("sprint", {"width": 16}), fit=Fit(epochs=1, folds=folds)
    )


@pytest.mark.parametrize("folds", [0, 3])
def test_copies_are_one_patient_and_in_one_split(cohort, tmp_path, folds):
    ready = make_ready(cohort, recipe(folds), AS_FOUND)
    pairs = list(zip(ready.cohort.records[::2], ready.cohort.records[1::2], strict=True))
    assert all((a.split, a.patient) == (b.split, b.patient) for a, b in pairs)
    assert len({r.patient for r in ready.cohort.records}) == 30
    run = create_run(tmp_path / "run", ready.recipe, ready.cohort, {"data": ready.data})
    again = make_ready_again(run.folder, cohort, ready.recipe, run.facts["data"])
    assert again.cohort.records == ready.cohort.records


def test_beyond_so_many_images_none_are_compared(cohort, monkeypatch):
    monkeypatch.setattr(alike, "MOST", 59)
    ready = make_ready(cohort, recipe(), AS_FOUND)
    assert len({r.patient for r in ready.cohort.records}) == 60
    assert any("not looked for among 60 images" in note for note in ready.cohort.notes)
