"""Folds by patient and class."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from medclf.core.record import Record, Source
from medclf.curate.fold import assign_folds, count_labels
from medclf.errors import CohortError, SettingError

IMAGES = {"image": Source(Path("x.png"))}


def exams(labels, patients):
    return [
        Record(f"exam-{i:05d}", IMAGES, f"patient-{patient}", label)
        for i, (label, patient) in enumerate(zip(labels, patients, strict=True))
    ]


def draw(rng, n, classes, patients, pure=0.7):
    """Exams of patients who mostly have one class, the classes unequal."""
    share = 0.6 ** np.arange(classes)
    own = rng.choice(classes, patients, p=share / share.sum())
    of = rng.integers(patients, size=n)
    labels = np.where(rng.random(n) < pure, own[of], rng.integers(classes, size=n))
    return exams([int(label) for label in labels], of)


def imbalance(records, fold, classes, folds):
    """Chi-square distance of the classes in the folds from equal shares."""
    counts = np.zeros((folds, 2 * classes if isinstance(records[0].label, tuple) else classes))
    np.add.at(counts, fold, count_labels(records, classes))
    wanted = counts.sum(0) / folds
    return ((counts - wanted) ** 2 / np.maximum(wanted, 1)).sum()


def keeps_patients(records, fold):
    seen = {}
    return all(seen.setdefault(r.patient, f) == f for r, f in zip(records, fold, strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_as_well_balanced_as_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    classes, folds = int(rng.integers(2, 7)), int(rng.integers(2, 8))
    records = draw(rng, 1500, classes, int(rng.integers(150, 700)))
    ours = assign_folds(records, classes, folds, seed)
    assert keeps_patients(records, ours)
    labels = [r.label for r in records]
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    theirs = np.empty(len(records), int)
    for k, (_, held) in enumerate(
        splitter.split(labels, labels, groups=[r.patient for r in records])
    ):
        theirs[held] = k
    mine = imbalance(records, ours, classes, folds)
    assert mine <= imbalance(records, theirs, classes, folds) + 0.05
    sizes = np.bincount(ours, minlength=folds)
    assert np.ptp(sizes) <= 0.05 * len(records) / folds + 2


def test_single_exams_are_dealt_to_within_one():
    labels = np.random.default_rng(0).permutation([0] * 601 + [1] * 83 + [2] * 17)
    records = exams([int(label) for label in labels], range(len(labels)))
    fold = assign_folds(records, 3, 5, seed=3)
    counts = np.array([np.bincount(labels[fold == k], minlength=3) for k in range(5)])
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(1)) <= 1


def test_the_order_of_records_does_not_matter_and_the_seed_does():
    rng = np.random.default_rng(1)
    records = draw(rng, 400, 3, 120)
    fold = assign_folds(records, 3, 5, seed=7)
    mixed = rng.permutation(len(records))
    again = assign_folds([records[i] for i in mixed], 3, 5, seed=7)
    np.testing.assert_array_equal(again, fold[mixed])
    assert (assign_folds(records, 3, 5, seed=8) != fold).mean() > 0.3


def test_every_class_in_every_fold_even_when_it_barely_suffices():
    patients = [0, 0, 1, 1, 2, 2, 3, 3, *range(4, 60)]
    labels = [1, 2, 1, 2, 1, 0, 1, 2] + [2] + [0] * 55
    records = exams(labels, patients)
    for seed in range(20):
        fold = assign_folds(records, 3, 4, seed)
        for k in range(4):
            here = {r.label for r, f in zip(records, fold, strict=True) if f == k}
            assert here == {0, 1, 2}


def test_an_exchange_of_patients_finds_the_even_deal():
    """Patients of 3, 3, 2, 2, 2 exams go into two equal folds in one way only."""
    sizes = [3, 3, 2, 2, 2]
    patients = [p for p, size in enumerate(sizes) for _ in range(2 * size)]
    records = exams([0, 1] * 12, patients)
    for seed in range(10):
        fold = assign_folds(records, 2, 2, seed)
        assert np.bincount(fold).tolist() == [12, 12]


def test_coexisting_findings_and_their_absence():
    rng = np.random.default_rng(5)
    share = np.array([0.5, 0.1, 0.02, 0.9])
    labels = [tuple(int(x) for x in rng.random(4) < share) for _ in range(1200)]
    records = exams(labels, rng.integers(500, size=1200))
    fold = assign_folds(records, 4, 5, seed=0)
    assert keeps_patients(records, fold)
    marks = count_labels(records, 4)
    counts = np.array([marks[fold == k].sum(0) for k in range(5)])
    assert counts.min() >= 1
    assert (np.abs(counts - marks.sum(0) / 5) <= 0.05 * marks.sum(0) / 5 + 1.5).all()


def test_a_class_of_too_few_patients_is_named():
    records = exams([0] * 20 + [1] * 6, [*range(20), 20, 20, 20, 21, 21, 22])
    with pytest.raises(CohortError, match=r"class 1 has 3 patients \(6 exams\).*5 patients wanted"):
        assign_folds(records, 2, 5, seed=0)
    with pytest.raises(CohortError, match=r"class nodule has 3 patients"):
        assign_folds(records, ("normal", "nodule"), 5, seed=0)
    alone = exams([0] * 20 + [1] * 2, [*range(20), 20, 20])
    with pytest.raises(CohortError, match=r"class 1 has 1 patient \(2 exams\): 5 patients wanted"):
        assign_folds(alone, 2, 5, seed=0)


def test_labels_and_folds_are_checked():
    with pytest.raises(SettingError, match="two folds or more wanted, not 1"):
        assign_folds(exams([0, 1], [0, 1]), 2, 1, seed=0)
    with pytest.raises(CohortError, match="1 of 2 exams have no label: exam-00001"):
        assign_folds(exams([0, None], [0, 1]), 2, 2, seed=0)
