"""Problems planted in folders of real files are found; clean cohorts give none."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.audit import Audit, audit
from medclf.curate.cohort import read_cohort
from medclf.curate.duplicates import group_exact
from medclf.curate.problem import KINDS, Problem
from medclf.curate.survey import survey

TASK = Task(("normal", "nodule"))


def cloud(seed: int, shape: tuple[int, ...] = (40, 48)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = gaussian_filter(noise, [s / 16 for s in shape])
    return (smooth / smooth.std() * 40 + 128).clip(0, 255).astype(np.uint8)


@pytest.fixture
def clean(tmp_path: Path) -> Cohort:
    """120 exams of 60 patients, half of them in the second class, split by patient."""
    records = []
    for n in range(120):
        path = tmp_path / f"{n:03}.png"
        Pillow.fromarray(cloud(n)).save(path)
        split = "train" if n % 60 < 32 else "val" if n % 60 < 46 else "test"
        images = {"image": Source(path)}
        facts = {"age": float(n), "sex": "fm"[n // 2 % 2]}
        records.append(Record(f"{n:03}", images, f"p{n % 60}", n % 2, split, facts))
    return Cohort(tuple(records), TASK, tmp_path)


def change(cohort: Cohort, number: int, **facts) -> Cohort:
    records = list(cohort.records)
    records[number] = replace(records[number], **facts)
    return replace(cohort, records=tuple(records))


def draw(cohort: Cohort, number: int, values: np.ndarray) -> None:
    Pillow.fromarray(values).save(cohort.records[number].source.path)


def only(found: Audit) -> Problem:
    (problem,) = found.problems
    return problem


def test_a_clean_cohort_has_no_problem_and_is_counted(clean):
    calls = []
    found = audit(clean, progress=lambda done, total: calls.append((done, total)))
    assert found.problems == ()
    assert not found.grave
    assert calls == [(n, 120) for n in range(1, 121)]
    assert (found.exams, found.images, found.patients) == (120, 120, 60)
    assert found.exams_per_patient == {"2": 60}
    assert found.splits == {"train": 64, "val": 28, "test": 28}
    assert found.classes == {
        "normal": {"train": 32, "val": 14, "test": 14},
        "nodule": {"train": 32, "val": 14, "test": 14},
    }
    assert found.sizes == {"40 × 48": 120}
    assert found.channels == {"1": 120}
    assert found.bits == {"8": 120}
    assert found.modalities == {"unknown": 120}
    assert found.spacings_mm == {"unknown": 120}


def test_the_montage_is_drawn_from_each_class_by_the_seed(clean):
    found = audit(clean, montage=7, seed=3)
    labels = {r.name: r.label for r in clean.records}
    assert [labels[name] for name in found.shown] == [0, 0, 0, 0, 1, 1, 1]
    assert audit(clean, montage=7, seed=3).shown == found.shown
    assert audit(clean, montage=7, seed=4).shown != found.shown
    assert audit(clean, montage=0).shown == ()


@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "text"])
def test_what_cannot_be_read_is_grave_and_not_shown(clean, damage):
    path = clean.records[5].source.path
    raw = path.read_bytes()
    path.write_bytes({"cut": raw[: len(raw) // 2], "empty": b""}.get(damage, b"no image at all"))
    if damage == "gone":
        path.unlink()
    found = audit(clean, montage=120)
    problem = only(found)
    assert (problem.kind, problem.grave, problem.exams) == ("unreadable", True, ("005",))
    assert "005.png" in problem.message
    assert len(found.shown) == 119
    assert "005" not in found.shown


def test_the_same_pixels_in_another_file_form_are_one_image(clean):
    """001 is train, 003 as well: the same class, the same split, another compression."""
    values = np.asarray(Pillow.open(clean.records[1].source.path))
    other = clean.origin / "copy.tif"
    Pillow.fromarray(values).convert("RGB").save(other, compression="tiff_deflate")
    copied = change(clean, 3, images={"image": Source(other)})
    exact = {p.kind: p for p in audit(copied).problems}
    assert exact["exact_duplicate"].groups == (("001", "003"),)
    assert set(exact) == {"exact_duplicate", "mixed_channels"}
    assert exact["mixed_channels"].exams == ("003",)
    assert not audit(copied).grave


def test_an_image_in_two_splits_with_two_labels_is_grave(clean):
    draw(clean, 119, cloud(0))
    found = audit(clean)
    assert [(p.kind, p.grave) for p in found.problems] == [
        ("image_in_two_splits", True),
        ("two_labels", True),
        ("exact_duplicate", False),
    ]
    assert found.problems[0].groups == (("000", "119"),)
    assert found.grave


def test_a_near_duplicate_is_a_warning(clean):
    brighter = np.clip(cloud(0) * 1.15, 0, 255).astype(np.uint8)
    draw(clean, 118, np.asarray(Pillow.fromarray(brighter).resize((36, 30))))
    found = audit(clean)
    assert only(found).kind == "near_duplicate"
    assert only(found).groups == (("000", "118"),)
    assert not found.grave


def test_a_patient_in_two_splits_is_grave(clean):
    problem = only(audit(change(clean, 119, patient="p0")))
    assert (problem.kind, problem.grave) == ("patient_in_two_splits", True)
    assert problem.groups == (("000", "060", "119"),)
    assert "p0 in train and test" in problem.message


def test_constant_images_are_told_but_are_no_duplicates(clean):
    draw(clean, 4, np.full((40, 48), 9, np.uint8))
    draw(clean, 5, np.full((40, 48), 9, np.uint8))
    problem = only(audit(clean))
    assert (problem.kind, problem.grave, problem.exams) == ("constant_image", False, ("004", "005"))


def test_pictures_among_volumes_are_grave(clean, tmp_path):
    np.save(tmp_path / "volume.npy", cloud(500, (16, 20, 24)))
    mixed = change(clean, 7, images={"image": Source(tmp_path / "volume.npy")})
    problem = only(audit(mixed))
    assert (problem.kind, problem.grave, problem.exams) == ("mixed_dims", True, ("007",))
    assert "1 image of 3D" in problem.message


def test_a_volume_beside_a_picture_in_each_exam_is_no_mixture(clean, tmp_path):
    records = []
    for n, record in enumerate(clean.records):
        np.save(tmp_path / f"{n}.npy", cloud(1000 + n, (6, 8, 8)))
        images = {"photo": record.source, "scan": Source(tmp_path / f"{n}.npy")}
        records.append(replace(record, images=images))
    found = audit(replace(clean, records=tuple(records)))
    assert found.problems == ()
    assert found.images == 240


def test_facts_and_labels_that_are_missing_are_warnings(clean):
    lacking = change(clean, 2, facts={"age": None, "sex": "f"})
    lacking = change(lacking, 3, facts={"age": float("nan"), "sex": ""}, label=None)
    problems = {p.kind: p for p in audit(lacking).problems}
    assert set(problems) == {"missing_label", "missing_values"}
    assert problems["missing_label"].exams == ("003",)
    assert problems["missing_values"].exams == ("002", "003")
    assert "age in 2, sex in 1" in problems["missing_values"].message
    assert not any(p.grave for p in problems.values())


def of_split(cohort: Cohort, **splits: str) -> Cohort:
    """Rename splits."""
    records = tuple(replace(r, split=splits.get(r.split, r.split)) for r in cohort.records)
    return replace(cohort, records=records)


def test_a_class_that_is_not_in_each_split_is_grave(clean):
    records = tuple(r for r in clean.records if (r.split, r.label) != ("test", 1))
    problem = only(audit(replace(clean, records=records)))
    assert (problem.kind, problem.grave) == ("small_class", True)
    assert "nodule (none in test)" in problem.message


@pytest.mark.parametrize(("patients", "grave"), [(2, True), (3, False)])
def test_a_class_of_too_few_patients_to_split_is_grave(clean, patients, grave):
    unsplit = of_split(clean, train="", val="", test="")
    few = {f"p{2 * n + 1}" for n in range(patients)}
    records = tuple(r for r in unsplit.records if r.label == 0 or r.patient in few)
    problem = only(audit(replace(unsplit, records=records)))
    assert (problem.kind, problem.grave) == ("small_class", grave)
    assert len(problem.exams) == 2 * patients


def test_a_class_with_few_tests_is_a_warning(clean):
    some = [r for r in clean.records if (r.split, r.label) == ("test", 1)][9:]
    records = tuple(r for r in clean.records if r not in some)
    problem = only(audit(replace(clean, records=records)))
    assert (problem.kind, problem.grave) == ("small_class", False)
    assert "nodule (9 in test)" in problem.message


def test_where_findings_coexist_the_absence_is_a_class_too(clean):
    records = tuple(replace(r, label=(1, r.label)) for r in clean.records)
    problem = only(audit(Cohort(records, Task(TASK.classes, "coexisting"), clean.origin)))
    assert (problem.kind, problem.grave) == ("small_class", True)
    assert "without normal" in problem.message


def test_one_class_is_grave(clean):
    records = tuple(r for r in clean.records if r.label == 1)
    problem = only(audit(replace(clean, records=records)))
    assert (problem.kind, problem.grave) == ("few_classes", True)


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("Nodule", "nodule "), True),
        (("type 1", "type-1"), True),
        (("HER2+", "HER2-"), False),
        (("1.0", "10"), False),
    ],
)
def test_two_spellings_of_a_class_are_grave(clean, classes, found):
    problems = audit(replace(clean, task=Task(classes))).problems
    assert [(p.kind, p.grave) for p in problems] == [("label_variant", True)] * found


def test_a_group_in_test_and_learnt_from_is_grave(clean):
    apart = tuple(replace(r, group=f"{r.split} lesion") for r in clean.records)
    assert audit(replace(clean, records=apart)).problems == ()
    names = {"train": "000", "val": "032", "test": "046"}
    bound = {"000": "north", "032": "south", "001": "south", "046": "north"}
    records = tuple(replace(r, group=bound.get(r.name, "")) for r in clean.records)
    assert all(next(r for r in records if r.name == n).split == s for s, n in names.items())
    problem = only(audit(replace(clean, records=records)))
    assert (problem.kind, problem.grave) == ("group_in_two_splits", True)
    assert "1 group in test and learnt from: north in train and test" in problem.message
    assert problem.groups == (("000", "046"),)


def test_splits_that_are_not_known_are_grave(clean):
    half = change(clean, 119, split="")
    assert ("some_without_split", True) in [(p.kind, p.grave) for p in audit(half).problems]
    odd = of_split(clean, val="holdout")
    problems = {p.kind: p for p in audit(odd).problems}
    assert "'holdout'" in problems["unknown_split"].message
    assert problems["unknown_split"].grave
    alone = replace(clean, records=tuple(r for r in clean.records if r.split == "test"))
    assert ("no_training", True) in [(p.kind, p.grave) for p in audit(alone).problems]


def test_what_gives_the_class_away_is_a_warning(clean):
    records = [
        replace(r, facts={"site": "north" if r.label else "south", "sex": "f"})
        for r in clean.records
    ]
    problem = only(audit(replace(clean, records=tuple(records))))
    assert (problem.kind, problem.grave) == ("shortcut", False)
    assert "by itself site 1.00" in problem.message
    for number in range(1, 120, 2):
        draw(clean, number, cloud(number, (40, 40)))
    assert "image size" in only(audit(clean)).message


def test_a_fact_of_many_values_gives_nothing_away(clean):
    """A word for each exam would foretell every label, were it learnt from."""
    records = [replace(r, facts={"code": f"c{n}"}) for n, r in enumerate(clean.records)]
    assert audit(replace(clean, records=tuple(records))).problems == ()


def test_many_sizes_are_counted_together(clean):
    for number in range(60):
        draw(clean, number, cloud(number, (40, 48 + number % 12)))
    sizes = audit(clean).sizes
    assert len(sizes) == 9
    assert sum(sizes.values()) == 120
    assert sizes["4 other sizes"] == 20


def test_problems_are_of_known_kinds_and_the_grave_come_first(clean):
    draw(clean, 119, cloud(0))
    clean.records[7].source.path.write_bytes(b"")
    found = audit(change(clean, 118, patient="p1", facts={"age": None, "sex": "f"}))
    assert {p.kind for p in found.problems} <= set(KINDS)
    assert [p.grave for p in found.problems] == sorted(p.grave for p in found.problems)[::-1]
    assert len(found.problems) == 6
    assert not any("\n" in p.message for p in found.problems)


def test_an_audit_becomes_json(clean):
    draw(clean, 119, cloud(0))
    told = json.loads(json.dumps(audit(clean).as_dict()))
    assert told["grave"] is True
    assert told["task"] == {"classes": ["normal", "nodule"], "kind": "exclusive", "sets": []}
    assert told["problems"][0]["kind"] == "image_in_two_splits"
    assert told["problems"][0]["groups"] == [["000", "119"]]


def test_kermany_has_32_superfluous_copies(real_data):
    looks = survey(read_cohort(real_data / "kermany_chest_xray/images.zip"))
    groups = group_exact(looks)
    assert sum(len(group) - 1 for group in groups) == 32


def test_breastmnist_has_one_image_in_train_and_test_with_two_labels(real_data):
    found = audit(read_cohort(real_data / "medmnist/breastmnist.npz"))
    problems = {p.kind: p for p in found.problems}
    assert set(problems["two_labels"].exams) == {"train-00115", "test-00076"}
    assert problems["image_in_two_splits"].grave
    values = np.load(real_data / "medmnist/breastmnist.npz")
    assert (values["train_images"][115] == values["test_images"][76]).all()
    assert len(problems["near_duplicate"].groups) > 120


def test_shapes_of_adrenal_glands_are_all_different(real_data):
    cohort = read_cohort(real_data / "medmnist/adrenalmnist3d.npz")
    found = audit(replace(cohort, records=cohort.records[::4]))
    assert found.problems == ()
