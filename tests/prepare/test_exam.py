from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as Pillow

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare.exam import Prepare, prepare_image


def _noise(shape, high=256, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, high, shape).astype(dtype)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 20, 30), (1, 8, 9, 10)])
def test_nothing_to_do_passes_to_the_bit(shape):
    values = _noise(shape)
    prepared = prepare_image(Image(values), Prepare(shape[1:], shape[0]), "a")
    assert prepared.dtype == np.uint8
    np.testing.assert_array_equal(prepared, values)


def test_same_spacing_passes_to_the_bit():
    image = Image(_noise((1, 8, 9, 10)), Grid((2.0, 1.0, 0.7000001)))
    settings = Prepare((8, 9, 10), 1, spacing_mm=(2.0, 1.0, 0.7))
    np.testing.assert_array_equal(prepare_image(image, settings, "a"), image.values)


@pytest.mark.parametrize("size", [(28, 28), (100, 64), (224, 224)])
def test_photograph_is_that_of_pillow(size):
    values = _noise((3, 90, 120))
    theirs = Pillow.fromarray(np.moveaxis(values, 0, -1))
    theirs = np.moveaxis(np.asarray(theirs.resize(size[::-1], Pillow.Resampling.BILINEAR)), -1, 0)
    ours = prepare_image(Image(values), Prepare(size, 3), "a")
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_letterbox_is_resize_and_pad_of_pillow():
    values = _noise((1, 80, 40))
    theirs = np.zeros((20, 20), np.uint8)
    theirs[:, 5:15] = Pillow.fromarray(values[0]).resize((10, 20), Pillow.Resampling.BILINEAR)
    ours = prepare_image(Image(values), Prepare((20, 20), 1, fit="letterbox"), "a")
    assert np.abs(ours[0].astype(int) - theirs).max() <= 1


def test_bits_set_the_scale_of_photographs():
    values = np.array([[[0, 4095], [1024, 2048]]], np.uint16)
    settings = Prepare((2, 2), 1, dtype="float16")
    prepared = prepare_image(Image(values, bits=12), settings, "a")
    np.testing.assert_allclose(prepared, values / 4095, atol=1e-3)
    dark = prepare_image(Image(values, bits=16), settings, "a")
    np.testing.assert_allclose(dark, values / 65535, atol=1e-3)


def test_range_of_each_image():
    values = np.array([[[-5.0, 0.0], [5.0, 15.0]]], np.float32)
    prepared = prepare_image(Image(values, bits=32), Prepare((2, 2), 1, intensity="range"), "a")
    assert prepared.tolist() == [[[0, 64], [128, 255]]]


def test_huge_fractions_do_not_overflow():
    values = np.array([[[-1e300, 0.0], [5e299, 1e300]]])
    prepared = prepare_image(Image(values, bits=64), Prepare((2, 2), 1, intensity="range"), "a")
    assert prepared.tolist() == [[[0, 128], [191, 255]]]


@pytest.mark.parametrize("intensity", ["range", "percentile"])
@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_an_image_of_one_value_is_black(intensity, dtype):
    image = Image(np.full((1, 9, 9), 700, np.uint16), bits=12)
    settings = Prepare((4, 4), 1, intensity=intensity, dtype=dtype)
    prepared = prepare_image(image, settings, "a")
    assert prepared.shape == (1, 4, 4)
    assert prepared.dtype == dtype
    assert not prepared.any()


def test_window_is_that_of_simpleitk():
    values = _noise((1, 6, 7, 8), 3000, np.int16) - np.int16(1000)
    settings = Prepare((6, 7, 8), 1, intensity="window", window=(-160.0, 240.0))
    theirs = sitk.IntensityWindowing(
        sitk.Cast(sitk.GetImageFromArray(values[0]), sitk.sitkFloat32), -160.0, 240.0, 0.0, 255.0
    )
    ours = prepare_image(Image(values, unit="HU", bits=12), settings, "a")
    np.testing.assert_array_equal(ours[0], np.rint(sitk.GetArrayFromImage(theirs)))


def test_metal_does_not_outshine_its_surroundings():
    """One voxel of metal among soft tissue counts as no more than the top of the window."""
    values = np.zeros((1, 4, 4, 4), np.float32)
    values[0, 1, 1, 1] = 30_000
    settings = Prepare((1, 1, 1), 1, intensity="window", window=(-100.0, 100.0), dtype="float16")
    assert 0.5 < prepare_image(Image(values, unit="HU"), settings, "a").item() < 0.53


def test_padding_is_black_whatever_the_scale():
    image = Image(np.full((1, 4, 4), 40, np.int16), Grid((1.0, 1.0)), unit="HU", bits=12)
    settings = Prepare((6, 6), 1, (1.0, 1.0), intensity="window", window=(-160.0, 240.0))
    prepared = prepare_image(image, settings, "a")[0]
    assert (prepared[1:5, 1:5] == 128).all()
    assert prepared.sum() == 16 * 128


