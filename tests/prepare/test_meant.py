import numpy as np
import pytest

from medclf.core.display import Display
from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.prepare.exam import Prepare, prepare_image

ACTIVITY = np.array([[[0, 1000], [5000, 40000]]], np.float32)
PET = Image(ACTIVITY, modality="PT", unit="BQML", bits=16, suv=0.0005)
UPTAKE = {"unit": "SUV", "intensity": "window", "window": (0.0, 10.0), "dtype": "float16"}


def test_uptake_in_a_window():
    prepared = prepare_image(PET, Prepare((2, 2), 1, **UPTAKE), "x")
    np.testing.assert_allclose(prepared, ACTIVITY * 0.0005 / 10 * [[[1, 1], [1, 0.5]]], rtol=1e-3)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (Image(ACTIVITY, modality="PT", unit="BQML", suv="PatientWeight is missing"), "Weight is"),
        (Image(ACTIVITY, modality="CT", unit="HU"), "a PET wanted, found CT"),
        (Image(ACTIVITY), "found no modality"),
    ],
)
def test_uptake_that_is_not_known_is_refused(image, told):
    with pytest.raises(ReadError, match=rf"x: no SUV can be had: .*{told}"):
        prepare_image(image, Prepare((2, 2), 1, **UPTAKE), "x")


def test_shades_as_the_file_shows_them():
    values = np.array([[[0, 50], [100, 4000]]], np.uint16)
    image = Image(values, bits=12, display=Display("LINEAR_EXACT", (50.0,), (100.0,)))
    prepared = prepare_image(image, Prepare((2, 2), 1, intensity="voi"), "x")
    assert prepared.tolist() == [[[0, 128], [255, 255]]]
    with pytest.raises(ReadError, match='x: intensity "voi" wants a file that states a window'):
        prepare_image(Image(values, bits=12), Prepare((2, 2), 1, intensity="voi"), "x")
