"""A linear scene is the same wherever it is sampled, so that every moved voxel can be checked."""

import numpy as np
import pytest

from medclf.read.dicom.stack import lay
from medclf.read.dicom.straighten import even_out, straighten

SPACING = (0.5, 0.25)


def scene(places_mm):
    return places_mm @ np.array([3.0, 2.0, 1.0])


def leaning(beside_px, size=(6, 8)):
    """Sample the scene in axial slices 2 mm apart, moved by pixels; values and their stack."""
    corners = np.zeros((len(beside_px), 3))
    corners[:, 0] = 2.0 * np.arange(len(beside_px))
    corners[:, 1:] = np.array(beside_px) * SPACING
    index = np.moveaxis(np.indices(size), 0, -1) * SPACING
    pixels = np.concatenate([np.zeros((*size, 1)), index], -1)
    return scene(corners[:, None, None] + pixels), lay(corners, np.eye(3)[1:], SPACING)


@pytest.mark.parametrize(
    "beside",
    [
        [(0, 0), (1, 0), (2, 0)],
        [(0, 0), (0, -1), (0, -2)],
        [(0, 0), (0.5, 0.25), (1, 0.5)],
        [(0, 0), (-1.5, 2.25), (-3, 4.5)],
    ],
)
def test_every_pixel_comes_to_its_place(beside):
    values, stack = leaning(beside)
    moved, grid = straighten(values, stack)
    index = np.moveaxis(np.indices(moved.shape), 0, -1)
    truth = scene(np.array(grid.origin_mm) + index * grid.spacing_mm @ grid.axes)
    scanned = moved > values.min()
    np.testing.assert_allclose(moved[scanned], truth[scanned], atol=1e-4)
    assert scanned.sum() > 0.5 * values.size
    wider = np.ceil(np.ptp(beside, axis=0)).astype(int)
    assert moved.shape[1:] == (6 + wider[0], 8 + wider[1])


def test_pixels_of_the_first_slice_stay_whole():
    values, stack = leaning([(0, 0), (0.3, -0.7), (0.6, -1.4)])
    moved, _ = straighten(values, stack)
    np.testing.assert_array_equal(moved[0, :6, 2:10], values[0].astype(np.float32))


def test_what_was_not_scanned_is_the_least_value_and_phases_move_alike():
    values, stack = leaning([(0, 0), (0, 2)])
    two = np.stack([values, values + 7])
    moved, _ = straighten(two, stack)
    assert (moved[:, 0, :, 8:] == values.min()).all()
    np.testing.assert_allclose(moved[1, :, :, 2:8] - moved[0, :, :, 2:8], 7, rtol=1e-6)


def test_uneven_slices_become_even_at_the_smallest_step():
    heights = np.array([0.0, 1, 2, 4, 6.5])
    values = (5 * heights)[:, None, None] + np.arange(4).reshape(2, 2)
    even, step = even_out(values, heights)
    assert (step, len(even)) == (1, 7)  # The last even step below 6.5 mm is 6 mm.
    truth = (5.0 * np.arange(7))[:, None, None] + np.arange(4).reshape(2, 2)
    np.testing.assert_allclose(even, truth)