def test_volume_keeps_its_millimetres():
    """A sphere of 20 mm has the same volume whatever the scanner's spacing was."""
    settings = Prepare((32, 32, 32), 1, (2.0, 2.0, 2.0), intensity="range", dtype="float16")
    for spacing in ((1.0, 1.0, 1.0), (5.0, 0.8, 0.8), (3.0, 2.0, 1.5)):
        shape = [round(64 / mm) for mm in spacing]
        axes = [(np.arange(n) + 0.5 - n / 2) * mm for n, mm in zip(shape, spacing, strict=True)]
        z, y, x = np.meshgrid(*axes, indexing="ij")
        ball = (z**2 + y**2 + x**2 < 20**2).astype(np.float32)
        prepared = prepare_image(Image(ball[None], Grid(spacing), bits=32), settings, "a")
        assert prepared.shape == (1, 32, 32, 32)
        volume = prepared.astype(float).sum() * 8
        assert volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.04)


def test_grey_is_repeated_where_colour_is_wanted():
    grey = _noise((1, 8, 8))
    prepared = prepare_image(Image(grey), Prepare((8, 8), 3), "a")
    np.testing.assert_array_equal(prepared, np.repeat(grey, 3, 0))


def test_grey_stored_as_colour_becomes_one_channel():
    grey = _noise((1, 8, 8))
    image = Image(np.repeat(grey, 3, 0))
    np.testing.assert_array_equal(prepare_image(image, Prepare((8, 8), 1), "a"), grey)


def test_result_is_contiguous():
    image = Image(np.asfortranarray(_noise((3, 20, 30))))
    for size in ((20, 30), (10, 30), (10, 10)):
        assert prepare_image(image, Prepare(size, 3), "a").flags.c_contiguous


GREY, VOLUME = Image(_noise((1, 8, 8))), Image(_noise((1, 8, 8, 8)))
GATED = Image(_noise((3, 1, 8, 8, 8)) // 99, phases=("0", "30", "60"))
FLOATS = Image(np.ones((1, 8, 8), np.float32), bits=32)
FLAT = Prepare((8, 8), 1)


@pytest.mark.parametrize(
    ("image", "settings", "message"),
    [
        (VOLUME, FLAT, r"a picture \(2D\) wanted, found a volume \(3D\)"),
        (GATED, Prepare((8, 8, 8), 1), "a still volume wanted, found 3 phases"),
        (GREY, Prepare((8, 8, 8), 1), r"a volume \(3D\) wanted, found a picture \(2D\)"),
        (Image(_noise((3, 8, 8))), FLAT, "1 channel wanted, found 3"),
        (Image(_noise((4, 8, 8))), Prepare((8, 8), 3), "3 channels wanted, found 4"),
        (GREY, Prepare((8, 8), 1, (1.0, 1.0)), "spacing wanted"),
        (FLOATS, FLAT, "whole numbers of at most 16 bits, found float32 of 32"),
        (GREY, replace(FLAT, intensity="window"), "Hounsfield units, found uint8"),
        (Image(np.full((1, 8, 8), np.nan)), FLAT, "found NaN or infinite"),
        (Image(np.full((1, 8, 8), np.inf)), FLAT, "found NaN or infinite"),
        (Image(np.ones((1, 8, 8), complex)), FLAT, "found complex128"),
    ],
)
def test_refusals_name_the_file_in_one_line(image, settings, message):
    with pytest.raises(ReadError, match=rf"^scans/a\.png: .*{message}") as caught:
        prepare_image(image, settings, "scans/a.png")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": (8,)}, "prepare.size"),
        ({"size": (8, 0)}, "prepare.size"),
        ({"size": (8, 8, 8, 8)}, "prepare.size"),
        ({"channels": 0}, "prepare.channels"),
        ({"spacing_mm": (1.0,)}, "prepare.spacing_mm"),
        ({"spacing_mm": (1.0, -1.0)}, "prepare.spacing_mm"),
        ({"spacing_mm": (1.0, float("nan"))}, "prepare.spacing_mm"),
        ({"fit": "crop"}, "prepare.fit is one of stretch, letterbox, not 'crop'"),
        ({"intensity": "auto"}, "prepare.intensity"),
        ({"dtype": "float32"}, "prepare.dtype"),
        ({"percentiles": (99.0, 1.0)}, "prepare.percentiles"),
        ({"percentiles": (0.0, 101.0)}, "prepare.percentiles"),
        ({"window": (240.0, -160.0)}, "prepare.window"),
        ({"window": (0.0, float("inf"))}, "prepare.window"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(SettingError, match=message):
        replace(FLAT, **changes)
