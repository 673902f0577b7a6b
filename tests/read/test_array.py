from io import BytesIO

import numpy as np
import pytest

from medclf.errors import ReadError
from medclf.read.array import read_array, read_only_array

RNG = np.random.default_rng(0)


def write(values, **options):
    stream = BytesIO()
    np.save(stream, values, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("shape", "dtype", "becomes"),
    [
        ((4, 5), "u1", (1, 4, 5)),
        ((4, 5, 3), "u1", (3, 4, 5)),
        ((4, 5, 3), "f4", (1, 4, 5, 3)),
        ((4, 5, 3), "u2", (1, 4, 5, 3)),
        ((3, 4, 5), "u1", (1, 3, 4, 5)),
        ((1, 4, 5), "u1", (1, 4, 5)),
        ((2, 6, 4, 5), "f4", (2, 6, 4, 5)),
        ((6, 4, 5, 3), "u1", (3, 6, 4, 5)),
        ((6, 4, 5, 3), "i2", (6, 4, 5, 3)),
    ],
)
def test_axes_by_the_rule(shape, dtype, becomes):
    values = (RNG.random(shape) * 100).astype(dtype)
    image = read_array(write(values), "x")
    assert image.values.shape == becomes
    assert image.values.dtype == np.dtype(dtype)
    coloured = becomes[0] == 3 and shape[-1] == 3
    expected = np.moveaxis(values, -1, 0) if coloured else values.reshape(becomes)
    np.testing.assert_array_equal(image.values, expected)


@pytest.mark.parametrize(
    ("dtype", "becomes", "bits"),
    [("?", "u1", 1), ("u1", "u1", 8), (">i2", "i2", 16), ("f8", "f4", 32), ("f2", "f4", 32)],
)
def test_types(dtype, becomes, bits):
    values = np.array([[0, 1], [1, 0]]).astype(dtype)
    image = read_array(write(values), "x")
    assert (image.values.dtype, image.bits) == (np.dtype(becomes), bits)
    assert image.values.tolist() == [[[0, 1], [1, 0]]]


def test_columns_first():
    values = np.asfortranarray(RNG.random((4, 5, 6)).astype(np.float32))
    image = read_array(write(values), "x")
    np.testing.assert_array_equal(image.values[0], values)
    assert image.values.flags.c_contiguous


def test_cut_or_damaged(check_cuts, check_damage):
    raw = write(RNG.integers(0, 256, (20, 30), np.uint8))
    assert check_cuts(read_array, raw) >= 48
    check_damage(read_array, raw)


def test_objects_are_never_loaded():
    raw = write(np.array([[print, None]]), allow_pickle=True)
    with pytest.raises(ReadError, match=r"o\.npy: numbers wanted, found Python objects"):
        read_array(raw, "o.npy")


def test_a_header_that_claims_too_much_takes_no_memory():
    raw = write(np.zeros((4, 5), np.uint8)).replace(b"(4, 5)", b"(9999999, 9999999)")
    with pytest.raises(ReadError, match=r"x:"):
        read_array(raw, "x")


@pytest.mark.parametrize(
    "values", [np.zeros(4), np.zeros((1, 1, 1, 1, 1)), np.zeros((2, 2), "c8"), np.array([["a"]])]
)
def test_other_arrays_are_refused(values):
    with pytest.raises(ReadError, match="numbers with 2 to 4 axes wanted"):
        read_array(write(values), "x")


def test_an_empty_array_is_refused():
    with pytest.raises(ReadError, match="without pixels"):
        read_array(write(np.zeros((0, 4))), "x")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_only_array_of_an_archive(save, check_cuts, check_damage):
    values, stream = RNG.integers(0, 99, (6, 5, 4)).astype(np.int16), BytesIO()
    save(stream, image=values)
    raw = stream.getvalue()
    np.testing.assert_array_equal(read_only_array(raw, "x").values[0], values)
    assert check_cuts(read_only_array, raw) >= 48
    check_damage(read_only_array, raw)


def test_several_arrays_are_refused_by_name():
    stream = BytesIO()
    np.savez(stream, image=np.zeros((4, 4)), mask=np.zeros((4, 4)))
    with pytest.raises(ReadError, match=r"a\.npz: one array wanted, found 2: image, mask"):
        read_only_array(stream.getvalue(), "a.npz")


def test_an_array_that_unpacks_to_too_much_is_refused(monkeypatch):
    stream = BytesIO()
    np.savez_compressed(stream, image=np.zeros((3000, 3000)))
    with pytest.raises(ReadError, match=r"a\.npz: unpacks \d+-fold; more than 500-fold is a bomb"):
        read_only_array(stream.getvalue(), "a.npz")
    monkeypatch.setattr("medclf.read.array.LIMIT", 1000)
    with pytest.raises(ReadError, match=r"a\.npz: unpacks to 72,000,128 bytes; at most 1,000"):
        read_only_array(stream.getvalue(), "a.npz")


def test_a_header_that_python_would_warn_of_is_refused():
    stream = BytesIO()
    np.save(stream, np.zeros((3, 4), np.uint8))
    raw = stream.getvalue().replace(b"'descr'", b"'des\\^'")
    with pytest.raises(ReadError, match=r"x: no readable \.npy header: a backslash"):
        read_array(raw, "x")
