import base64
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from medclf.core.display import Display
from medclf.core.image import Image
from medclf.errors import SettingError
from medclf.report.picture import GAP, Picture, encode_picture, make_picture, picture_of


def decode(uri):
    return np.asarray(Pillow.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_eight_bits_are_shown_as_they_are():
    values = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert np.array_equal(make_picture(values, "").values, values[0])


def test_other_numbers_are_stretched_between_percentiles():
    values = np.linspace(-1000, 3000, 401)[None, None]
    shown = make_picture(values, "").values[0].astype(float)
    low, high = np.percentile(values, (0.5, 99.5))
    wanted = np.clip((values[0, 0] - low) / (high - low), 0, 1) * 255
    assert np.abs(shown - wanted).max() <= 0.5


def test_limits_are_shown_black_and_white():
    values = np.array([[[-2.0, -1.0, 0.0, 1.0, 5.0]]])
    shown = make_picture(values, "", limits=(-1.0, 1.0)).values
    assert shown.tolist() == [[0, 0, 128, 255, 255]]


def test_values_that_are_not_finite_are_dark():
    values = np.array([[[np.nan, np.inf, 1.0, 2.0]]])
    assert make_picture(values, "").values[0, :2].tolist() == [0, 0]
    assert not make_picture(np.full((1, 2, 2), np.nan), "").values.any()


def test_three_channels_are_colour_and_two_stand_side_by_side():
    assert make_picture(np.zeros((3, 5, 7)), "").values.shape == (5, 7, 3)
    assert make_picture(np.zeros((2, 5, 7)), "").values.shape == (5, 7 + GAP + 7)
    assert make_picture(np.zeros((9, 5, 7)), "").values.shape == (5, 4 * 7 + 3 * GAP)


def test_a_volume_shows_its_middle_planes():
    values = np.zeros((1, 4, 6, 8), np.uint8)
    values[0, 2], values[0, :, 3], values[0, :, :, 4] = 50, 100, 150
    values[0, 2, :, :4] = 51
    shown = make_picture(values, "").values
    assert shown.shape == (6, 8 + GAP + 8 + GAP + 6)
    assert np.array_equal(shown[:, :8], values[0, 2])
    assert np.array_equal(shown[1:5, 8 + GAP : 16 + GAP], values[0, :, 3])
    assert np.array_equal(shown[1:5, 16 + 2 * GAP :], values[0, :, :, 4])


def test_spacing_gives_true_proportions():
    shown = make_picture(np.zeros((1, 10, 20, 20)), "", spacing_mm=(5.0, 1.0, 0.5)).values
    assert shown.shape == (100, 20 + GAP + 20 + GAP + 40)
    assert make_picture(np.zeros((1, 10, 20)), "", spacing_mm=(2.0, 1.0)).values.shape == (20, 20)


@pytest.mark.parametrize(
    "values",
    [np.zeros((4, 4)), np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8)],
)
def test_a_picture_of_another_shape_or_kind_is_refused(values):
    with pytest.raises(SettingError, match="uint8"):
        Picture(values, "")


@pytest.mark.parametrize("shape", [(4, 4), (1, 0, 4), (1, 1, 2, 3, 4)])
def test_an_array_that_is_no_image_is_refused(shape):
    with pytest.raises(SettingError, match="a picture is made of"):
        make_picture(np.zeros(shape), "")


def test_a_small_picture_keeps_every_value():
    values = np.random.default_rng(0).integers(0, 256, (28, 28, 3)).astype(np.uint8)
    assert np.array_equal(decode(encode_picture(Picture(values, ""), 200)), values)


def test_a_large_picture_is_shrunk_and_close():
    ramp = np.tile(np.linspace(0, 255, 600).astype(np.uint8), (400, 1))
    uri = encode_picture(Picture(ramp, ""), 300)
    found = decode(uri)
    assert uri.startswith("data:image/jpeg;base64,")
    assert found.shape == (200, 300)
    assert np.abs(found[100].astype(float) - np.linspace(0, 255, 300)).max() < 4


def test_an_image_as_read_is_shown_in_its_window():
    values = np.array([[[0, 50], [100, 4000]]], np.uint16)
    display = Display("LINEAR_EXACT", (50.0,), (100.0,))
    shown = picture_of(Image(values, bits=12, display=display), "in its window")
    assert shown.values.tolist() == [[0, 128], [255, 255]]
    stretched = picture_of(Image(values, bits=12), "stretched")
    assert stretched.values[1, 0] < 10
