"""Thumbnails hold exact averages, and survive whatever numbers come."""

import numpy as np
import pytest

from medclf.curate import thumbnail
from medclf.curate.thumbnail import shrink


@pytest.mark.parametrize("shape", [(3, 96, 144), (2, 32, 48, 16)])
def test_cells_are_means_without_light(shape):
    values = np.random.default_rng(0).integers(0, 4096, shape).astype(np.uint16)
    edge = thumbnail.EDGES[len(shape) - 1]
    split = [part for n in shape[1:] for part in (edge, n // edge)]
    within = (0, *range(2, 2 * len(shape) - 1, 2))
    cells = values.astype(float).reshape(shape[0], *split).mean(within)
    expected = (cells - cells.mean()) / cells.std()
    np.testing.assert_allclose(shrink(values), expected, atol=5e-3)


@pytest.mark.parametrize("samples", [1, 2, 7, 31, 32, 33, 63, 224, 250])
@pytest.mark.parametrize("cells", [16, 32])
def test_cells_hold_exact_averages(samples, cells):
    values = np.random.default_rng(samples).random((2, samples, 3)).astype(np.float32)
    expected = values.repeat(cells, axis=1).reshape(2, cells, samples, 3).mean(2)
    np.testing.assert_allclose(thumbnail._average(values, 1, cells), expected, atol=1e-5)


def test_thumbnails_survive_extremes():
    assert not shrink(np.full((1, 9, 9), 7, np.uint16)).any()
    image = np.random.default_rng(0).integers(0, 256, (1, 60, 60))
    broken = image.astype(np.float32)
    broken[0, 3, 3] = np.nan
    broken[0, 5, 5] = -np.inf
    for values in (broken, broken[:, :1, :1], np.full((3, 4, 4), np.nan, np.float32)):
        assert np.isfinite(shrink(values)).all()
    raised = image.astype(np.float64) * 1e30
    np.testing.assert_allclose(shrink(raised), shrink(image), atol=5e-3)
