from dataclasses import replace

import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.prepare.channels import fit_channels
from medclf.prepare.exam import Prepare, prepare_image


def test_wanted_channels_pass_as_they_are():
    for channels in (1, 2, 3):
        values = np.zeros((channels, 4, 5), np.uint8)
        assert fit_channels(values, 8, channels, "a") is values


def test_equal_colours_become_one_to_the_bit():
    grey = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    fitted = fit_channels(np.repeat(grey, 3, 0), 8, 1, "a")
    assert fitted.dtype == np.uint8
    np.testing.assert_array_equal(fitted, grey)


def test_rounding_of_jpeg_is_averaged():
    values = np.full((3, 4, 5), 100, np.uint8)
    values[0], values[2, 0, 0] = 99, 101
    fitted = fit_channels(values, 8, 1, "a")
    np.testing.assert_allclose(fitted, values.mean(0)[None], rtol=1e-6)


@pytest.mark.parametrize(("dtype", "bits", "unit"), [("u1", 8, 1), ("u2", 16, 257), ("u2", 12, 16)])
def test_colour_is_refused_above_two_levels_of_255(dtype, bits, unit):
    values = np.full((3, 4, 5), 100 * unit, dtype)
    values[1, 2, 3] += 2 * unit
    assert len(fit_channels(values, bits, 1, "a")) == 1
    values[1, 2, 3] += unit
    with pytest.raises(ReadError, match=r"^rose.jpg: 1 channel wanted, found 3 of colour"):
        fit_channels(values, bits, 1, "rose.jpg")


def test_dark_below_zero_counts_too():
    values = np.zeros((3, 2, 2), np.float32)
    values[0], values[:, 0, 0] = -1, 1
    with pytest.raises(ReadError, match="differ by 50% of the range"):
        fit_channels(values, 32, 1, "a")


def test_grey_where_colour_is_wanted_waits_to_be_repeated():
    values = np.zeros((1, 4, 5), np.uint8)
    assert fit_channels(values, 8, 3, "a") is values


@pytest.mark.parametrize(("found", "wanted"), [(2, 1), (4, 3), (1, 2), (3, 2), (4, 1)])
def test_any_other_number_is_refused(found, wanted):
    with pytest.raises(ReadError, match=rf"^b.png: {wanted} channels? wanted, found {found}$"):
        fit_channels(np.zeros((found, 4, 5)), 8, wanted, "b.png")


def test_phases_of_a_volume_are_no_colour():
    rng = np.random.default_rng(0)
    gated = Image(rng.random((3, 1, 4, 5, 6)), Grid((2.0, 2.0, 2.0)), phases=("a", "b", "c"))
    still = Image(gated.values[0], gated.grid)
    wanted = Prepare((4, 4, 4), 3, intensity="range")
    assert prepare_image(gated, wanted, "a").shape == (3, 4, 4, 4)
    with pytest.raises(ReadError, match=r"^a: 3 channels of a volume wanted, as phases, found 1"):
        prepare_image(still, wanted, "a")
    with pytest.raises(ReadError, match=r"^a: a still volume wanted, found 3 phases"):
        prepare_image(gated, replace(wanted, channels=1), "a")
    windows = replace(wanted, intensity="window", window=(-1, 0, 0, 1, 0, 2))
    assert len(prepare_image(still, windows, "a")) == 3
