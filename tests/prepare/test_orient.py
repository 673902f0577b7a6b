"""Turning volumes is pinned to SimpleITK's DICOMOrient."""

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError, SettingError
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.orient import orient
from medclf.read.image import read_image

VALUES = np.random.default_rng(0).normal(size=(1, 5, 6, 7)).astype(np.float32)
GRID = Grid((3.0, 0.7, 1.1), (-10.0, 20.0, 5.5), np.eye(3))


def stored(order, backwards):
    """Store the volume in another order, as a scanner might, and keep it in its place."""
    ends = [VALUES.shape[1 + a] - 1 if back else 0 for a, back in enumerate(backwards)]
    origin = GRID.to_mm(np.array(ends))
    axes = GRID.axes * np.where(backwards, -1, 1)[:, None]
    values = np.flip(VALUES, [1 + a for a in range(3) if backwards[a]])
    spacing = tuple(GRID.spacing_mm[a] for a in order)
    grid = Grid(spacing, tuple(origin.tolist()), axes[list(order)])
    return Image(values.transpose(0, *(a + 1 for a in order)), grid, bits=32)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("backwards", list(product((False, True), repeat=3)))
def test_however_a_volume_is_stored_it_comes_out_alike(order, backwards):
    image = stored(order, backwards)
    turned, placement = orient(image, "a.nii")
    np.testing.assert_array_equal(turned.values, VALUES)
    assert turned.grid.spacing_mm == GRID.spacing_mm
    np.testing.assert_allclose(turned.grid.origin_mm, GRID.origin_mm)
    np.testing.assert_allclose(turned.grid.axes, np.eye(3))
    points = np.array([[0, 0, 0], [4, 1, 2.5]])
    np.testing.assert_allclose(image.grid.to_mm(placement.to_image(points)), GRID.to_mm(points))


def test_prepared_alike(tmp_path):
    settings = Prepare((4, 5, 6), 1, intensity="range", orientation="patient", dtype="float16")
    ours = [
        prepare_image(stored(order, (True, False, True)), settings, "a")
        for order in ((0, 1, 2), (2, 0, 1))
    ]
    np.testing.assert_array_equal(*ours)


@pytest.mark.parametrize("name", ["ixi10", "volumes"])
def test_real_volumes_are_turned_as_by_simpleitk(real_data, name):
    path = sorted((real_data / name).rglob("*.nii.gz"))[0]
    turned, _ = orient(read_image(Source(path)), str(path))
    theirs = sitk.DICOMOrient(sitk.ReadImage(str(path), sitk.sitkFloat32), "LPS")
    np.testing.assert_allclose(turned.values[0], sitk.GetArrayFromImage(theirs), rtol=1e-5)
    np.testing.assert_allclose(turned.grid.origin_mm[::-1], theirs.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(turned.grid.spacing_mm[::-1], theirs.GetSpacing(), rtol=1e-5)


def test_directions_are_never_guessed():
    settings = Prepare((5, 6, 7), 1, intensity="range", orientation="patient")
    with pytest.raises(ReadError, match=r"^b\.npy: the directions of its axes wanted, .*none"):
        prepare_image(Image(VALUES, bits=32), settings, "b.npy")
    with pytest.raises(SettingError, match="for volumes, not for pictures"):
        Prepare((8, 8), 1, orientation="patient")
