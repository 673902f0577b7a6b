import pytest
import torch

from medclf.errors import SettingError
from medclf.look.even import Even, even_steps


@pytest.mark.parametrize("spacing_mm", [(), (0.7,) * 3, (1.237,) * 3])
@pytest.mark.parametrize("edge", [1, 24, 48, 63])
def test_cubes_of_even_spacing_are_seen_sample_by_sample(edge, spacing_mm):
    even = even_steps((edge,) * 3, spacing_mm)
    assert (even.pixels, even.size) == (edge, (edge,) * 3)
    assert torch.equal(torch.as_tensor(even.step), torch.ones(3))


def test_the_longest_extent_is_reached_and_no_sample_left_out():
    even = even_steps((64, 24, 24), (1.0, 4.0, 4.0))  # 96 mm at most, of 64 pixels: 1.5 mm each
    assert even == Even(64, (43, 24, 24), (1.5 * 43 / 64, 0.375, 0.375))
    assert even_steps((24, 64, 64)) == Even(64, (24, 64, 64), (1.0,) * 3)


def test_spacings_that_do_not_fit_are_refused():
    with pytest.raises(SettingError, match=r"3 spacings wanted, found \(1.0, 1.0\) mm"):
        even_steps((8, 8, 8), (1.0, 1.0))
