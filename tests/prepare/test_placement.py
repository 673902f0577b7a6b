import numpy as np
import pytest

from medclf.core.grid import Grid
from medclf.prepare.placement import Placement, moved, unmoved

TURN = Placement((2, 0, 1), (9.0, 0.0, 0.5), (-1.0, 1.0, 2.5))
SCALE = moved((-3.0, 0.25, 7.0), (0.5, 2.0, -1.0))
POINTS = np.random.default_rng(0).uniform(-20, 20, (50, 3))


@pytest.mark.parametrize("placement", [unmoved(3), TURN, SCALE, SCALE.after(TURN)])
def test_there_and_back(placement):
    np.testing.assert_allclose(placement.to_array(placement.to_image(POINTS)), POINTS, atol=1e-12)
    np.testing.assert_allclose(placement.to_image(placement.to_array(POINTS)), POINTS, atol=1e-12)


def test_joined_steps_are_the_steps_one_by_one():
    joined = SCALE.after(TURN).after(unmoved(3))
    by_steps = TURN.to_image(SCALE.to_image(POINTS))
    np.testing.assert_allclose(joined.to_image(POINTS), by_steps, atol=1e-12)


def test_the_grid_of_an_array_tells_the_same_place_as_that_of_its_image():
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    image = Grid((3.0, 0.7, 1.1), (-10.0, 20.0, 5.5), axes)
    placement = SCALE.after(TURN)
    array = placement.grid(image)
    np.testing.assert_allclose(
        array.to_mm(POINTS), image.to_mm(placement.to_image(POINTS)), atol=1e-9
    )
    assert placement.grid(Grid((3.0, 0.7, 1.1))).spacing_mm == pytest.approx((0.55, 6.0, 1.75))
    assert placement.grid(Grid()) == Grid()
