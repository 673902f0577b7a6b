import numpy as np
import pytest

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.prepare.normalise import (
    full_limits,
    percentile_limits,
    range_limits,
    window_limits,
)


@pytest.mark.parametrize(
    ("dtype", "bits", "limits"),
    [
        ("u1", 8, (0, 255)),
        ("u1", 1, (0, 1)),
        ("u2", 12, (0, 4095)),
        ("u2", 16, (0, 65535)),
        ("i2", 12, (-2048, 2047)),
        ("i2", 16, (-32768, 32767)),
    ],
)
def test_full_range_of_the_bits(dtype, bits, limits):
    assert full_limits(np.ones((1, 2, 2), dtype), bits, "a") == limits


@pytest.mark.parametrize(
    ("values", "bits"),
    [(np.ones(2, np.float32), 32), (np.ones(2, np.int64), 64), (np.ones(2, np.float32), 8)],
)
def test_full_range_of_fractions_is_refused(values, bits):
    with pytest.raises(ReadError, match=r'^c.npy: intensity "full" wants whole numbers'):
        full_limits(values, bits, "c.npy")


def test_values_beyond_the_bits_are_refused():
    with pytest.raises(ReadError, match=r"^d.dcm: values from 0 to 4095 wanted .* 0 to 4096$"):
        full_limits(np.array([0, 4096], np.uint16), 12, "d.dcm")


def test_range():
    assert range_limits(np.array([3, -1, 7], np.int16)) == (-1, 7)


def image_of(dtype, unit, modality=""):
    return Image(np.zeros((1, 2, 2), dtype), unit=unit, modality=modality)


@pytest.mark.parametrize("said", [("f4", "HU", "CT"), ("i2", ""), ("f4", "", "CT"), ("f4", "SUV")])
def test_window_passes_hounsfield_units(said):
    assert window_limits(image_of(*said), (-160, 240), "a") == (-160, 240)


@pytest.mark.parametrize(
    ("dtype", "unit", "modality", "told"),
    [
        ("f4", "BQML", "PT", "BQML"),
        ("u1", "", "", "uint8 without a unit"),
        ("u2", "", "CT", "CT uint16 without a unit"),
        ("i2", "", "MR", "MR int16 without a unit"),
        ("f4", "", "MR", "MR float32 without a unit"),
    ],
)
def test_window_of_anything_else_is_refused(dtype, unit, modality, told):
    with pytest.raises(ReadError, match=rf"^e.png: .*Hounsfield units, found {told}$"):
        window_limits(image_of(dtype, unit, modality), (-160, 240), "e.png")


@pytest.mark.parametrize("air", [0, 1000, 90_000])
def test_percentiles_do_not_hang_on_how_much_air_is_in_view(air):
    rng = np.random.default_rng(0)
    tissue = rng.normal(500, 60, 10_000)
    noise = np.abs(rng.normal(0, 8, air))
    low, high = percentile_limits(np.concatenate([tissue, noise]), (0.5, 99.5))
    wanted = np.percentile(tissue, (0.5, 99.5))
    np.testing.assert_allclose((low, high), wanted, rtol=0.01)


def test_a_mask_keeps_both_its_values():
    assert percentile_limits(np.array([0, 0, 1, 1, 1]), (0.5, 99.5)) == (0, 1)


def test_one_value_has_no_span():
    assert percentile_limits(np.full(9, 7), (0.5, 99.5)) == (7, 7)


def test_brain_fills_the_scale(real_data):
    """In T1 MR of a head, fat may saturate; the brain must not, nor become dark."""
    import nibabel

    path = real_data / "ixi10/nifti/IXI012-HH-1211-T1_ds.nii.gz"
    labels = real_data / "ixi10/dlmuse/IXI012-HH-1211-T1_ds_DLMUSE.nii.gz"
    values = np.asarray(nibabel.load(path).dataobj)
    brain = values[np.asarray(nibabel.load(labels).dataobj) > 0]
    low, high = percentile_limits(values, (0.5, 99.5))
    middle = (np.median(brain) - low) / (high - low)
    assert 0.2 < middle < 0.8
    assert np.mean(brain > high) < 0.01
    assert np.mean(brain < low) < 0.05
