import os
import pickle
import tarfile
import tracemalloc
import zipfile
from collections import Counter
from io import BytesIO

import numpy as np
import pytest

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.datasets.cifar import packs, read_dataset, recognise
from medclf.read.image import read_image

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (4, 3072), np.uint8)

# An array as Python 2 pickled it into the published batches: protocol 2, words as bytes.
FROM_PYTHON_2 = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\n"
    b"q\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01"
    b"\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00"
    + PICTURES[0].tobytes()
    + b"tbU\x06labelsq\x08]q\tK\x06au."
)


def ten(folder):
    folder.mkdir(parents=True)
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        labels = [(number + i) % 10 for i in range(4)]
        content = {b"data": PICTURES + np.uint8(number), b"labels": labels, b"batch_label": b"b"}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    names = [f"class {n}".encode() for n in range(10)]
    meta = {b"label_names": names, b"num_vis": 3072}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    return folder


def hundred(folder):
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        content = {"data": PICTURES, "fine_labels": [0, 99, 5, 6], "coarse_labels": [0, 1, 2, 3]}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    meta = {"fine_label_names": [f"fine {n}" for n in range(100)], "coarse_label_names": ["c"]}
    (folder / "meta").write_bytes(pickle.dumps(meta, protocol=2))
    return folder


def check_ten(cohort):
    assert Counter(r.split for r in cohort.records) == {"train": 20, "test": 4}
    assert cohort.task.classes[3] == "class 3"
    assert [r.label for r in cohort.records[4:8]] == [1, 2, 3, 4]
    assert [r.name for r in cohort.records[3:5]] == ["train-00003", "train-00004"]
    values = read_image(cohort.records[9].source).values
    expected = (PICTURES[1] + np.uint8(2)).reshape(3, 32, 32)
    np.testing.assert_array_equal(values, expected)
    values[:] = 0
    np.testing.assert_array_equal(read_image(cohort.records[9].source).values, expected)


def test_ten_in_a_folder_or_the_one_above(tmp_path):
    folder = ten(tmp_path / "cifar-10-batches-py")
    for path in (folder, tmp_path, folder / "test_batch"):
        assert recognise(path)
        check_ten(read_dataset(path))


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_ten_in_an_archive(tmp_path, kind):
    folder, path = ten(tmp_path / "cifar-10-batches-py"), tmp_path / f"cifar.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, f"{folder.name}/{file.name}")
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.add(folder, folder.name)
    assert recognise(path)
    check_ten(read_dataset(path))


def test_hundred(tmp_path):
    cohort = read_dataset(hundred(tmp_path / "cifar-100-python"))
    assert len(cohort.task.classes) == 100
    assert [r.label for r in cohort.split("test").records] == [0, 99, 5, 6]


def test_both_in_one_folder_are_not_guessed_between(tmp_path):
    ten(tmp_path / "cifar-10-batches-py")
    hundred(tmp_path / "cifar-100-python")
    assert not recognise(tmp_path)
    assert recognise(tmp_path / "cifar-100-python")


def test_a_batch_as_python_2_wrote_it(tmp_path):
    assert pickle.loads(FROM_PYTHON_2, encoding="bytes")[b"labels"] == [6]
    path = tmp_path / "data_batch_1"
    path.write_bytes(FROM_PYTHON_2)
    values = read_image(Source(path, index=0)).values
    np.testing.assert_array_equal(values, PICTURES[0].reshape(3, 32, 32))


class Evil:
    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (os.system, r"posix\.system|nt\.system"),
        (eval, r"builtins\.eval|__builtin__\.eval"),
        (getattr, r"getattr"),
        (np.load, r"numpy\.load"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_batch_that_calls_functions_is_refused(tmp_path, call, named, protocol):
    mark = tmp_path / "touched"
    content = {b"data": Evil(call, f"touch {mark}"), b"labels": []}
    folder = ten(tmp_path / "set")
    (folder / "data_batch_2").write_bytes(pickle.dumps(content, protocol))
    with pytest.raises(ReadError, match=rf"data_batch_2: .*({named}), which is refused"):
        read_dataset(folder)
    assert not mark.exists()


def test_arrays_of_objects_are_refused(tmp_path):
    folder = ten(tmp_path / "set")
    content = {b"data": np.full((4, 3072), None), b"labels": [0] * 4}
    (folder / "data_batch_1").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(ReadError, match="unsigned bytes in C order wanted"):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({b"data": PICTURES[:, :9], b"labels": [0] * 4}, "3 x 32 x 32 bytes"),
        ({b"data": PICTURES, b"labels": [0] * 3}, "4 labels wanted"),
        ({b"data": PICTURES, b"labels": [0, 1, 2, 10]}, "labels 0 to 9 wanted, found 0 to 10"),
        ({b"data": PICTURES, b"labels": [0, 1, 2, 0.5]}, "whole numbers wanted"),
        ({b"labels": [0]}, "3 x 32 x 32 bytes"),
        ([1, 2], "no CIFAR batch"),
    ],
)
def test_what_contradicts_is_refused(tmp_path, content, message):
    folder = ten(tmp_path / "set")
    (folder / "data_batch_1").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(ReadError, match=message):
        read_dataset(folder)


def test_cut_at_any_length(tmp_path):
    folder = ten(tmp_path / "set")
    raw = (folder / "test_batch").read_bytes()
    for cut in range(0, len(raw), len(raw) // 60):
        (folder / "test_batch").write_bytes(raw[:cut])
        with pytest.raises(ReadError, match="test_batch"):
            read_dataset(folder)


def test_what_is_not_recognised(tmp_path):
    folder = ten(tmp_path / "set")
    (folder / "data_batch_3").unlink()
    assert not recognise(folder)
    with pytest.raises(ReadError, match="batches of CIFAR-10 or CIFAR-100 wanted"):
        read_dataset(folder)
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8bnothing")
    assert not recognise(tmp_path / "x.tar.gz")
    assert not packs(Source(folder / "batches.meta", index=0))
    assert packs(Source(tmp_path / "c.tar.gz", "cifar-10-batches-py/test_batch", 0))


def test_an_index_beyond_the_end_is_refused(tmp_path):
    folder = ten(tmp_path / "set")
    with pytest.raises(ReadError, match="an image from 0 to 3 wanted"):
        read_image(Source(folder / "test_batch", index=4))


def test_numpy_1_and_2_name_the_same_function():
    stream = BytesIO(pickle.dumps(PICTURES, protocol=2))
    assert b"_reconstruct" in stream.getvalue()


@pytest.mark.parametrize(
    "code", [b"\x80\x02}r\xff\xff\xff\x7f.", b"\x80\x05\x96" + b"\xff" * 4 + b"\0" * 4]
)
def test_a_few_bytes_that_claim_gigabytes_take_none(tmp_path, code):
    """Python's unpickler in C takes them: for a memo of two thousand million, or empty bytes."""
    folder = ten(tmp_path / "cifar")
    (folder / "data_batch_1").write_bytes(code)
    tracemalloc.start()
    with pytest.raises(ReadError, match="data_batch_1"):
        read_image(Source(folder / "data_batch_1", index=0))
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
