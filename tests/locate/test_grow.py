import numpy as np

from medclf.core.grid import Grid
from medclf.locate.grow import Seeds, grow

GRID = Grid((2.0, 1.0, 1.0), (-30.0, 5.0, 7.0), np.eye(3))
AXIS = np.array([[1.0, 0, 0]] * 2)


def seeds(*samples):
    places = GRID.to_mm(np.array(samples, float))
    return Seeds(places, AXIS[: len(samples)], np.full(len(samples), 20.0))


def blocks():
    """Lay two bright blocks over each other, apart by one dark slice; one has a drooping horn."""
    values = np.zeros((24, 40, 24))
    values[3:10, 4:18, 4:20] = values[11:18, 4:18, 4:20] = 1000
    values[12:14, 18:30, 11:13] = 1000
    values[6:14, 28:30, 11:13] = 1000  # it droops past the block below
    return values


def test_each_block_is_of_its_seed():
    labels = grow(blocks(), GRID, seeds((6, 10, 12), (14, 10, 12)), 300.0)
    assert (labels[3:10, 4:18, 4:20] == 1).all()
    assert (labels[11:18, 4:18, 4:20] == 2).all()


def test_a_horn_stays_with_the_block_that_it_comes_from():
    labels = grow(blocks(), GRID, seeds((6, 10, 12), (14, 10, 12)), 300.0)
    assert (labels[8:14, 28:30, 11:13] == 2).all()


def test_labels_end_where_the_way_is_too_long():
    values = np.zeros((16, 120, 24))
    values[6:10, :, 10:14] = 1000
    labels = grow(values, GRID, seeds((8, 10, 12)), 300.0)
    assert labels[8, 40, 12] == 1
    assert not labels[:, 65:].any()


def test_touching_blocks_are_parted_midway():
    values = np.zeros((24, 24, 24))
    values[2:22, 4:20, 4:20] = 1000
    labels = grow(values, GRID, seeds((6, 12, 12), (17, 12, 12)), 300.0)
    assert (labels[2:11, 6:18, 6:18] == 1).all()
    assert (labels[13:22, 6:18, 6:18] == 2).all()


def test_a_dark_middle_is_a_core_of_its_own():
    labels = grow(np.zeros((24, 40, 24)), GRID, seeds((8, 20, 12)), 300.0)
    assert labels[8, 20, 12] == 1
    assert 0 < labels.sum() < 4000


def test_a_seed_far_outside_grows_nothing():
    assert not grow(blocks(), GRID, seeds((-90, 10, 12)), 300.0).any()
