import numpy as np
import pytest

from medclf.errors import CohortError
from medclf.locate.chain import find_chain
from medclf.locate.row import Marks, learn_order, learn_row, local_axes

STEPS = np.array([18.0, 20, 22, 24, 26, 28])


def spine(rng, first=0, last=6, tilt=0.0):
    """Lay a bent row of 7 landmarks down a patient who lies anywhere, askew by an angle."""
    along = np.append(0, np.cumsum(STEPS)) * rng.normal(1, 0.05)
    y = 8 * np.sin(along / 60)
    z, y = -along * np.cos(tilt) - y * np.sin(tilt), y * np.cos(tilt) - along * np.sin(tilt)
    places = np.stack([z, y, 0 * z], 1) + rng.normal(0, 1, (7, 3)) + rng.uniform(-99, 99, 3)
    return Marks(np.arange(first, last + 1), places[first : last + 1])


@pytest.fixture(scope="module")
def row():
    rng = np.random.default_rng(0)
    scans = [spine(rng, *part) for part in ((0, 4), (2, 6), (1, 5), (0, 6)) for _ in range(4)]
    order, mean = learn_order(scans, 7)
    assert order.tolist() == list(range(7))
    return learn_row(scans, mean, 3.0)


def test_the_order_is_learnt_from_parts_with_any_numbers():
    rng = np.random.default_rng(1)
    names = np.array([3, 0, 6, 1, 5, 2, 4])
    scans = [spine(rng, *part) for part in ((0, 3), (3, 6), (2, 5))]
    order, mean = learn_order([Marks(names[s.kinds], s.places_mm) for s in scans], 7)
    assert order.tolist() == names.tolist()
    assert np.allclose(np.linalg.norm(np.diff(mean, axis=0), axis=1), STEPS, atol=6)


def test_parts_that_share_nothing_tell_no_order():
    rng = np.random.default_rng(2)
    with pytest.raises(CohortError, match="overlap"):
        learn_order([spine(rng, 0, 2), spine(rng, 4, 6), spine(rng, 3, 3)], 7)


def test_ways_between_neighbours_are_learnt(row):
    assert np.allclose(row.along_mm[0, :6], STEPS, atol=3)
    assert row.follow[0, 2, 3] > 0.9
    assert row.follow[1, 2, 4] > 0.9


def test_landmarks_that_were_not_marked_change_no_way():
    rng = np.random.default_rng(7)
    scans = []
    for _ in range(40):
        whole, marked = spine(rng), rng.random(7) < 0.75
        scans.append(Marks(whole.kinds[marked], whole.places_mm[marked]))
    row = learn_row(scans, learn_order(scans, 7)[1], 3.0)
    assert np.allclose(row.along_mm[0, :6], STEPS, atol=3)
    assert row.loose_mm[0, :6].max() < 5
    assert np.allclose(row.along_mm[1, :5], STEPS[:-1] + STEPS[1:], atol=4)
    assert row.follow[0, 2, 3] > 0.9


def test_one_that_a_patient_lacks_leaves_no_room():
    """Of two in ten the fourth is missing, and the fifth lies where it would."""
    rng = np.random.default_rng(8)
    scans = []
    for number in range(40):
        whole = spine(rng)
        kinds = np.array([0, 1, 2, 4, 5, 6]) if number % 5 == 0 else whole.kinds
        scans.append(Marks(kinds, whole.places_mm[: len(kinds)]))
    row = learn_row(scans, learn_order(scans, 7)[1], 3.0)
    assert 0.1 < row.follow[0, 2, 4] < 0.3
    assert row.loose_mm[0].max() < 5


@pytest.mark.parametrize("tilt", [0.0, 0.6])
def test_a_row_askew_is_named_by_its_distances_alone(row, tilt):
    """Looks tell where the row is, and one of its landmarks; the rest are alike."""
    seen = spine(np.random.default_rng(3), 1, 5, tilt)
    rng = np.random.default_rng(4)
    aside = seen.places_mm[1:4] + np.array([0, 25, 20])
    places = np.concatenate([seen.places_mm, aside])
    worth = np.concatenate([np.full((5, 7), 1.0), np.full((3, 7), -4.0)])
    worth[2, 3] = 4.0
    mixed = rng.permutation(8)
    places, worth, true = places[mixed], worth[mixed], np.array([1, 2, 3, 4, 5, -1, -1, -1])[mixed]
    weights = np.where(true >= 0, 0.9, 0.1)
    order = row.sort(places, weights)
    chain = find_chain(worth[order], row.links(places[order], weights[order]))
    assert chain.kinds.tolist() == true[order].tolist()


def test_a_gap_as_large_as_a_missing_one_is_left_free(row):
    seen = spine(np.random.default_rng(5))
    places, there = np.delete(seen.places_mm, 3, 0), [0, 1, 2, 4, 5, 6]
    chain = find_chain(np.full((6, 7), 2.0), row.links(places, np.ones(6)))
    assert chain.kinds.tolist() == there
    found = np.isin(np.arange(7), there)
    filled = row.fill(found, np.where(found[:, None], seen.places_mm, np.nan))
    assert np.linalg.norm(filled[3] - seen.places_mm[3]) < 6


def test_ends_are_filled_by_the_mean_shape(row):
    seen = spine(np.random.default_rng(6))
    found = np.isin(np.arange(7), [2, 3, 4])
    filled = row.fill(found, np.where(found[:, None], seen.places_mm, np.nan))
    assert np.linalg.norm(filled - seen.places_mm, axis=1).max() < 15
    assert np.isnan(row.fill(np.zeros(7, bool), np.full((7, 3), np.nan))).all()


def test_an_axis_follows_its_neighbours_and_alone_the_main_way():
    main = np.array([-1.0, 0, 0])
    places = np.array([[0.0, 0, 0], [-20, 20, 0], [-40, 40, 0], [500, 0, 0]])
    axes = local_axes(places, np.ones(4), main, 60.0)
    assert np.allclose(axes[1], [-np.sqrt(0.5), np.sqrt(0.5), 0], atol=0.2)
    assert np.allclose(axes[3], main)
