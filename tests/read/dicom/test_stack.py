import numpy as np
import pytest

from medclf.curate.phantom.hard.scene import turned
from medclf.read.dicom.stack import gather, lay, normal_of

AXIAL = np.eye(3)[1:]


def stack(heights, y=0.0, x=0.0):
    """Slices of pixels of 0.5 x 0.25 mm, beside the first by y and x mm."""
    places = np.zeros((len(heights), 3))
    places[:, 0], places[:, 1], places[:, 2] = heights, y, x
    return lay(places, AXIAL, (0.5, 0.25))


@pytest.mark.parametrize("degrees", [(0, 0, 0), (90, 0, 0), (0, 0, 180), (10, -35, 20)])
def test_the_normal_is_at_right_angles_and_right_handed(degrees):
    axes = turned(*degrees)
    np.testing.assert_allclose(normal_of(axes[1:]), axes[0], atol=1e-12)


def test_heights_count_along_the_normal_whatever_the_order():
    heights = np.array([7.5, 0, 5, 2.5, 5.009])
    axes = turned(10, 20, 30)
    assert gather(heights[:, None] * axes[0] + 100, axes[1:]) == [[1], [3], [2, 4], [0]]


def test_what_lies_beside_the_first_is_told_in_pixels():
    leaning = stack([0, 2, 4], y=[0, 1, 2], x=[0, -1, -2])
    np.testing.assert_allclose(leaning.beside_px, [[0, 0], [2, -4], [4, -8]])
    assert not leaning.rectangular
    assert stack([0, 2, 4], y=[0, 0.05, 0]).rectangular
    assert not stack([0, 2, 4], y=[0, 0.051, 0]).rectangular


@pytest.mark.parametrize(
    ("heights", "even"),
    [([0, 2, 4, 6], True), ([0, 2.19, 4, 6], True), ([0, 2.21, 4, 6], False), ([0, 2, 6], False)],
)
def test_a_stack_is_even_up_to_a_tenth_of_its_step(heights, even):
    found = stack(heights)
    assert (found.step_mm, found.even) == (pytest.approx(heights[-1] / (len(heights) - 1)), even)
    assert found.grid.spacing_mm == (found.step_mm, 0.5, 0.25)


def test_a_single_slice_has_no_step():
    one = stack([3.0])
    assert (one.step_mm, one.unevenness, one.even, one.rectangular) == (0, 0, True, True)
    assert (one.grid.spacing_mm, one.grid.origin_mm) == ((0.5, 0.25), (3, 0, 0))


@pytest.mark.parametrize(
    ("thick", "gaps"),
    [([None] * 5, [1]), ([2.5] * 5, [1]), ([2.5, 5, 5, 2.5, 2.5], []), ([0, 0, 0, 0, 4.5], [1])],
)
def test_a_gap_is_wider_than_usual_and_than_the_slices(thick, gaps):
    assert stack([0, 2.5, 7.5, 10, 12.5]).gaps(thick) == gaps
