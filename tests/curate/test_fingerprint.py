"""What a cohort's records and a sample of its pixels tell."""

import json
from collections import Counter
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.data import get_testdata_file

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.cohort import read_cohort
from medclf.curate.fingerprint import draw_sample, take_fingerprint
from medclf.errors import CohortError, ReadError, SettingError


@pytest.fixture
def cohort_of(tmp_path):
    """Make a cohort of arrays: (Y, X), (Y, X, 3) or (Z, Y, X), each written to a file."""

    def make(arrays, suffix=".png", labels=None, task=None):
        records = []
        for i, array in enumerate(arrays):
            path = tmp_path / f"{i:03d}{suffix}"
            if suffix == ".npy":
                np.save(path, array)
            elif suffix == ".jpg":
                Pillow.fromarray(array).save(path, quality=75)
            else:
                Pillow.fromarray(array).save(path)
            label = i % 2 if labels is None else labels[i]
            records.append(Record(f"{i}", {"image": Source(path)}, f"p{i // 2}", label))
        return Cohort(tuple(records), task or Task(("no", "yes")), tmp_path)

    return make


def test_counts_and_shapes_of_grey_pictures(cohort_of):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, size, dtype=np.uint8) for size in ((8, 9), (20, 12), (10, 30))]
    cohort = cohort_of(arrays)
    split = ("train", "train", "val")
    records = tuple(replace(r, split=s) for r, s in zip(cohort.records, split, strict=True))
    found = take_fingerprint(replace(cohort, records=records))
    assert (found.exams, found.patients, found.sampled, found.unreadable) == (3, 2, 3, ())
    assert found.classes == {"train": {"no": 1, "yes": 1}, "val": {"no": 1, "yes": 0}}
    assert (found.images_per_exam, found.image_names) == ((1, 1), {"image": 3})
    assert (found.dims, found.channels, found.colour_is_grey) == (2, 1, False)
    assert (found.shape_min, found.shape_median, found.shape_max) == ((8, 9), (10, 12), (20, 30))
    assert (found.spacing_known, found.spacing_median_mm) == (0.0, None)
    assert (found.bits, found.dtypes, found.binary) == ({"8": 3}, {"uint8": 3}, False)
    assert found.minimum == min(a.min() for a in arrays)
    assert found.maximum == max(a.max() for a in arrays)


def test_percentiles_are_those_of_the_foreground(cohort_of):
    rng = np.random.default_rng(0)
    arrays = []
    for _ in range(6):
        array = np.zeros((100, 100), np.uint8)
        array[30:70, 30:70] = rng.integers(100, 201, (40, 40))
        arrays.append(array)
    low, middle, high = take_fingerprint(cohort_of(arrays)).percentiles
    inside = np.concatenate([array[array > 0] for array in arrays])
    assert (low, middle, high) == pytest.approx(np.percentile(inside, (0.5, 50, 99.5)), abs=2)


def test_grey_in_three_channels_is_grey_and_colour_is_colour(cohort_of):
    rng = np.random.default_rng(0)
    soft = np.kron(rng.integers(0, 256, (6, 6)), np.ones((8, 8))).astype(np.uint8)
    grey = np.stack([soft] * 3, axis=-1)
    found = take_fingerprint(cohort_of([grey, grey], ".jpg"))
    assert (found.channels, found.colour_is_grey) == (1, True)
    tinted = grey.copy()
    tinted[..., 0] //= 2
    found = take_fingerprint(cohort_of([grey, tinted], ".png"))
    assert (found.channels, found.colour_is_grey) == (3, False)
    found = take_fingerprint(cohort_of([soft, tinted], ".png"))
    assert (found.channels, found.colour_is_grey) == (3, False)
    off = grey.astype(int)
    off[..., 1] += np.where(off[..., 1] < 250, 2, -2)
    found = take_fingerprint(cohort_of([off.astype(np.uint8)] * 2, ".png"))
    assert found.colour_is_grey


def test_volumes_with_spacing(tmp_path):
    records = []
    for i, spacing in enumerate([(1, 1, 3), (2, 2, 5)]):
        path = tmp_path / f"{i}.nii.gz"
        values = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([*spacing, 1.0])), path)
        records.append(Record(f"{i}", {"image": Source(path)}, f"{i}", i))
    cohort = Cohort(tuple(records), Task(("a", "b")), tmp_path)
    found = take_fingerprint(cohort)
    assert (found.dims, found.shape_median, found.spacing_known) == (3, (6, 5, 4), 1.0)
    assert found.oriented
    assert found.spacing_min_mm == pytest.approx((3, 1, 1))
    assert found.spacing_median_mm == pytest.approx((4, 1.5, 1.5))
    assert found.spacing_max_mm == pytest.approx((5, 2, 2))


