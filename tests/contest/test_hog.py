import numpy as np
import pytest

from medclf.contest.hog import CELLS, DIRECTIONS, describe_edges


def ramp(angle, size=28):
    """A picture that rises towards one direction: 0 is right, a quarter turn is down."""
    down, across = np.mgrid[:size, :size]
    return (np.cos(angle) * across + np.sin(angle) * down)[None, None]


@pytest.mark.parametrize("direction", range(DIRECTIONS))
def test_a_slope_falls_into_the_bin_of_its_direction(direction):
    found = describe_edges(ramp(direction * np.pi / DIRECTIONS)).reshape(DIRECTIONS, 7, 7)
    assert (found.argmax(0) == direction).all()
    assert found[direction].sum() == pytest.approx(found.sum())


def test_a_slope_between_two_directions_is_shared_out():
    found = describe_edges(ramp(2.25 * np.pi / DIRECTIONS)).reshape(DIRECTIONS, -1).mean(1)
    assert found[2] == pytest.approx(3 * found[3], rel=1e-4)
    assert found[[0, 1, 4, 5, 6, 7, 8]].max() < 1e-6


def test_up_is_the_same_as_down_and_exposure_does_not_matter():
    picture = np.random.default_rng(0).random((1, 1, 28, 28))
    wanted = describe_edges(picture)
    assert describe_edges(-picture) == pytest.approx(wanted, abs=1e-4)
    assert describe_edges(200 * picture + 30) == pytest.approx(wanted, abs=1e-3)


def test_cells_are_the_sums_that_a_slow_way_gives():
    picture = np.random.default_rng(1).random((13, 10)).astype(np.float32)
    down, across = np.gradient(picture)
    sums = np.zeros((DIRECTIONS, 3, 2))
    for y in range(13):
        for x in range(10):
            place = np.arctan2(down[y, x], across[y, x]) % np.pi / np.pi * DIRECTIONS
            first, share = int(place) % DIRECTIONS, place - int(place)
            strength = np.hypot(down[y, x], across[y, x])
            sums[first, y * 3 // 13, x * 2 // 10] += strength * (1 - share)
            sums[(first + 1) % DIRECTIONS, y * 3 // 13, x * 2 // 10] += strength * share
    found = describe_edges(picture[None, None]).reshape(DIRECTIONS, 3, 2)
    ratio = found / sums
    assert ratio == pytest.approx(np.broadcast_to(ratio[:1], ratio.shape), rel=1e-3)


def test_the_steepest_channel_counts_and_volumes_have_three_pairs_of_axes():
    steep, flat = ramp(0.0), 0.1 * ramp(np.pi / 2)
    both = np.concatenate([flat, steep, flat], axis=1)
    assert describe_edges(both) == pytest.approx(describe_edges(steep), abs=1e-4)
    volume = np.random.default_rng(0).random((2, 1, 24, 30, 28))
    assert describe_edges(volume).shape == (2, 3 * DIRECTIONS * CELLS[3] ** 3)


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 3, 1, 5), (2, 1, 1, 1), (2, 1, 3, 40, 2)])
def test_flat_and_tiny_images_give_finite_numbers(shape):
    assert (describe_edges(np.full(shape, 7, np.uint8)) == 0).all()
    noise = np.random.default_rng(0).random(shape).astype(np.float16)
    assert np.isfinite(describe_edges(noise)).all()


def test_parts_do_not_change_what_is_found(monkeypatch):
    values = np.random.default_rng(0).random((7, 1, 28, 28))
    whole = describe_edges(values)
    monkeypatch.setattr("medclf.contest.hog.AT_ONCE", 1500)
    assert (describe_edges(values) == whole).all()
