import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import SettingError


def test_phases_stand_before_channels_and_become_channels():
    values = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)
    image = Image(values, phases=("0 %", "50 %"))
    assert (image.channels, image.space) == (3, (4, 5, 6))
    still = image.still()
    assert (still.channels, still.space, still.phases) == (6, (4, 5, 6), ())
    np.testing.assert_array_equal(still.values[4], values[1, 1])
    assert still.still() is still


def test_pictures_of_a_cine_follow_each_other_as_slices():
    values = np.arange(3 * 2 * 4 * 5).reshape(3, 2, 4, 5)
    image = Image(values, Grid((0.5, 0.5)), phases=("0 ms", "40 ms", "80 ms"))
    still = image.still()
    assert (still.channels, still.space, still.phases) == (2, (3, 4, 5), ())
    np.testing.assert_array_equal(still.values[1, 2], values[2, 1])
    assert still.grid.spacing_mm is None


@pytest.mark.parametrize(
    ("shape", "phases"),
    [((4, 5), ()), ((2, 1, 4, 5, 6), ()), ((2, 4, 5), ("a", "b")), ((2, 1, 4, 5), ("a",))],
)
def test_values_and_phases_that_do_not_fit_are_refused(shape, phases):
    with pytest.raises(SettingError, match="image"):
        Image(np.zeros(shape), phases=phases)
