import numpy as np
import pytest

from medclf.errors import ReadError
from medclf.read.volume import make_grid, make_image, parse_numbers, spacing_grid, view_values

ORIGIN = np.array([1.0, 2, 3])


def test_bytes_are_viewed_and_not_copied():
    data = bytearray(np.arange(24, dtype="<i2").tobytes())
    values = view_values(data, np.dtype("<i2"), (2, 3, 4), "x")
    data[0] = 7
    assert values[0, 0, 0] == 7
    assert values[1, 2, 3] == 23


@pytest.mark.parametrize(
    ("left", "message"), [(-1, "cut short: 24 bytes"), (1, "header and data differ: 24 bytes")]
)
def test_bytes_are_as_many_as_the_shape_takes(left, message):
    with pytest.raises(ReadError, match=f"x: {message} of pixels wanted, found {24 + left}"):
        view_values(bytes(24 + left), np.dtype("u1"), (2, 3, 4), "x")


def test_vectors_become_a_grid():
    grid = make_grid(np.array([[0.0, 0.5, 0], [-0.7, 0, 0], [0, 0, 2]]), ORIGIN, "x")
    assert (grid.spacing_mm, grid.origin_mm) == ((2, 0.7, 0.5), (3, 2, 1))
    assert grid.axes.tolist() == [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    flat = make_grid(np.diag([0.5, 0.7, 0]), ORIGIN, "x", flat=True)
    assert flat.spacing_mm == (0.7, 0.5)
    assert flat.axes.tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("vectors", "origin", "message"),
    [
        (np.diag([1, 1, 0]), ORIGIN, "flat"),
        ([[1, 0, 0], [1, 1e-9, 0], [0, 0, 1]], ORIGIN, "flat"),
        ([[1, 0, 0], [0, 1, 0], [1, 1, 0]], ORIGIN, "flat"),
        (np.diag([1, np.inf, 1]), ORIGIN, "not a number"),
        (np.diag([1, -np.inf, 1]), ORIGIN, "not a number"),
        (np.eye(3), ORIGIN * np.nan, "not a number"),
    ],
)
def test_a_place_that_is_none_is_refused(vectors, origin, message):
    with (
        pytest.raises(ReadError, match=f"x: the place in the patient is {message}"),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        make_grid(np.array(vectors, float), origin, "x")


def test_a_very_small_or_large_spacing_is_a_place():
    for mm in (1e-6, 1e6):
        assert make_grid(np.eye(3) * mm, ORIGIN, "x").spacing_mm == pytest.approx((mm, mm, mm))


def test_spacing_alone():
    assert spacing_grid((1, 2, 3)).spacing_mm == (3, 2, 1)
    assert spacing_grid((1, 2, 3), flat=True).spacing_mm == (2, 1)
    assert spacing_grid((1, 2), flat=True).spacing_mm == (2, 1)
    for unknown in ((1, 0, 1), (1, -1, 1), (1, np.nan, 1), (1, np.inf, 1), ()):
        assert spacing_grid(unknown).spacing_mm is None
    assert spacing_grid((1, 2, np.nan), flat=True).spacing_mm == (2, 1)


def test_moments_channels_and_slices():
    values = np.arange(2 * 3 * 4 * 5).reshape(1, 2, 3, 4, 5)
    assert make_image(values, spacing_grid(())).values.shape == (2, 3, 4, 5)
    assert make_image(values[:, :, :1], spacing_grid(())).values.shape == (2, 4, 5)
    timed = make_image(np.concatenate([values, values]), spacing_grid(()), ("a", "b"))
    assert timed.values.shape == (2, 2, 3, 4, 5)


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", "<u8", "<i8", "<f4"])
def test_numbers_in_text(dtype):
    raw = parse_numbers(b" 1\n2\t3 ", np.dtype(dtype), "x")
    assert np.frombuffer(raw, np.dtype(dtype).newbyteorder("=")).tolist() == [1, 2, 3]


def test_large_numbers_in_text_are_exact_or_refused():
    most = str(2**64 - 1).encode()
    assert np.frombuffer(parse_numbers(most, np.dtype("u8"), "x"), "u8")[0] == 2**64 - 1
    for text, dtype in (
        (most, "i8"),
        (b"-1", "u1"),
        (b"256", "u1"),
        (b"1.5", "i2"),
        (b"0x1", "i2"),
    ):
        with pytest.raises(ReadError, match="x: numbers"):
            parse_numbers(text, np.dtype(dtype), "x")
    assert parse_numbers(b"", np.dtype("i2"), "x") == b""
