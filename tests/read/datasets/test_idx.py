import gzip
import zipfile
from collections import Counter

import numpy as np
import pytest

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.datasets.idx import packs, read_dataset, recognise
from medclf.read.image import read_image

RNG = np.random.default_rng(0)


def idx(values):
    head = bytes([0, 0, 8, values.ndim])
    return head + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


@pytest.fixture
def held():
    labels = RNG.integers(0, 10, 9, np.uint8)
    labels[0] = 9
    return {
        "train-images-idx3-ubyte": RNG.integers(0, 256, (9, 6, 5), np.uint8),
        "train-labels-idx1-ubyte": labels,
        "t10k-images-idx3-ubyte": RNG.integers(0, 256, (4, 6, 5), np.uint8),
        "t10k-labels-idx1-ubyte": RNG.integers(0, 10, 4, np.uint8),
    }


def write(folder, held, squeeze=False):
    for name, values in held.items():
        raw = gzip.compress(idx(values)) if squeeze else idx(values)
        (folder / (name + ".gz" * squeeze)).write_bytes(raw)
    return folder


def check(cohort, held):
    assert Counter(r.split for r in cohort.records) == {"train": 9, "test": 4}
    assert cohort.task.classes == tuple("0123456789")
    for split, stem in (("train", "train"), ("test", "t10k")):
        for index, record in enumerate(cohort.split(split).records):
            assert record.name == record.patient == f"{split}-{index:05d}"
            assert record.label == held[f"{stem}-labels-idx1-ubyte"][index]
            truth = held[f"{stem}-images-idx3-ubyte"][index]
            np.testing.assert_array_equal(read_image(record.source).values, truth[None])


@pytest.mark.parametrize("squeeze", [False, True])
def test_folder_and_file_of_it(tmp_path, held, squeeze):
    write(tmp_path, held, squeeze)
    assert recognise(tmp_path)
    check(read_dataset(tmp_path), held)
    one = next(tmp_path.glob("t10k-labels*"))
    assert recognise(one)
    check(read_dataset(one), held)


def test_zip(tmp_path, held):
    with zipfile.ZipFile(tmp_path / "mnist.zip", "w") as archive:
        for name, values in held.items():
            archive.writestr(f"raw/{name}.gz", gzip.compress(idx(values)))
    assert recognise(tmp_path / "mnist.zip")
    check(read_dataset(tmp_path / "mnist.zip"), held)


def test_plain_and_gzipped_side_by_side(tmp_path, held):
    write(tmp_path, held)
    write(tmp_path, held, squeeze=True)
    check(read_dataset(tmp_path), held)


def test_mnist(real_data):
    cohort = read_dataset(real_data / "mnist")
    assert Counter(r.split for r in cohort.records) == {"train": 60000, "test": 10000}
    first = cohort.split("train").records[0]
    image = read_image(first.source)
    assert (first.label, image.values.shape) == (5, (1, 28, 28))
    assert Counter(r.label for r in cohort.split("test").records)[1] == 1135  # As published.


def test_what_is_not_recognised(tmp_path, held):
    assert not recognise(tmp_path)
    assert not recognise(tmp_path / "absent")
    write(tmp_path, {name: held[name] for name in list(held)[:1]})
    assert not recognise(tmp_path)
    write(tmp_path, held)
    (tmp_path / "labels.csv").write_text("x")
    assert not recognise(tmp_path / "labels.csv")
    assert packs(Source(tmp_path / "t10k-images-idx3-ubyte.gz", index=1))
    assert not packs(Source(tmp_path / "other.gz", index=1))


@pytest.mark.parametrize("squeeze", [False, True])
def test_cut_at_any_length(tmp_path, held, squeeze):
    write(tmp_path, held, squeeze)
    for path in list(tmp_path.iterdir()):
        raw = path.read_bytes()
        for cut in range(0, len(raw), 7):
            path.write_bytes(raw[:cut])
            with pytest.raises(ReadError, match="ubyte"):
                read_dataset(tmp_path)
        path.write_bytes(raw)
    check(read_dataset(tmp_path), held)


def test_what_contradicts_is_refused(tmp_path, held):
    write(tmp_path, held | {"t10k-labels-idx1-ubyte": np.zeros(5, np.uint8)})
    with pytest.raises(ReadError, match="4 labels wanted, found"):
        read_dataset(tmp_path)
    write(tmp_path, held)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ReadError, match="270 bytes wanted, found 271"):
        read_dataset(tmp_path)
    path.write_bytes(b"\0\0\x0d\x03" + path.read_bytes()[4:-1])
    with pytest.raises(ReadError, match="IDX of unsigned bytes wanted"):
        read_dataset(tmp_path)


def test_an_index_beyond_the_end_is_refused(tmp_path, held):
    write(tmp_path, held)
    with pytest.raises(ReadError, match="an image from 0 to 3 wanted"):
        read_image(Source(tmp_path / "t10k-images-idx3-ubyte", index=4))
