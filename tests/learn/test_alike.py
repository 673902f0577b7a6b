"""Exams that look the same stay in one part of a run, whatever size images are prepared at."""

import json
from pathlib import Path

import numpy as np
import pytest

import medclf
from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate import looks, together
from medclf.curate.balance import deal_apart
from medclf.curate.cohort import AS_FOUND
from medclf.curate.together import find_together
from medclf.learn.ready import make_ready, make_ready_again
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Net
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


def recipe(folds: int = 0, size: int = 32) -> Recipe:
    return Recipe(
        Prepare((size, size), 1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(epochs=1, folds=folds),
        decide=Decide(resamples=50),
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
    monkeypatch.setattr(together, "MOST", 59)
    ready = make_ready(cohort, recipe(), AS_FOUND)
    assert len({r.patient for r in ready.cohort.records}) == 60
    assert any("not looked for among 60 images" in note for note in ready.cohort.notes)


def dealt(cohort, size: int = 32) -> list[tuple[str, str]]:
    ready = make_ready(cohort, recipe(size=size), AS_FOUND)
    return [(record.patient, record.split) for record in ready.cohort.records]


def test_splits_do_not_hang_on_the_size_of_prepared_images(cohort):
    """A budget chooses the size; `split` and `train` deal the same, and so do two trainings."""
    joined, alike = find_together(cohort)
    wanted = [(r.patient, r.split) for r in deal_apart(joined, alike).cohort.records]
    assert len({patient for patient, _ in wanted}) == 30
    assert [dealt(cohort, size) for size in (32, 24, 12)] == [wanted] * 3


def test_images_are_read_once_to_be_prepared_and_looked_at(cohort, tmp_path, monkeypatch):
    read, times = looks.read_image, list[Path]()

    def count(source):
        times.append(source.path)
        return read(source)

    monkeypatch.setattr(looks, "read_image", count)
    monkeypatch.setattr("medclf.curate.survey.read_image", count)
    first = dealt(cohort)
    assert len(times) == 60
    assert dealt(cohort) == first
    assert len(times) == 60
    (tmp_path / "cache" / looks.KEPT).write_bytes(b"damaged")
    assert dealt(cohort) == first
    assert len(times) == 120


def test_a_run_is_measured_again_as_it_was(cohort, tmp_path):
    """Copies under two names count as one patient's in the intervals, then as now."""
    run = medclf.train(cohort, tmp_path / "run", recipe=recipe())
    again = json.loads(json.dumps(run.evaluate(cohort).to_json()))
    shared, left_out = again.pop("notes")
    assert shared.startswith("6 patients with an image that another has too")
    assert left_out == "48 exams left out, which the run learnt from"
    assert run.scores.pop("notes") == []
    assert again == run.scores
    assert again["n_patients"] < again["n_exams"]
