import numpy as np
import pytest

from medclf.curate.phantom.ct import Frame, Scanner, expose
from medclf.curate.phantom.shapes import ellipsoid
from medclf.curate.phantom.tubes import Cloud

FRAME = Frame((-30.0, -20.0, -10.0), (25, 41, 31), (2.5, 1.0, 0.75))


def test_a_shape_and_a_cloud_fill_their_volume():
    ball = ellipsoid((0, 0, 0), (9, 8, 7))
    share = FRAME.cover((ball,))
    assert share.sum() * np.prod(FRAME.spacing_mm) == pytest.approx(4 / 3 * np.pi * 504, rel=0.02)
    box, part = FRAME.covered(ball)
    assert part.sum() == share.sum()
    assert (share[box] == part).all()
    cloud = Cloud(np.array([[0.3, 0.2, 0.1]]), np.array([1.2]))
    assert FRAME.fill(cloud).sum() * np.prod(FRAME.spacing_mm) == pytest.approx(1.2)


def test_a_shape_outside_fills_nothing():
    assert not FRAME.cover(
        (ellipsoid((0, 0, 90), (5, 5, 5)), ellipsoid((0, 90, 0), (5, 5, 5)))
    ).any()


def test_a_box_is_cut_out_and_places_are_held():
    box = FRAME.cut(np.array([0, 0, 0.0]), np.array([5, 3, 30.0]))
    near = [axis[part] for axis, part in zip(FRAME.places, box, strict=True)]
    assert all(axis[0] <= 0 for axis in near)
    assert near[0][-1] >= 5
    assert near[1][-1] >= 3
    assert near[2][-1] == FRAME.places[2][-1]
    assert FRAME.holds(np.zeros(3))
    assert not FRAME.holds(np.array([0, 0, 13.0]))


def test_a_slice_is_as_thick_as_the_scanner_says():
    hu = np.zeros(FRAME.shape)
    hu[12, 20, 15] = 3000
    values = expose(hu, FRAME, Scanner("x", 1.2, 9, 0), np.random.default_rng(0)).values[0]
    for axis, wide in zip(range(3), (9 / 12**0.5, 1.2, 1.2), strict=True):
        line = values.sum(axis=tuple(other for other in range(3) if other != axis))
        at = FRAME.places[axis]
        middle = (line * at).sum() / line.sum()
        spread = np.sqrt((line * (at - middle) ** 2).sum() / line.sum())
        assert spread == pytest.approx(wide, rel=0.1)
