"""A plan prepares images by what their values mean, and says why."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

import medclf
from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.fingerprint import Fingerprint
from medclf.learn.preparation import BONE, LUNG, SOFT, UPTAKE, choose_prepare

FOUND = Fingerprint(
    exams=20, patients=20, images_per_exam=(1, 1), image_names={"image": 20}, classes={},
    kind="exclusive", sampled=20, unreadable=(), dims=3, channels=1, colour_is_grey=False,
    shape_min=(60, 80, 90), shape_median=(60, 80, 90), shape_max=(60, 80, 90), oriented=True,
    spacing_known=1.0, spacing_min_mm=(3.0, 1.0, 1.0), spacing_median_mm=(3.0, 1.0, 1.0),
    spacing_max_mm=(3.0, 1.0, 1.0), modalities={"": 20}, units={"": 20}, bits={"16": 20},
    dtypes={"int16": 20}, uptake_known=0.0, binary=False, minimum=0, maximum=900,
    percentiles=(5.0, 300.0, 850.0),
)  # fmt: skip


def cohort_of(facts):
    """Make training exams with these facts, and a test exam of a scanner of its own."""
    image = {"image": Source(Path("a"))}
    records = [Record(f"{i}", image, f"{i}", i % 2, "train", fact) for i, fact in enumerate(facts)]
    strange = dict.fromkeys(records[0].facts, "another")
    records.append(Record("test", image, "test", 0, "test", strange))
    return Cohort(tuple(records), Task(("no", "yes")), Path("data"))


PLAIN = cohort_of([{}] * 20)


def chosen(cohort=PLAIN, **changes):
    reasons = {}
    return choose_prepare(cohort, replace(FOUND, **changes), (20, 40, 45), reasons), reasons


def test_volumes_of_known_directions_lie_alike_at_one_scale():
    found, reasons = chosen()
    assert (found.orientation, found.spacing_mm) == ("patient", (9.0, 2.0, 2.0))
    assert "in any order" in reasons["prepare.orientation"]
    assert chosen(oriented=False)[0].orientation == "file"
    assert chosen(spacing_known=0.9)[0].spacing_mm == ()


def test_windows_by_what_is_in_view():
    ct = {"modalities": {"CT": 20}, "units": {"HU": 20}}
    found, reasons = chosen(**ct, percentiles=(-900.0, 30.0, 700.0))
    assert (found.intensity, found.channels, found.window) == ("window", 3, (*LUNG, *SOFT, *BONE))
    assert "a window for each" in reasons["prepare.window"]
    head, reasons = chosen(**ct, percentiles=(-100.0, 30.0, 900.0))
    assert (head.channels, head.window) == (1, (-1000.0, 1000.0))
    assert "prepare.window" not in reasons


def test_pet_is_seen_in_standardised_uptake_where_that_is_known():
    pet = {"modalities": {"PT": 20}, "units": {"BQML": 20}}
    found, reasons = chosen(**pet, uptake_known=1.0)
    assert (found.unit, found.intensity, found.window) == ("SUV", "window", UPTAKE)
    assert "dose and weight" in reasons["prepare.unit"]
    found, reasons = chosen(**pet, uptake_known=0.75)
    assert (found.unit, found.intensity) == ("", "percentile")
    assert "25% of the PET images" in reasons["prepare.unit"]


@pytest.mark.parametrize("name", ["scanner", "Manufacturer", "Site"])
def test_mr_of_several_scanners_is_standardised(name):
    mr = {"modalities": {"MR": 20}}
    several = cohort_of([{name: "AB"[i % 2], "age": 50.0} for i in range(20)])
    found, reasons = chosen(several, **mr)
    assert (found.intensity, found.landmarks, found.site) == ("landmarks", (), "")
    assert f"MR of 2 scanners (by {name})" in reasons["prepare.intensity"]
    assert chosen(several)[0].intensity == "percentile"
    assert chosen(several, **mr, bits={"8": 20})[0].intensity == "full"
    sequences = {"image_names": {"t1": 20, "flair": 20}}  # One scale would be learnt of both.
    assert chosen(several, **mr, **sequences)[0].intensity == "percentile"


def test_a_scanner_of_few_exams_or_of_the_test_split_alone_is_not_one_of_several():
    few = cohort_of([{"scanner": "A" if i else "B"} for i in range(20)])
    assert chosen(few, modalities={"MR": 20})[0].intensity == "percentile"
    assert chosen(modalities={"MR": 20})[0].intensity == "percentile"


def test_a_study_stored_in_two_orders_is_planned_in_one(tmp_path):
    """Half of the volumes are stored sagittally: shape and spacing are those of the patient."""
    records = []
    for number in range(8):
        values = np.random.default_rng(number).normal(300, 50, (20, 30, 10)).astype(np.int16)
        affine = np.diag([-1.0, -1.5, 4.0, 1])
        if number % 2:
            values, affine = values.transpose(2, 1, 0), affine[:, [2, 1, 0, 3]]
        path = tmp_path / f"{number}.nii"
        nibabel.save(nibabel.Nifti1Image(values, affine), path)
        records.append(Record(path.name, {"image": Source(path)}, path.name, number // 2 % 2))
    plan = medclf.plan(Cohort(tuple(records), Task(("no", "yes")), tmp_path), minutes=5)
    assert plan.recipe.prepare.orientation == "patient"
    assert plan.recipe.prepare.size[0] < plan.recipe.prepare.size[1]
    extent = np.multiply(plan.recipe.prepare.size, plan.recipe.prepare.spacing_mm)
    assert extent == pytest.approx([40, 45, 20], rel=0.01)
    assert "prepare.orientation" in plan.reasons
