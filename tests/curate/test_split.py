"""Splits by patient and class, and who the patients are."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Record, Source
from medclf.core.task import Task
from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.split import name_patients, split_cohort
from medclf.errors import CohortError, SettingError

IMAGES = {"image": Source(Path("x.png"))}


def cohort_of(labels, patients=None, splits=None, kind="exclusive", classes=None):
    patients = range(len(labels)) if patients is None else patients
    splits = [""] * len(labels) if splits is None else splits
    several = isinstance(labels[0], tuple)
    names = classes or tuple("abcdefgh"[: len(labels[0]) if several else max(labels) + 1])
    records = tuple(
        Record(f"exam-{i:05d}", IMAGES, f"p{patient}", label, split)
        for i, (label, patient, split) in enumerate(zip(labels, patients, splits, strict=True))
    )
    return Cohort(records, Task(names, "coexisting" if several else kind), Path("data"))


def draw(rng):
    """A random cohort: kind, size, classes, exams per patient and how mixed these are, all vary."""
    classes = int(rng.integers(2, 6))
    patients = int(rng.integers(60, 400))
    n = int(patients * rng.uniform(1, 5))
    of = rng.integers(patients, size=n)
    if rng.random() < 0.3:
        chance = rng.uniform(0.15, 0.85, classes)
        labels = [tuple(int(x) for x in row) for row in rng.random((n, classes)) < chance]
        return cohort_of(labels, of)
    own = rng.choice(classes, patients, p=rng.dirichlet(np.full(classes, 5)))
    mixed = rng.random(n) < rng.uniform(0, 0.6)
    labels = np.where(mixed, rng.integers(classes, size=n), own[of])
    names = tuple("abcdefgh"[:classes])
    kind = "ranked" if rng.random() < 0.3 else "exclusive"
    return cohort_of([int(x) for x in labels], of, kind=kind, classes=names)


def strata(cohort):
    """The strata of each exam: its class, or each finding and each absence."""
    for record in cohort.records:
        label = record.label if isinstance(record.label, tuple) else (record.label,)
        yield record, list(enumerate(label)) if len(label) > 1 else label


@pytest.mark.parametrize("seed", range(40))
def test_invariants_over_random_cohorts(seed):
    rng = np.random.default_rng(seed)
    cohort = draw(rng)
    split = split_cohort(cohort, seed)
    assert [r.name for r in split.records] == [r.name for r in cohort.records]
    owners = {}
    for record in split.records:
        assert owners.setdefault(record.patient, record.split) == record.split
    n = len(cohort.records)
    wanted = dict(zip(SPLITS, (0.65, 0.15, 0.2), strict=True))
    sizes = Counter(r.split for r in split.records)
    exams = Counter(r.patient for r in split.records)
    slack = max(0.02 * n, max(exams.values()))
    assert all(abs(sizes[s] - wanted[s] * n) <= slack for s in SPLITS)
    counts, totals = Counter(), Counter()
    for record, marks in strata(split):
        for mark in marks:
            counts[record.split, mark] += 1
            totals[mark] += 1
    for mark, total in totals.items():
        for s in SPLITS:
            assert counts[s, mark] > 0
            assert abs(counts[s, mark] - wanted[s] * total) <= max(0.1 * total, 3)
    mixed = replace(cohort, records=tuple(cohort.records[i] for i in rng.permutation(n)))
    again = {r.name: r.split for r in split_cohort(mixed, seed).records}
    assert again == {r.name: r.split for r in split.records}


def test_single_exams_split_exactly_and_by_the_seed():
    cohort = cohort_of([0] * 700 + [1] * 300)
    split = split_cohort(cohort, seed=0)
    counts = Counter((r.split, r.label) for r in split.records)
    assert counts == {
        ("train", 0): 455, ("train", 1): 195, ("val", 0): 105, ("val", 1): 45,
        ("test", 0): 140, ("test", 1): 60,
    }  # fmt: skip
    other = split_cohort(cohort, seed=1)
    assert other.records != split.records
    assert split.notes[-1] == (
        "Split by patient and class, seed 0: train 650 exams of 650 patients, "
        "val 150 exams of 150 patients, test 200 exams of 200 patients."
    )


def test_three_patients_are_enough_for_a_class():
    """Shares alone would give two of the three to train and none to val."""
    for seed in range(10):
        split = split_cohort(cohort_of([0] * 200 + [1] * 3), seed)
        assert {r.split for r in split.records if r.label == 1} == set(SPLITS)


def test_validation_is_carved_out_of_train_and_test_stays():
    splits = ["train"] * 80 + ["test"] * 20
    cohort = cohort_of([0, 1] * 50, splits=splits)
    split = split_cohort(cohort, seed=0, val=0.25)
    assert [r.split for r in split.records][80:] == ["test"] * 20
    counts = Counter((r.split, r.label) for r in split.records[:80])
    assert counts == {("train", 0): 30, ("train", 1): 30, ("val", 0): 10, ("val", 1): 10}
    assert "val is carved out of train" in split.notes[-1]


def test_splits_that_the_data_state_stay():
    whole = cohort_of([0, 1] * 3, splits=["train", "train", "val", "val", "test", "test"])
    assert split_cohort(whole, seed=0).records == whole.records
    half = cohort_of([0, 1] * 2, splits=["train", "train", "val", "val"])
    kept = split_cohort(half, seed=0)
    assert kept.records == half.records
    assert "there is no test split" in kept.notes[-1]
    poor = cohort_of([0, 1, 0, 1, 0, 0], splits=["train", "train", "val", "val", "test", "test"])
    assert "no b in test" in split_cohort(poor, seed=0).notes[-1]


def test_all_in_train_is_no_split():
    split = split_cohort(cohort_of([0, 1] * 50, splits=["train"] * 100), seed=0)
    assert Counter(r.split for r in split.records) == {"train": 65, "val": 15, "test": 20}


def test_a_share_of_zero_leaves_a_split_out():
    split = split_cohort(cohort_of([0, 1] * 50), seed=0, test=0)
    assert set(Counter(r.split for r in split.records)) == {"train", "val"}


@pytest.mark.parametrize("shares", [(-0.1, 0.2), (0.5, 0.5), (0.9, 0.2)])
def test_shares_are_checked(shares):
    with pytest.raises(SettingError, match="val and test are shares"):
        split_cohort(cohort_of([0, 1] * 50), 0, *shares)


def test_a_split_for_some_exams_only_is_refused():
    with pytest.raises(
        CohortError, match=r"2 exams without a split, but others have one \(1 in train\)"
    ):
        split_cohort(cohort_of([0, 1, 0], splits=["train", "", ""]), seed=0)
    with pytest.raises(CohortError, match="no exam to train on: all are in test"):
        split_cohort(cohort_of([0, 1], splits=["test", "test"]), seed=0)
    with pytest.raises(CohortError, match="splits are train, val, test, not 'holdout'"):
        split_cohort(cohort_of([0, 1], splits=["train", "holdout"]), seed=0)


def test_a_patient_in_two_splits_is_refused_unless_allowed():
    splits = ["train"] * 40 + ["test"] * 10
    patients = [*range(40), *range(4), *range(50, 56)]
    cohort = cohort_of([0, 1] * 25, patients, splits)
    with pytest.raises(CohortError, match=r"4 patients in two splits: p0 \(train and test\)"):
        split_cohort(cohort, seed=0)
    split = split_cohort(cohort, seed=0, allow_shared_patients=True)
    assert Counter(r.split for r in split.records[40:]) == {"test": 10}


def test_a_small_class_is_named_with_what_it_needs():
    cohort = cohort_of(
        [0] * 50 + [1] * 9 + [2] * 50, [*range(50), *([50] * 8), 51, *range(52, 102)]
    )
    with pytest.raises(CohortError) as caught:
        split_cohort(cohort, seed=0)
    assert str(caught.value) == (
        "data: class b has 2 patients (9 exams): 3 patients wanted, "
        "one for each of train, val, test"
    )


def test_a_pattern_names_the_patients(tmp_path):
    names = ["train/P/person1_bacteria_1.jpeg", "train/P/person1_virus_2.jpeg",
             "train/N/IM-0115-0001.jpeg", "train/N/other.jpeg"]  # fmt: skip
    records = [Record(n, {"image": Source(tmp_path / n)}, n) for n in names]
    found, notes = name_patients(records, r"(person\d+)_|(IM-\d+)-", tmp_path)
    assert [r.patient for r in found] == ["person1", "person1", "IM-0115", names[3]]
    assert "2 patients" in notes[0]
    assert "does not fit 1 path, such as 'train/N/other.jpeg'" in notes[1]
    zipped = [Record(n, {"image": Source(tmp_path / "a.zip", n)}, n) for n in names]
    found, _ = name_patients(zipped, r"(train|test)/.*/(?P<patient>person\d+)", tmp_path / "a.zip")
    assert [r.patient for r in found] == ["person1", "person1", *names[2:]]
    for pattern, message in [("(", "--patient-pattern"), ("person", "a group")]:
        with pytest.raises(SettingError, match=message):
            name_patients(records, pattern, tmp_path)
    with pytest.raises(CohortError, match="fits no path"):
        name_patients(records, "(nobody)", tmp_path)


def test_kermany(real_data):
    data = real_data / "kermany_chest_xray" / "images.zip"
    cohort = read_cohort(data)
    counts = Counter((r.split, cohort.task.classes[r.label]) for r in cohort.records)
    assert counts == {
        ("train", "NORMAL"): 1341, ("train", "PNEUMONIA"): 3875,
        ("test", "NORMAL"): 234, ("test", "PNEUMONIA"): 390,
    }  # fmt: skip
    assert cohort.task.classes == ("NORMAL", "PNEUMONIA")
    assert any("No patient is known" in note for note in cohort.notes)
    restarted = read_cohort(data, Columns(patient_pattern=r"(person\d+|IM-\d+)"))
    with pytest.raises(CohortError, match="264 patients in two splits: IM-0117"):
        split_cohort(restarted, seed=0)
    apart = Columns(patient_pattern=r"^((?:train|test)/.*(?:person\d+|IM-\d+))")
    split = split_cohort(read_cohort(data, apart), seed=0)
    owners = {}
    assert all(owners.setdefault(r.patient, r.split) == r.split for r in split.records)
    assert Counter(r.split for r in split.records) == {"train": 4434, "val": 782, "test": 624}


def test_published_sets(real_data):
    cohort = read_cohort(real_data / "medmnist" / "pneumoniamnist.npz")
    assert Counter(r.split for r in cohort.records) == {"train": 4708, "val": 524, "test": 624}
    mnist = split_cohort(read_cohort(real_data / "mnist"), seed=0)
    assert Counter(r.split for r in mnist.records) == {"train": 51000, "val": 9000, "test": 10000}
    cifar = read_cohort(real_data / "cifar10_jpeg" / "images_subset.zip")
    assert Counter(r.split for r in cifar.records) == {"train": 2000, "test": 1000}
    assert cifar.task.classes[:2] == ("airplane", "automobile")
