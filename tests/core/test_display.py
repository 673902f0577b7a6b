import numpy as np
import pytest
from pydicom import Dataset
from pydicom.pixels.processing import apply_windowing

from medclf.core.display import CURVES, Display
from medclf.errors import SettingError

VALUES = np.arange(0, 4096, 7, dtype=np.uint16)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("centre", "width"), [(1000, 500), (40.5, 1.0), (4000, 3001.25)])
def test_windows_are_those_of_pydicom(curve, centre, width):
    dataset = Dataset()
    dataset.PhotometricInterpretation, dataset.BitsStored = "MONOCHROME2", 12
    dataset.PixelRepresentation, dataset.VOILUTFunction = 0, curve
    dataset.WindowCenter, dataset.WindowWidth = centre, width
    truth = apply_windowing(VALUES, dataset) / 4095
    shades = Display(curve, (centre,), (width,)).shade(VALUES)
    np.testing.assert_allclose(shades, truth, atol=1e-5)


def test_each_frame_may_have_its_window():
    values = np.broadcast_to(np.array([0, 50, 100]), (2, 1, 3))
    shades = Display("LINEAR_EXACT", (50.0, 100.0), (100.0, 100.0)).shade(values)
    assert shades.tolist() == [[[0.0, 0.5, 1.0]], [[0.0, 0.0, 0.5]]]


def test_a_table_holds_its_ends():
    table = np.array([0.25, 1.0, 0.0], np.float32)
    shades = Display(table=table, first=10.0).shade(np.array([-5, 10, 11, 12, 99]))
    assert shades.tolist() == [0.25, 0.25, 1.0, 0.0, 0.0]


def test_a_turned_image_keeps_its_window():
    """0 and 4095 changed places; what the file shows bright, its turned image shows dark."""
    window = {"centres": (1000.0,), "widths": (501.0,)}
    file = Display("LINEAR", **window).shade(VALUES)
    turned = Display("LINEAR", mirror=4095.0, **window).shade(4095 - VALUES)
    np.testing.assert_allclose(turned, 1 - file, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"centres": (1.0,)},
        {"centres": (1.0,), "widths": (0.5,)},
        {"curve": "SIGMOID", "centres": (1.0,), "widths": (0.0,)},
    ],
)
def test_windows_that_are_none(wrong):
    with pytest.raises(SettingError, match="window"):
        Display(**wrong)
