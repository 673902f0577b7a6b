"""Grids are pinned to SimpleITK, which counts x first."""

import numpy as np
import pytest
import SimpleITK as sitk

from medclf.core.grid import Grid
from medclf.errors import SettingError


def turned(seed):
    """Draw a rotation matrix."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


def as_sitk(grid, space):
    image = sitk.Image([int(n) for n in space[::-1]], sitk.sitkFloat32)
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm[::-1])
    image.SetDirection(grid.axes[::-1, ::-1].T.ravel().tolist())
    return image


@pytest.mark.parametrize("seed", range(3))
def test_places_in_the_patient_are_those_of_simpleitk(seed):
    grid = Grid((3.0, 0.7, 1.1), (-10.0, 20.0, 5.5), turned(seed))
    image = as_sitk(grid, (9, 10, 11))
    points = np.random.default_rng(9).uniform(-5, 15, (20, 3))
    theirs = [image.TransformContinuousIndexToPhysicalPoint(p[::-1])[::-1] for p in points]
    np.testing.assert_allclose(grid.to_mm(points), theirs, atol=1e-9)
    np.testing.assert_allclose(grid.from_mm(np.array(theirs)), points, atol=1e-9)


def test_a_slice_lies_in_its_plane():
    """What lies beside the plane is told by the nearest place in it."""
    grid = Grid((2.0, 1.0), (7.0, 0.0, 0.0), np.eye(3)[1:])
    assert grid.to_mm(np.array([3, 4])).tolist() == [7.0, 6.0, 4.0]
    assert grid.from_mm(np.array([99.0, 6.0, 4.0])).tolist() == pytest.approx([3.0, 4.0])


def clear(seed):
    """Tell whether no two orders fit about equally well, of which either is right."""
    return (np.sort(np.abs(turned(seed)), axis=1)[:, -2:] @ [-1, 1]).min() > 0.1


@pytest.mark.parametrize("seed", [seed for seed in range(30) if clear(seed)])
def test_order_is_that_of_simpleitk(seed):
    axes = turned(seed)
    code = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(
        axes[::-1, ::-1].T.ravel().tolist()
    )
    order, backwards = Grid(axes=axes).patient_order()
    # Their code names where each axis, x first, goes to, as "LPS".
    letters = ["IS", "AP", "RL"]
    ours = [""] * 3
    for direction, axis in enumerate(order):
        ours[axis] = letters[direction][not backwards[direction]]
    assert "".join(ours[::-1]) == code


def test_what_is_not_known_is_not_guessed():
    with pytest.raises(SettingError, match="found no origin, directions"):
        Grid((1.0, 1.0, 1.0)).to_mm(np.zeros(3))
    with pytest.raises(SettingError, match="found no spacing"):
        Grid(None, (0.0, 0.0, 0.0), np.eye(3)).from_mm(np.zeros(3))
    with pytest.raises(SettingError, match="directions of three axes"):
        Grid((1.0, 1.0), axes=np.eye(3)[1:]).patient_order()
