import numpy as np
import pytest

from medclf.curate.phantom.screen import Screen
from medclf.curate.phantom.tubes import Cloud, Sprouts, grow_vessels, joined, splat, tube

PATH = np.array([(0.0, -30, -40), (0, 10, 0), (25, 10, 30)])
LENGTH = np.linalg.norm(np.diff(PATH, axis=0), axis=1).sum()


@pytest.mark.parametrize("step", [0.7, 2.0])
def test_tube_holds_the_volume_of_a_tube(step):
    filled = tube(PATH, (5, 3), step)
    hollow = tube(PATH, (5, 3), step, wall=1)
    assert filled.volume.sum() == pytest.approx(np.pi * 5 * 3 * LENGTH)
    assert hollow.volume.sum() == pytest.approx(np.pi * (5 * 3 - 4 * 2) * LENGTH)


def test_tube_stays_within_its_radius():
    straight = np.array([(0.0, -30, -40), (3, 0, 40)])
    cloud = tube(straight, (4, 4), 1.0)
    forward = (straight[1] - straight[0]) / np.linalg.norm(straight[1] - straight[0])
    aside = np.cross(cloud.points - straight[0], forward)
    distance = np.linalg.norm(aside, axis=1)
    assert distance.max() <= 4 + 1e-9
    assert np.mean(distance**2) == pytest.approx(4**2 / 2, rel=0.02)


def test_projected_tube_has_the_thickness_of_a_cylinder():
    screen = Screen(64, 1.0)
    cloud = tube(np.array([(0.0, 0, -40), (1e-6, 0, 40)]), (10, 10), 0.4)
    profile = screen.drop(cloud)[:, 32]
    height = np.abs(screen.axes[0][:, 0])
    chord = 2 * np.sqrt(np.maximum(100 - height**2, 0))
    assert np.abs(profile - chord)[height < 9].max() < 0.8


def test_screen_drops_a_point_where_its_axes_say():
    screen = Screen(21, 2.0, middle_mm=(6.0, -4.0))
    z, x = screen.axes
    total = screen.drop(Cloud(np.array([(10.0, 5, -12.0)]), np.array([8.0])))
    row, column = np.unravel_index(total.argmax(), total.shape)
    assert (z[row, 0], x[0, column], total.max()) == (10.0, -12.0, 2.0)
    assert np.all(np.diff(z[:, 0]) < 0)
    assert np.all(np.diff(x[0]) > 0)


@pytest.mark.parametrize("shape", [(9, 7), (6, 5, 8)])
def test_splat_keeps_weight_and_centre(shape):
    rng = np.random.default_rng(0)
    places = rng.uniform(0, np.array(shape) - 1, (200, len(shape)))
    weight = rng.uniform(0, 2, 200)
    total = splat(places, weight, shape)
    assert total.sum() == pytest.approx(weight.sum())
    for axis, index in enumerate(np.indices(shape)):
        assert (index * total).sum() == pytest.approx((places[:, axis] * weight).sum())


def test_splat_loses_what_lies_outside():
    places = np.array([(-0.25, 1.0), (2.5, 1), (-7, 1), (1, 40)])
    total = splat(places, np.ones(4), (3, 3))
    np.testing.assert_allclose(total, [[0, 0.75, 0], [0, 0, 0], [0, 0.5, 0]])


def test_tree_does_not_depend_on_how_densely_it_is_drawn():
    roots = Sprouts(np.zeros((3, 3)), np.eye(3))
    coarse, fine = (
        joined(grow_vessels(roots, np.random.default_rng(5), step=step)) for step in (2.0, 0.7)
    )
    assert len(fine.points) > 2 * len(coarse.points)
    assert fine.volume.sum() == pytest.approx(coarse.volume.sum())
    middle = [np.average(c.points, axis=0, weights=c.volume) for c in (fine, coarse)]
    np.testing.assert_allclose(middle[0], middle[1], atol=1.0)


def test_each_generation_parts_in_two_and_thins_by_murrays_law():
    roots = Sprouts(np.zeros((4, 3)), np.tile([0.0, 0, 1], (4, 1)))
    chance = np.random.default_rng(0)
    first, second, *_ = grow_vessels(roots, chance, radius=1.0, length=30.0, step=30.0)
    area_first = first.volume.sum() / 30
    area_second = second.volume.sum() / (0.83 * 30)
    assert area_first == pytest.approx(4 * np.pi, rel=0.3)
    assert area_second / area_first == pytest.approx(2 ** (1 / 3), rel=0.35)
