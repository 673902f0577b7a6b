import hashlib
import runpy
import zipfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from medclf.core.record import Source
from medclf.errors import CohortError, ReadError
from medclf.read.datasets.medmnist import packs, read_dataset, recognise
from medclf.read.datasets.medmnist_sets import SETS
from medclf.read.image import read_image

RNG = np.random.default_rng(0)
COUNTS = {"train": 12, "val": 4, "test": 6}


def arrays(space=(8, 8), classes=2, columns=1, dtype=np.uint8):
    made = {}
    for split, count in COUNTS.items():
        made[f"{split}_images"] = RNG.integers(0, 256, (count, *space), np.uint8)
        labels = RNG.integers(0, classes, (count, columns)).astype(dtype)
        labels[0] = classes - 1
        made[f"{split}_labels"] = labels
    return made


def splits_of(cohort):
    return Counter(record.split for record in cohort.records)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("pneumoniamnist", (4708, 524, 624)),
        ("breastmnist", (546, 78, 156)),
        ("adrenalmnist3d", (1188, 98, 298)),
    ],
)
def test_real_sets(real_data, name, counts):
    path = real_data / "medmnist" / f"{name}.npz"
    cohort = read_dataset(path)
    assert splits_of(cohort) == dict(zip(("train", "val", "test"), counts, strict=True))
    assert cohort.task == SETS[name].task
    with np.load(path) as held:
        for split in ("train", "test"):
            records = cohort.split(split).records
            assert [r.label for r in records] == held[f"{split}_labels"][:, 0].tolist()
            for index in (0, 7, len(records) - 1):
                truth = held[f"{split}_images"][index][None]
                np.testing.assert_array_equal(read_image(records[index].source).values, truth)


@pytest.mark.parametrize("name", ["adrenalmnist3d"])
def test_the_checksum_is_that_of_the_official_file(real_data, name):
    raw = (real_data / "medmnist" / f"{name}.npz").read_bytes()
    assert hashlib.md5(raw, usedforsecurity=False).hexdigest() == SETS[name].md5


def test_the_table_is_that_of_the_package():
    found = find_spec("medmnist")
    if found is None:
        pytest.skip("the package medmnist is not installed")
    info = runpy.run_path(str(Path(found.origin).with_name("info.py")))["INFO"]
    kinds = {"multi-label, binary-class": "coexisting", "ordinal-regression": "ranked"}
    assert list(SETS) == list(info)
    for name, published in SETS.items():
        assert published.md5 == info[name]["MD5"]
        assert published.classes == tuple(info[name]["label"].values())
        assert published.kind == kinds.get(info[name]["task"], "exclusive")


def test_there_are_eighteen_sets():
    assert len(SETS) == len({s.md5 for s in SETS.values()}) == 18
    assert [n for n, s in SETS.items() if s.kind != "exclusive"] == ["chestmnist", "retinamnist"]
    assert SETS["breastmnist"].classes == ("malignant", "normal, benign")


@pytest.mark.parametrize("suffix", ["", "_64", "_128", "_224"])
def test_records_of_a_known_name(tmp_path, suffix):
    path = tmp_path / f"retinamnist{suffix}.npz"
    held = arrays((8, 8, 3), classes=5)
    np.savez_compressed(path, **held)
    cohort = read_dataset(path)
    assert cohort.task.kind == "ranked"
    assert splits_of(cohort) == COUNTS
    record = cohort.split("val").records[3]
    assert record.name == record.patient == "val-00003"
    assert record.source == Source(path, "val_images", 3)
    assert record.label == held["val_labels"][3, 0]
    values = read_image(record.source).values
    np.testing.assert_array_equal(values, held["val_images"][3].transpose(2, 0, 1))
    assert values.flags.c_contiguous
    assert values.flags.writeable


def test_coexisting_labels(tmp_path):
    held = arrays(classes=2, columns=14)
    np.savez(tmp_path / "chestmnist.npz", **held)
    cohort = read_dataset(tmp_path / "chestmnist.npz")
    assert cohort.task.kind == "coexisting"
    assert cohort.records[2].label == tuple(held["train_labels"][2].tolist())


