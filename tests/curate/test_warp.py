"""Windows against SciPy's own interpolation."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from medclf.curate.warp import apply_matrices, slopes, spread_points, tents


@pytest.mark.parametrize("axes", [2, 3])
def test_a_window_is_linear_interpolation(axes):
    images = np.random.default_rng(0).normal(size=(3, *[16] * axes)).astype(np.float32)
    points = [spread_points(5 + a, 0.7) * np.float32(1 + a / 10) for a in range(axes)]
    found = apply_matrices(images, [tents(16, p) for p in points])
    at = np.meshgrid(*[(p + 0.5) * 16 - 0.5 for p in points], indexing="ij")
    expected = np.stack([map_coordinates(image, at, order=1) for image in images])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_image_may_have_its_own_matrices():
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 8)).astype(np.float32)
    own = np.random.default_rng(1).normal(size=(3, 4, 5, 8)).astype(np.float32)
    found = apply_matrices(images, list(own))
    expected = np.einsum("nzyx,naz,nby,ncx->nabc", images, *own)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_rows_of_points_outside_sum_to_less_than_one():
    np.testing.assert_allclose(tents(10, np.float32([-0.5, 0, 0.45, 0.6])).sum(1), [0.5, 1, 1, 0])


def test_slopes_are_differences_by_length():
    line = np.arange(10) ** 2 / 100
    np.testing.assert_allclose(slopes(10) @ line, np.gradient(line, 0.1), atol=1e-5)
