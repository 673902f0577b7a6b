import pytest

from medclf.errors import ReadError
from medclf.prepare.sampling import measure_steps


def test_stretch_fills_each_axis():
    assert measure_steps((30, 20), (1.0, 9.0), (15, 40), (), "stretch", "a") == (2.0, 0.5)


def test_letterbox_keeps_square_pixels_square():
    assert measure_steps((30, 20), None, (15, 15), (), "letterbox", "a") == (2.0, 2.0)


def test_letterbox_keeps_true_proportions():
    """10 slices of 4 mm are as long as 40 rows of 1 mm."""
    steps = measure_steps((10, 40, 20), (4.0, 1.0, 1.0), (20, 20, 20), (), "letterbox", "a")
    assert steps == (0.5, 2.0, 2.0)


def test_millimetres():
    assert measure_steps((30, 20), (0.5, 2.0), (8, 8), (1.0, 1.0), "stretch", "a") == (2.0, 0.5)


def test_a_rounding_error_of_the_file_is_no_change():
    assert measure_steps((256,), (0.7000001,), (256,), (0.7,), "stretch", "a") == (1.0,)
    assert measure_steps((256,), (0.701,), (256,), (0.7,), "stretch", "a") != (1.0,)


def test_spacing_is_never_guessed():
    with pytest.raises(ReadError, match=r"^scan.png: spacing wanted, .*found none"):
        measure_steps((30, 20), None, (8, 8), (1.0, 1.0), "stretch", "scan.png")


def test_spacing_of_other_axes_is_refused():
    with pytest.raises(ReadError, match=r"^scan.nii: 3 spacings wanted"):
        measure_steps((30, 20, 4), (1.0, 1.0), (8, 8, 8), (), "stretch", "scan.nii")