def test_unknown_name_is_named_by_numbers_and_says_so(tmp_path):
    path = tmp_path / "mine.npz"
    held = arrays((8, 8, 8), classes=3)
    held["train_labels"] = held["train_labels"][:, 0]
    np.savez(path, **held)
    cohort = read_dataset(path)
    assert (cohort.task.classes, cohort.task.kind) == (("0", "1", "2"), "exclusive")
    assert "mine is no published MedMNIST set" in cohort.notes[0]
    assert read_image(cohort.records[0].source).values.shape == (1, 8, 8, 8)
    np.savez(path, **arrays(classes=2, columns=4))
    assert read_dataset(path).task.kind == "coexisting"


def test_an_npz_in_a_zip_is_read_in_place(tmp_path):
    held = arrays()
    np.savez_compressed(tmp_path / "breastmnist.npz", **held)
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "breastmnist.npz", "sub/breastmnist.npz")
        archive.writestr("README.txt", "notes")
    assert recognise(path)
    cohort = read_dataset(path)
    assert cohort.task == SETS["breastmnist"].task
    record = cohort.split("test").records[5]
    assert str(record.source) == f"{path}!sub/breastmnist.npz!test_images[5]"
    np.testing.assert_array_equal(read_image(record.source).values[0], held["test_images"][5])


def test_what_is_recognised(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays())
    assert recognise(tmp_path / "a.npz")
    assert not recognise(tmp_path)
    assert not recognise(tmp_path / "absent.npz")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a.npz", "a.npz")
        archive.writestr("a.png", b"")
    assert not recognise(tmp_path / "b.zip")
    (tmp_path / "c.zip").write_bytes(b"PK no more")
    assert not recognise(tmp_path / "c.zip")
    assert packs(Source(tmp_path / "a.npz", "train_images", 0))
    assert not packs(Source(tmp_path / "a.npz", "train_labels", 0))
    assert not packs(Source(tmp_path / "a.zip", "train_images", 0))


def refused(tmp_path, held, message, name="breastmnist", kind=ReadError):
    np.savez(tmp_path / f"{name}.npz", **held)
    with pytest.raises(kind, match=message):
        read_dataset(tmp_path / f"{name}.npz")


def test_what_contradicts_is_refused(tmp_path):
    refused(tmp_path, {"x": np.zeros(3)}, "train_images and train_labels wanted, found x")
    held = arrays()
    refused(tmp_path, held | {"val_labels": np.zeros((9, 1), int)}, "4 labels wanted, one per")
    refused(tmp_path, held | {"val_labels": np.full((4, 1), 2)}, "labels 0 to 1 wanted, found 2")
    refused(tmp_path, held | {"val_labels": np.zeros((4, 1))}, "whole numbers wanted")
    refused(tmp_path, held | {"val_labels": np.zeros((4, 2), int)}, "different numbers of columns")
    refused(tmp_path, held, "14 classes, coexisting", "chestmnist")
    refused(tmp_path, held | {"val_images": np.zeros((4, 8), int)}, r"images \(N, Y, X\)")
    one = {"train_images": held["train_images"], "train_labels": np.zeros(12, int)}
    refused(tmp_path, one, "two classes or more wanted", "mine", CohortError)
    refused(tmp_path, {k: v.astype(object) for k, v in held.items()}, "never loaded")


def test_cut_at_any_length(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **arrays())
    raw, path = (tmp_path / "a.npz").read_bytes(), tmp_path / "breastmnist.npz"
    for cut in range(0, len(raw), 97):
        path.write_bytes(raw[:cut])
        with pytest.raises(ReadError, match="breastmnist"):
            read_dataset(path)


def test_an_index_beyond_the_end_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays())
    with pytest.raises(ReadError, match=r"val_images\[4\]: an image from 0 to 3 wanted"):
        read_image(Source(tmp_path / "a.npz", "val_images", 4))


def test_an_image_belongs_to_the_caller(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays())
    source = Source(tmp_path / "a.npz", "val_images", 1)
    first = read_image(source).values
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(read_image(source).values, kept)


@pytest.mark.parametrize(("space", "shape"), [((8, 7, 1), (1, 8, 7)), ((8, 7, 3), (3, 8, 7))])
def test_a_last_axis_of_1_or_3_holds_channels(tmp_path, space, shape):
    np.savez_compressed(tmp_path / "own.npz", **arrays(space))
    record = read_dataset(tmp_path / "own.npz").records[0]
    assert read_image(record.source).values.shape == shape