def test_dicom_tells_modality_unit_and_bits(tmp_path):
    paths = [get_testdata_file("CT_small.dcm"), get_testdata_file("MR_small.dcm")]
    records = [
        Record(f"{i}", {"image": Source(tmp_path / path)}, f"{i}", i)
        for i, path in enumerate(paths)
    ]
    found = take_fingerprint(Cohort(tuple(records), Task(("ct", "mr")), tmp_path))
    assert found.modalities == {"CT": 1, "MR": 1}
    assert found.units == {"": 1, "HU": 1}
    assert found.bits == {"16": 2}
    assert found.minimum == -896


def test_drawn_shapes_are_binary(cohort_of):
    rng = np.random.default_rng(0)
    shapes = [rng.integers(0, 2, (5, 6, 7)).astype(np.uint8) * 255 for _ in range(4)]
    assert take_fingerprint(cohort_of(shapes, ".npy")).binary
    shapes[2][0, 0, 0] = 7
    assert not take_fingerprint(cohort_of(shapes, ".npy")).binary


def test_coexisting_findings_are_counted_each(cohort_of):
    task = Task(("a", "b"), "coexisting")
    arrays = [np.zeros((4, 4), np.uint8)] * 3
    found = take_fingerprint(cohort_of(arrays, labels=[(1, 1), (0, 0), (0, 1)], task=task))
    assert found.classes == {"": {"a": 1, "b": 2}}
    assert found.kind == "coexisting"
    assert found.percentiles == (0.0, 0.0, 0.0)


def test_what_cannot_be_read_is_told(cohort_of, tmp_path):
    cohort = cohort_of([np.zeros((4, 4), np.uint8)] * 4)
    (tmp_path / "001.png").write_bytes(b"")
    (tmp_path / "002.png").unlink()
    found = take_fingerprint(cohort)
    assert [name for name, _ in found.unreadable] == [
        str(tmp_path / "001.png"), str(tmp_path / "002.png")
    ]  # fmt: skip
    assert all(message for _, message in found.unreadable)
    assert found.sampled == 4
    for name in ("000.png", "003.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ReadError, match=r"none of 4 images can be read; first: .*000\.png"):
        take_fingerprint(cohort)


def test_the_test_split_is_not_looked_at(cohort_of, tmp_path):
    cohort = cohort_of([np.full((4, 4), 10 * i, np.uint8) for i in range(4)])
    splits = ("train", "val", "test", "test")
    dealt = [replace(r, split=s) for r, s in zip(cohort.records, splits, strict=True)]
    (tmp_path / "003.png").unlink()
    for sample in (None, 4):
        found = take_fingerprint(replace(cohort, records=tuple(dealt)), sample=sample)
        assert (found.exams, found.sampled, found.maximum, found.unreadable) == (4, 2, 10, ())


def test_mixed_forms_are_refused_with_one_of_each(cohort_of):
    arrays = [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)]
    with pytest.raises(CohortError, match=r"2 axes in .*000\.npy and 3 axes in .*001\.npy"):
        take_fingerprint(cohort_of(arrays, ".npy"))


def test_the_dictionary_is_as_json_holds_it(cohort_of):
    found = take_fingerprint(cohort_of([np.eye(4, dtype=np.uint8)] * 2)).to_dict()
    assert json.loads(json.dumps(found)) == found


def test_progress_is_told(cohort_of):
    seen = []
    cohort = cohort_of([np.zeros((4, 4), np.uint8)] * 5)
    take_fingerprint(cohort, sample=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(SettingError, match="one exam or more"):
        take_fingerprint(cohort, sample=0)


def test_a_sample_holds_the_rare_and_mirrors_the_rest():
    labels = [0] * 900 + [1] * 90 + [2] * 10
    records = [
        Record(f"{i:04d}", {}, f"{i}", label, "test" if i % 5 == 0 else "train")
        for i, label in enumerate(labels)
    ]
    sample = draw_sample(records, 100, seed=0)
    assert len({r.name for r in sample}) == 100
    assert {(r.label, r.split) for r in sample} == {(r.label, r.split) for r in records}
    assert Counter(r.label for r in sample)[0] == pytest.approx(88, abs=6)
    assert draw_sample(records[::-1], 100, seed=0) == sample
    assert draw_sample(records, 100, seed=1) != sample
    assert draw_sample(records, 2000, seed=0) == records
    assert len(draw_sample(records, 3, seed=0)) == 3


def test_real_data(real_data):
    xray = read_cohort(real_data / "kermany_chest_xray" / "images.zip")
    found = take_fingerprint(xray, sample=40)
    assert (found.channels, found.colour_is_grey, found.shape_median) == (1, True, (224, 224))
    skin = take_fingerprint(read_cohort(real_data / "ham10000"), sample=40)
    assert (skin.channels, skin.shape_median) == (3, (150, 200))
    gland = take_fingerprint(read_cohort(real_data / "medmnist" / "adrenalmnist3d.npz"), sample=40)
    assert (gland.dims, gland.binary, gland.shape_max) == (3, True, (28, 28, 28))
    digits = take_fingerprint(read_cohort(real_data / "mnist"), sample=200)
    assert (digits.exams, digits.shape_min, digits.channels) == (70_000, (28, 28), 1)
    assert digits.classes["test"]["0"] == 980
