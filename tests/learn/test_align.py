"""Who stands on which side is told by images and patients, whatever their names."""

from dataclasses import replace

import numpy as np
import pytest

import medclf
from medclf import answers
from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.remark import Remark
from medclf.core.task import Task
from medclf.errors import CohortError
from medclf.learn.align import digest_patients, tell_copied
from medclf.learn.recipe import Recipe
from medclf.learn.run import read_learnt, read_splits
from medclf.learn.settings import Decide, Fit, Net
from medclf.prepare.exam import Prepare
from medclf.read.image import read_image

CUT, TILT = Remark("cut", "20 slices stated, 8 found", grave=True), Remark("tilt", "by 15°")

RECIPE = Recipe(
    Prepare((12, 12), 1),
    net=Net("sprint", {"width": 16}),
    fit=Fit(epochs=1, batch=8),
    decide=Decide(resamples=20),
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Pictures in given splits; the ill have a bright spot."""
    folder = tmp_path_factory.mktemp("pictures")
    rng, records = np.random.default_rng(0), []
    for number, split in enumerate(["train"] * 12 + ["val"] * 6 + ["test"] * 8):
        values = rng.integers(0, 99, (12, 12)).astype(np.uint8)
        values[3:6, 3:6] += 100 * (number % 2)
        np.save(folder / f"{number}.npy", values)
        images = {"image": Source(folder / f"{number}.npy")}
        records.append(Record(f"{number}", images, f"Jane {number}", number % 2, split))
    return Cohort(tuple(records), Task(("no", "yes")), folder)


def show(cohort, which):
    """Let exams show the images of others."""
    images = {str(number): cohort.records[of].images for number, of in which.items()}
    records = [replace(r, images=images.get(r.name, r.images)) for r in cohort.records]
    return replace(cohort, records=tuple(records))


@pytest.fixture(scope="module")
def trained(cohort, tmp_path_factory):
    """A run on given splits, whose test split holds two copies, and an image with remarks."""
    cohort = show(cohort, {18: 0, 19: 13})
    remarked = replace(cohort.records[20].source, remarks=(CUT, TILT))
    records = list(cohort.records)
    records[20] = replace(records[20], images={"image": remarked})
    cohort = replace(cohort, records=tuple(records))
    return cohort, medclf.train(cohort, tmp_path_factory.mktemp("run"), recipe=RECIPE)


def test_copies_in_the_test_split_are_told_and_are_not_new(trained):
    cohort, run = trained
    told = (
        "2 test exams with an image that was learnt from too, equal once prepared; "
        "the splits are kept, and they count: 18 = 0, 19 = 13"
    )
    assert run.run.facts["data"]["problems"][-1] == told
    assert (run.scores["n_exams"], run.scores["notes"]) == (8, [told])
    assert told in (run.run.folder / "report.html").read_text(encoding="utf-8")
    again = run.evaluate(cohort)
    assert again.exams == 6
    assert "2 exams left out, which the run learnt from" in again.notes


def test_new_images_of_known_patients_are_not_new(trained):
    """Exams 20 to 25 come again as those of training patients, tested ones and nobody's."""
    cohort, run = trained
    owners = ["Jane 0", "Jane 13", "Jane 21", "new", "d", "Jane 25"]
    records = [
        replace(record, name=name, patient=owner, split="")
        for record, name, owner in zip(cohort.records[20:], "abcdef", owners, strict=True)
    ]
    later = replace(cohort, records=tuple(records))
    judged = run.judge(later)
    assert judged.exams.tolist() == ["c", "d", "e", "f"]
    assert judged.notes == ("2 exams left out, of patients that the run learnt from",)
    with pytest.raises(CohortError, match="learnt from all or their patients; if only"):
        run.judge(replace(cohort, records=later.records[:2]))


def test_what_readers_remarked_of_exams_is_told(trained, monkeypatch):
    """The report tells it of those that the run had; notes and warnings of those that come."""
    cohort, run = trained
    doubt, change, _ = run.run.facts["data"]["problems"][-3:]
    assert doubt == "1 exam with images to look at before use: cut in 1, 20"
    assert change == "1 exam with images that reading has changed or chosen: tilt in 1, 20"
    assert run.judge(replace(cohort, records=cohort.records[20:22])).notes == (doubt,)
    cut = replace(read_image(cohort.records[20].source), remarks=(CUT, TILT))
    monkeypatch.setattr(answers, "read_image", lambda source: cut)
    (answer,) = run.predict([cohort.records[20].source.path])
    assert "cut: 20 slices stated, 8 found" in answer.warnings
    assert not any("tilt" in warning for warning in answer.warnings)


def test_a_run_holds_no_patient_and_needs_none(trained, tmp_path):
    cohort, run = trained
    assert b"Jane" not in (run.run.folder / "exams.csv").read_bytes()
    one, other = (digest_patients(cohort.records[:2], salt) for salt in "ab")
    assert not set(one) & set(other)
    alone = replace(cohort.records[0], patient=cohort.records[0].name)
    assert digest_patients([alone], "a") == [""]
    (tmp_path / "exams.csv").write_text("exam,split,image,patient\n1,train,1f,\n2,test,2e,9\n")
    assert read_learnt(tmp_path) == ({"1f"}, set())
    assert read_splits(tmp_path) == {"1": "train", "2": "test"}


def test_without_a_test_split_validation_is_judged():
    splits = {"a": "train", "b": "val", "c": "val"}
    records = [Record(name, {}, name, 0, split) for name, split in splits.items()]
    assert tell_copied(records, ["1", "2", "3"]) == []
    (told,) = tell_copied(records, ["1", "1", "3"])
    assert told.startswith("1 val exam with an image")
    assert told.endswith("they count: b = a")
