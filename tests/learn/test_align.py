"""Who stands on which side is told by images and patients, whatever their names."""

from dataclasses import replace

import numpy as np
import pytest

import medclf
from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.learn.align import tell_copied
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Decide, Fit, Net
from medclf.prepare.exam import Prepare

RECIPE = Recipe(
    Prepare((12, 12), 1),
    net=Net("sprint", {"width": 16}),
    fit=Fit(epochs=1, batch=8),
    decide=Decide(resamples=20),
)


@pytest.fixture
def cohort(tmp_path):
    """Pictures in given splits; the ill have a bright spot."""
    rng, records = np.random.default_rng(0), []
    for number, split in enumerate(["train"] * 12 + ["val"] * 6 + ["test"] * 8):
        values = rng.integers(0, 99, (12, 12)).astype(np.uint8)
        values[3:6, 3:6] += 100 * (number % 2)
        np.save(tmp_path / f"{number}.npy", values)
        images = {"image": Source(tmp_path / f"{number}.npy")}
        records.append(Record(f"{number}", images, f"Jane {number}", number % 2, split))
    return Cohort(tuple(records), Task(("no", "yes")), tmp_path)


def show(cohort, which):
    """Let exams show the images of others."""
    images = {str(number): cohort.records[of].images for number, of in which.items()}
    records = [replace(r, images=images.get(r.name, r.images)) for r in cohort.records]
    return replace(cohort, records=tuple(records))


def test_copies_in_the_test_split_are_told_and_are_not_new(cohort, tmp_path):
    told = (
        "2 test exams with an image that was learnt from too, equal once prepared; "
        "the splits are kept, and they count: 18 = 0, 19 = 13"
    )
    cohort = show(cohort, {18: 0, 19: 13})
    run = medclf.train(cohort, tmp_path / "run", recipe=RECIPE)
    assert run.run.facts["data"]["problems"][-1] == told
    assert (run.scores["n_exams"], run.scores["notes"]) == (8, [told])
    assert told in (run.run.folder / "report.html").read_text(encoding="utf-8")
    again = run.evaluate(cohort)
    assert (again.exams, again.notes) == (6, ("2 exams that the run learnt from are left out",))


def test_without_a_test_split_validation_is_judged():
    splits = {"a": "train", "b": "val", "c": "val"}
    records = [Record(name, {}, name, 0, split) for name, split in splits.items()]
    assert tell_copied(records, ["1", "2", "3"]) == []
    (told,) = tell_copied(records, ["1", "1", "3"])
    assert told.startswith("1 val exam with an image")
    assert told.endswith("they count: b = a")
