"""Values brought to one scale: by mean and deviation, and by several windows at once."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.normalise import DEVIATIONS

LUNG, SOFT, BONE = (-1350.0, 150.0), (-160.0, 240.0), (-500.0, 1300.0)
CT = Prepare((6, 7, 8), 3, intensity="window", window=(*LUNG, *SOFT, *BONE))


def test_each_window_is_a_channel_and_that_of_simpleitk():
    values = np.random.default_rng(0).integers(-1024, 2000, (1, 6, 7, 8)).astype(np.int16)
    ours = prepare_image(Image(values, unit="HU", bits=12), CT, "a")
    assert ours.shape == (3, 6, 7, 8)
    volume = sitk.Cast(sitk.GetImageFromArray(values[0]), sitk.sitkFloat32)
    for channel, window in zip(ours, (LUNG, SOFT, BONE), strict=True):
        theirs = sitk.GetArrayFromImage(sitk.IntensityWindowing(volume, *window, 0.0, 255.0))
        np.testing.assert_array_equal(channel, np.rint(theirs))


def test_windows_want_grey_and_as_many_channels():
    with pytest.raises(ReadError, match="1 channel wanted, found 2"):
        prepare_image(Image(np.zeros((2, 6, 7, 8), np.int16), unit="HU"), CT, "a")
    with pytest.raises(SettingError, match=r"prepare\.channels is 3, one for each window, not 1"):
        replace(CT, channels=1)
    with pytest.raises(SettingError, match=r"prepare\.window is pairs of HU"):
        replace(CT, window=(-160.0, 240.0, 300.0))
    with pytest.raises(SettingError, match=r"prepare\.window is lowest, then highest"):
        replace(CT, window=(*LUNG, *SOFT, 1300.0, -500.0))


def test_zscore_of_the_foreground():
    """Air does not count, and the mean becomes the middle."""
    rng = np.random.default_rng(0)
    values = np.zeros((1, 20, 30, 30))
    values[0, 5:15, 5:25, 5:25] = rng.normal(800, 50, (10, 20, 20))
    settings = Prepare((20, 30, 30), 1, intensity="zscore", dtype="float16")
    tissue = prepare_image(Image(values, bits=64), settings, "a")[0, 5:15, 5:25, 5:25].astype(float)
    assert tissue.mean() == pytest.approx(0.5, abs=0.003)
    assert tissue.std() == pytest.approx(0.5 / DEVIATIONS, rel=0.02)
    scaled = prepare_image(Image(values * 7, bits=64), settings, "a")[0, 5:15, 5:25, 5:25]
    np.testing.assert_allclose(scaled, tissue, atol=2e-3)


def test_a_cubic_does_not_leave_the_scale():
    """It overshoots at edges, which must not come round as black in 8 bits."""
    values = np.zeros((1, 8, 8), np.uint8)
    values[:, :, 4:] = 255
    cubic = prepare_image(Image(values), Prepare((8, 40), 1, order=3), "a")[0]
    assert (cubic[:, -12:] > 240).all()
    assert (cubic[:, :12] < 15).all()
    with pytest.raises(SettingError, match=r"prepare\.order is one of 0, 1, 3, not 2"):
        Prepare((8, 8), 1, order=2)
